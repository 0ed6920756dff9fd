"""Where the parser stands: a location in the definition, the query language there, and who collects the problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asl_engine.errors import InvalidExpression
from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.definition import Branch, QueryLanguage
from asl_engine.language.diagnostics import DiagnosticCode, Location, Problems

if TYPE_CHECKING:
    from asl_engine.language.branch import StateSyntax


@dataclass(frozen=True, slots=True)
class Transition:
    """A state name that was written in a `Next`, `Default` or `StartAt`. `source` is the state that names it."""

    location: Location
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchReading:
    """What was gathered about one branch while it was read, for the checks that need all of it.

    `outer` is the branch around it whose variables it can see. `ends` says whether any state ends the branch.
    """

    location: Location
    states: JsonObject
    outer: BranchReading | None = None
    transitions: list[Transition] = field(default_factory=list)
    assigned: list[tuple[str, Location]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Compilation:
    """One run of the parser. `query_language` is the machine's; `express` applies the rules of Express workflows.

    Where `any_resource` holds, a Resource that AWS does not know is a name that whoever performs tasks may know.
    """

    problems: Problems
    express: bool = False
    any_resource: bool = True
    syntaxes: Mapping[str, StateSyntax]
    query_language: QueryLanguage = QueryLanguage.JSONPATH
    branches: dict[str, Branch] = field(default_factory=dict)
    readings: list[BranchReading] = field(default_factory=list)


class Place:
    """A location, and all that is known there. `state_name` and `branch_key` are those of the state around it.

    `jsonata` tells whether expressions are JSONata here. It is asked for each field, so it is no property.
    """

    __slots__ = ("branch_key", "compilation", "jsonata", "language", "location", "reading", "state_name")

    def __init__(
        self,
        compilation: Compilation,
        location: Location,
        language: QueryLanguage,
        reading: BranchReading | None = None,
        branch_key: str = "",
        state_name: str = "",
    ) -> None:
        self.compilation = compilation
        self.location = location
        self.language = language
        self.jsonata = language is _JSONATA
        self.reading = reading
        self.branch_key = branch_key
        self.state_name = state_name

    def at(self, *keys: str | int) -> Place:
        """The same, further in."""
        return Place(
            self.compilation,
            (*self.location, *keys),
            self.language,
            self.reading,
            self.branch_key,
            self.state_name,
        )

    def in_language(self, language: QueryLanguage) -> Place:
        """The same in another query language."""
        return Place(self.compilation, self.location, language, self.reading, self.branch_key, self.state_name)

    def error(
        self,
        message: str,
        *keys: str | int,
        code: DiagnosticCode = DiagnosticCode.SCHEMA_VALIDATION_FAILED,
        hint: str = "",
    ) -> None:
        """Report an error at this place, or at a member of it."""
        self.compilation.problems.error((*self.location, *keys), message, code=code, hint=hint)

    def warning(self, message: str, *keys: str | int, code: DiagnosticCode, hint: str) -> None:
        """Report what will surprise at this place, or at a member of it."""
        self.compilation.problems.warning((*self.location, *keys), message, code=code, hint=hint)

    def error_about(
        self,
        message: str,
        *member: str | int,
        hint: str = "",
    ) -> None:
        """Report an error that AWS locates at the object, while line and column can show the member."""
        self.compilation.problems.error(self.location, message, hint=hint, member=(*self.location, *member))

    def invalid_expression(self, message: str, error: InvalidExpression, *keys: str | int) -> None:
        """Report an expression that does not compile."""
        self.error(message, *keys, hint=str(error))

    def transition(self, target: str, *keys: str | int) -> None:
        """Note that the state here can be followed by `target`."""
        assert self.reading is not None
        self.reading.transitions.append(Transition((*self.location, *keys), self.state_name, target))


def child_branch_key(place: Place, index: int) -> str:
    """The `Branch.key` of a branch inside of the state at this place."""
    key = f"{place.state_name}/{index}"
    return f"{place.branch_key}/{key}" if place.branch_key else key


def shown(value: JsonValue) -> str:
    """A value, short enough for a message."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = dump_json(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


_JSONATA = QueryLanguage.JSONATA  # looking up a member of an enumeration takes longer than the question it is for
_SHOWN_MAX = 60
