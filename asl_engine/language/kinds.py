"""The kinds of values that a field can have, each with how it is read and its JSON Schema.

Numbers and strings are literals in JSONPath; in JSONata most may be an expression instead, and then the check of the
value is left to run time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.jsonata import compile_jsonata, delimiter_problem, expression_text, is_expression
from asl_engine.expressions.jsonata_template import compile_jsonata_template
from asl_engine.expressions.path import Path, compile_path, compile_path_or_intrinsic
from asl_engine.expressions.payload_template import compile_template
from asl_engine.expressions.reference_path import ReferencePath, compile_reference_path
from asl_engine.expressions.scope import Constant, Expression
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import QueryLanguage, StateType
from asl_engine.language.diagnostics import DiagnosticCode
from asl_engine.language.fields import FieldTable, expected, read_object
from asl_engine.language.place import Place

Read: TypeAlias = "Callable[[JsonValue, Place, str], Any]"
Schema: TypeAlias = "Callable[[QueryLanguage], JsonObject]"

JSONATA_SCHEMA: JsonObject = {"type": "string", "pattern": r"^\{%[\s\S]*%\}$"}
ANY_SCHEMA: JsonObject = {}
STRING_SCHEMA: JsonObject = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Custom:
    """A kind that one table needs alone."""

    reader: Read
    describe: Schema

    def read(self, value: JsonValue, place: Place, name: str) -> Any:
        """As the table's own function reads it."""
        return self.reader(value, place, name)

    def schema(self, language: QueryLanguage) -> JsonObject:
        """As the table's own function describes it."""
        return self.describe(language)


class Text:
    """A string."""

    def read(self, value: JsonValue, place: Place, name: str) -> str:
        """The string itself."""
        if not isinstance(value, str):
            expected(place, "a string", value, name)
            return ""
        return value

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """A string."""
        return STRING_SCHEMA


class Boolean:
    """true or false."""

    def read(self, value: JsonValue, place: Place, name: str) -> bool:
        """The boolean itself."""
        if not isinstance(value, bool):
            expected(place, "true or false", value, name)
            return False
        return value

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a closed set of strings, converted by `convert`."""

    values: tuple[str, ...]
    convert: Callable[[str], Any] = str

    def read(self, value: JsonValue, place: Place, name: str) -> Any:
        """The converted string; the first of them where another value was found."""
        if not isinstance(value, str) or value not in self.values:
            place.error(f"The field '{name}' should have one of these values: [{', '.join(self.values)}]", name)
            return self.convert(self.values[0])
        return self.convert(value)

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """An enumeration."""
        return {"enum": list(self.values)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number between `least` and `most`; an integer unless `fractions` are allowed. Never an expression."""

    least: int
    most: int | None = None
    fractions: bool = False

    def read(self, value: JsonValue, place: Place, name: str) -> int | float:
        """The number itself. 2.0 is taken for the integer 2, as in JSON Schema."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            expected(place, "a number" if self.fractions else "an integer", value, name)
            return self.least
        if not self.fractions and value != int(value):
            expected(place, "an integer", value, name)
        elif value < self.least or (self.most is not None and value > self.most):
            bound = f"at least {self.least}" if self.most is None else f"between {self.least} and {self.most}"
            place.error(f"{value} is out of range: it must be {bound}", name)
        return value if self.fractions else int(value)

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """A bounded number."""
        schema: JsonObject = {"type": "number" if self.fractions else "integer", "minimum": self.least}
        return schema if self.most is None else {**schema, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class OrJsonata:
    """A literal of another kind, or in JSONata an expression. `result` is the JSON type it must evaluate to."""

    literal: Text | Number
    result: str | None = None

    def read(self, value: JsonValue, place: Place, name: str) -> Expression:
        """A Constant or the compiled expression."""
        if place.jsonata and isinstance(value, str) and is_expression(value):
            return read_jsonata(value, place, name, result=self.result)
        if place.jsonata and (problem := delimiter_problem(value)):
            place.error(problem, name, code=DiagnosticCode.INVALID_EXPRESSION)
            return Constant(None)
        return Constant(self.literal.read(value, place, name))

    def schema(self, language: QueryLanguage) -> JsonObject:
        """The literal's schema, and in JSONata an expression."""
        literal = self.literal.schema(language)
        return {"anyOf": [literal, JSONATA_SCHEMA]} if language is QueryLanguage.JSONATA else literal


