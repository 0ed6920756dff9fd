"""A StartAt with its States, wherever it stands: the machine, a branch of a Parallel, the processor of a Map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Branch, QueryLanguage, State
from asl_engine.language.diagnostics import did_you_mean
from asl_engine.language.fields import Attributes, Field, FieldTable, expected
from asl_engine.language.kinds import StateName
from asl_engine.language.place import BranchReading, Place, shown
from asl_engine.language.state_fields import COMMENT
from asl_engine.limits import STATE_NAME_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class StateSyntax:
    """A type of state: its fields, and what makes a compiled state of them.

    `build` is called with what the table read, and only if that was free of errors; `check` always, for rules that
    concern several fields.
    """

    table: FieldTable
    build: Callable[[Attributes], State]
    check: Callable[[JsonObject, Place], None]


class StatesKind:
    """The kind of `States`: an object of states by their names."""

    def read(self, value: JsonValue, place: Place, name: str) -> dict[str, State]:
        """The states that are free of errors."""
        if not isinstance(value, dict):
            expected(place, "an object", value, name)
            return {}
        if not value:
            place.error("Value cannot be empty", name, hint="a branch has at least one state")
        states = {}
        for state_name, definition in value.items():
            if (state := _read_state(state_name, definition, place)) is not None:
                states[state_name] = state
        return states

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """An object of states, described once for all."""
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"maxLength": STATE_NAME_LENGTH_MAX},
            "additionalProperties": {"$ref": "#/definitions/state"},
        }


START_AT: Final = Field("StartAt", StateName(), "The state to begin with.", "start_at", required=True)
STATES: Final = Field("States", StatesKind(), "The states, by their names.", "states", required=True)
BRANCH: Final = FieldTable("a branch", START_AT, STATES, COMMENT)


def read_branch(
    table: FieldTable, value: JsonValue, place: Place, *, key: str, outer: BranchReading | None
) -> tuple[Branch | None, Attributes]:
    """Read a branch by a table that has StartAt and States. The Branch is None if anything in it is wrong.

    `outer` is the branch whose variables this one can see.
    """
    if not isinstance(value, dict):
        expected(place, "an object", value)
        return None, {}
    problems = place.compilation.problems
    errors = problems.errors
    states = value.get("States")
    reading = BranchReading(location=place.location, states=states if isinstance(states, dict) else {}, outer=outer)
    place.compilation.readings.append(reading)
    inside = Place(place.compilation, place.location, place.language, reading=reading, branch_key=key)
    attributes = table.read(value, inside)
    if problems.errors > errors:
        return None, attributes
    branch = Branch(key=key, start_at=attributes["start_at"], states=attributes["states"])
    place.compilation.branches[key] = branch
    return branch, attributes


def _read_state(name: str, value: JsonValue, branch: Place) -> State | None:
    problems = branch.compilation.problems
    errors = problems.errors
    location = (*branch.location, "States", name)
    machine_language = branch.compilation.query_language
    place = Place(branch.compilation, location, machine_language, branch.reading, branch.branch_key, name)
    if not name or len(name) > STATE_NAME_LENGTH_MAX:
        place.error(f"a state name has between 1 and {STATE_NAME_LENGTH_MAX} characters; this one has {len(name)}")
    if not isinstance(value, dict):
        hint = f"{name} belongs beside States, not into it" if name in _BESIDE_STATES else ""
        place.error(f"expected an object but found {shown(value)}", hint=hint)
        return None
    if "QueryLanguage" in value:
        place = place.in_language(_query_language(value["QueryLanguage"], place))
    syntax = _syntax(value, place)
    if syntax is None:
        return None
    attributes = syntax.table.read(value, place)
    syntax.check(value, place)
    if problems.errors > errors:
        return None
    if "ResultPath" in value and value["ResultPath"] is None:
        attributes["discards_result"] = True
    attributes["name"] = name
    attributes["query_language"] = place.language
    return syntax.build(attributes)


def _syntax(value: JsonObject, place: Place) -> StateSyntax | None:
    syntaxes = place.compilation.syntaxes
    kind = value.get("Type")
    syntax = syntaxes.get(kind) if isinstance(kind, str) else None
    if syntax is None:
        if "Type" not in value:
            place.error("These fields are required: [Type]")
        else:
            hint = did_you_mean(kind, syntaxes) if isinstance(kind, str) else ""
            place.error(f"The field 'Type' should have one of these values: [{_TYPES}]", "Type", hint=hint)
        _follow(value, place)
    return syntax


def _follow(value: JsonObject, place: Place) -> None:
    """Note where a state of an unknown type leads, so that no state after it is called unreachable."""
    for name in ("Next", "Default"):
        if isinstance(target := value.get(name), str):
            place.transition(target, name)


def _query_language(value: JsonValue, place: Place) -> QueryLanguage:
    language = read_query_language(value, place)
    if language is QueryLanguage.JSONPATH and place.jsonata:
        place.error_about(
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            "QueryLanguage",
            hint="leave it out for the whole machine, and set it to JSONata state by state",
        )
    return language


def read_query_language(value: JsonValue, place: Place) -> QueryLanguage:
    """The query language that a `QueryLanguage` field names. Reports any other text."""
    if isinstance(value, str) and value in _LANGUAGES:
        return QueryLanguage(value)
    names = ", ".join(_LANGUAGES)
    place.error(f"The field 'QueryLanguage' should have one of these values: [{names}]", "QueryLanguage")
    return place.compilation.query_language


_BESIDE_STATES = frozenset({"QueryLanguage", "StartAt", "Comment", "TimeoutSeconds", "Version"})
_LANGUAGES = tuple(str(language) for language in QueryLanguage)
# In the order of AWS's own message.
_TYPES = "Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map"
