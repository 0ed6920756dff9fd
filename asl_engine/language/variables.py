"""Variables: what `Assign` may name, and from where.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html: a branch or iteration sees what the scopes
around it assigned and cannot assign the same name again. A distributed Map sees nothing of the scopes around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asl_engine.expressions.scope import Expression
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import QueryLanguage
from asl_engine.language.diagnostics import DiagnosticCode, Location, Problems
from asl_engine.language.fields import expected
from asl_engine.language.kinds import read_template
from asl_engine.language.place import BranchReading, Place
from asl_engine.limits import VARIABLE_NAME_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class VariableAssignment:
    """The kind of `Assign`: an object of variable names and templates."""

    def read(self, value: JsonValue, place: Place, name: str) -> Expression | None:
        """The compiled object."""
        if not isinstance(value, dict):
            expected(place, "an object", value, name)
            return None
        assert place.reading is not None
        for key in value:
            variable = key.removesuffix(".$") if not place.jsonata else key
            _check_name(variable, place, name, key)
            place.reading.assigned.append((variable, (*place.location, name, key)))
        return read_template(value, place, name)

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """An object."""
        return {"type": "object"}


def _check_name(variable: str, place: Place, *keys: str) -> None:
    if variable == "states":
        reason = "'states' is reserved for the engine's own variable $states"
    elif not variable.isidentifier():
        reason = f"'{variable}' is no variable name: it must be a letter followed by letters, digits or underscores"
    elif len(variable) > VARIABLE_NAME_LENGTH_MAX:
        reason = f"a variable name has at most {VARIABLE_NAME_LENGTH_MAX} characters"
    else:
        return
    place.error(reason, *keys, code=DiagnosticCode.INVALID_VARIABLE_NAME)


def check_scopes(readings: list[BranchReading], problems: Problems) -> None:
    """Report variables that an enclosing scope has assigned already."""
    for reading in readings:
        if not reading.assigned or reading.outer is None:
            continue
        outer = {name: location for scope in _around(reading) for name, location in scope.assigned}
        for name, location in _clashes(reading, outer):
            problems.error(
                location,
                f"the variable '{name}' is assigned by an outer scope too, and cannot be assigned here",
                code=DiagnosticCode.VARIABLE_OF_OUTER_SCOPE,
                hint="choose another name, or return the value as the branch's output and assign it there",
            )


def _around(reading: BranchReading) -> Iterator[BranchReading]:
    scope = reading.outer
    while scope is not None:
        yield scope
        scope = scope.outer


def _clashes(reading: BranchReading, outer: Mapping[str, Location]) -> Iterator[tuple[str, Location]]:
    return ((name, location) for name, location in reading.assigned if name in outer)