class Timestamp:
    """An RFC 3339 timestamp, or in JSONata an expression."""

    def read(self, value: JsonValue, place: Place, name: str) -> Expression:
        """A Constant or the compiled expression."""
        if place.jsonata and isinstance(value, str) and is_expression(value):
            return read_jsonata(value, place, name, result="string")
        if not isinstance(value, str) or parse_timestamp(value) is None:
            hint = "write it as 2030-01-31T09:30:00Z: with a capital T and a time zone"
            place.error("String does not match RFC3339 timestamp", name, hint=hint)
        return Constant(value)

    def schema(self, language: QueryLanguage) -> JsonObject:
        """A string."""
        literal: JsonObject = {"type": "string", "format": "date-time"}
        return {"anyOf": [literal, JSONATA_SCHEMA]} if language is QueryLanguage.JSONATA else literal


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A JSONPath. Where `nullable`, null stands for an empty object."""

    nullable: bool = False

    def read(self, value: JsonValue, place: Place, name: str) -> Expression | None:
        """The compiled path; None for `$`."""
        if value == "$":
            return None
        if value is None and self.nullable:
            return Constant({})
        return read_path(value, place, name)

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """A string that begins with a dollar sign."""
        path: JsonObject = {"type": "string", "pattern": r"^\$"}
        return {"anyOf": [path, {"type": "null"}]} if self.nullable else path


class RequiredPath:
    """A JSONPath that is always compiled, `$` too."""

    def read(self, value: JsonValue, place: Place, name: str) -> Path:
        """The compiled path."""
        return read_path(value, place, name) or compile_path("$")

    def schema(self, language: QueryLanguage) -> JsonObject:
        """As a JSONPath."""
        return JsonPath().schema(language)


class ResultPath:
    """A reference path to write to, or null to discard the result."""

    def read(self, value: JsonValue, place: Place, name: str) -> ReferencePath | None:
        """The compiled path; None for `$` and for null."""
        if value is None or value == "$":
            return None
        if not isinstance(value, str):
            expected(place, "a reference path or null", value, name)
            return None
        try:
            return compile_reference_path(value)
        except InvalidExpression as error:
            place.invalid_expression("Value is not a Reference Path", error, name)
            return None

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """A path or null."""
        return {"anyOf": [{"type": "string", "pattern": r"^\$"}, {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Template:
    """A payload template in JSONPath; any value with expressions inside in JSONata.

    `object_only` is for what must be an object: Assign and Credentials.
    """

    object_only: bool = False

    def read(self, value: JsonValue, place: Place, name: str) -> Expression | None:
        """The compiled template."""
        if self.object_only and not isinstance(value, dict):
            expected(place, "an object", value, name)
            return None
        return read_template(value, place, name)

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """Anything, or any object."""
        return {"type": "object"} if self.object_only else ANY_SCHEMA


class AnyValue:
    """A value that is never evaluated."""

    def read(self, value: JsonValue, _place: Place, _name: str) -> Expression:
        """The value itself, as an expression."""
        return Constant(value)

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """Anything."""
        return ANY_SCHEMA


@dataclass(frozen=True, slots=True)
class Ignored:
    """A value that nobody reads, such as a Comment."""

    described: JsonObject

    def read(self, _value: JsonValue, _place: Place, _name: str) -> None:
        """Nothing."""

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """What an editor shall expect."""
        return self.described


class StateName:
    """The name of a state to go on to."""

    def read(self, value: JsonValue, place: Place, name: str) -> str:
        """The name. Whether it exists is checked when the branch is complete."""
        if not isinstance(value, str):
            expected(place, "the name of a state", value, name)
            return ""
        place.transition(value, name)
        return value

    def schema(self, _language: QueryLanguage) -> JsonObject:
        """A string."""
        return STRING_SCHEMA


@dataclass(frozen=True, slots=True)
class Nested:
    """An object with a table of its own. The attributes are thrown away: only its form is checked."""

    table: FieldTable

    def read(self, value: JsonValue, place: Place, name: str) -> JsonObject | None:
        """The object as it was written."""
        read_object(self.table, value, place.at(name))
        return value if isinstance(value, dict) else None

    def schema(self, language: QueryLanguage) -> JsonObject:
        """The table's schema."""
        return self.table.schema(language)


def read_path(value: JsonValue, place: Place, name: str) -> Path | None:
    """Compile a JSONPath. Reports what is none."""
    if not isinstance(value, str):
        expected(place, "a JSONPath", value, name)
        return None
    try:
        return compile_path(value)
    except InvalidExpression as error:
        place.invalid_expression(f"The value for the field '{name}' must be a valid JSONPath", error, name)
        return None


def read_jsonata(value: str, place: Place, name: str, *, result: str | None = None) -> Expression:
    """Compile one JSONata expression. Reports one that does not compile."""
    try:
        return compile_jsonata(expression_text(value), field=name, expected=result, absent=_absent(place, name))
    except InvalidExpression as error:
        place.invalid_expression(f"The value for the field '{name}' must be a valid JSONata expression", error, name)
        return Constant(None)


def read_template(value: JsonValue, place: Place, name: str) -> Expression:
    """Compile a template in the query language of the place. Reports every expression that does not compile."""
    problems: list[tuple[tuple[str | int, ...], InvalidExpression]] = []
    if place.jsonata:
        compiled = compile_jsonata_template(value, field=name, problems=problems, absent=_absent(place, name))
    else:
        compiled = compile_template(value, field=name, problems=problems)
    for keys, error in problems:
        _report_template(place, (name, *keys), error)
    return compiled


def _absent(place: Place, name: str) -> frozenset[str]:
    """What `$states` does not have in a field: an error is there for a catcher, a result for what follows one.

    https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
    """
    holder = place.location[-2]
    state = place.reading.states.get(place.state_name) if place.reading is not None else None
    kind = state.get("Type") if isinstance(state, dict) else None
    if holder == "Catch":
        return _NOTHING
    if kind in _UNSURE or (kind in _HAVE_RESULTS and holder == "States" and name in ("Assign", "Output")):
        return _ERROR_OUTPUT
    return _ERROR_OUTPUT_AND_RESULT


def read_path_or_intrinsic(value: JsonValue, place: Place, name: str) -> Expression:
    """Compile a JSONPath or an intrinsic call. Reports what is neither."""
    if isinstance(value, str):
        try:
            return compile_path_or_intrinsic(value)
        except InvalidExpression as error:
            place.invalid_expression(_neither(name), error, name)
    else:
        expected(place, "a JSONPath or an intrinsic function call", value, name)
    return Constant(None)


def _report_template(place: Place, keys: tuple[str | int, ...], error: InvalidExpression) -> None:
    """As AWS does, locate what is wrong in a JSONPath template at the object that holds it."""
    field = next((key for key in reversed(keys) if isinstance(key, str)), "")
    if place.jsonata:
        place.error(f"The value for the field '{field}' must be a valid JSONata expression", *keys, hint=str(error))
    else:
        message = _neither(field) if field.endswith(".$") else error.reason
        place.at(*keys[:-1]).error_about(message, keys[-1], hint=str(error))


def _neither(field: str) -> str:
    return f"The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call"


_NOTHING: frozenset[str] = frozenset()
_ERROR_OUTPUT = frozenset({"errorOutput"})
_ERROR_OUTPUT_AND_RESULT = _ERROR_OUTPUT | {"result"}
_HAVE_RESULTS = frozenset({StateType.TASK, StateType.PARALLEL, StateType.MAP})
_UNSURE = frozenset({StateType.PASS, StateType.CHOICE})  # AWS's documentation does not say whether they have a result
