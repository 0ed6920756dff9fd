"""Tables of fields: one row says all there is to know about a field, for the parser and for the JSON Schema.

An object of the definition is read by its table. The reader goes through the members that are there, so its price
depends on what was written and not on what could be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import QueryLanguage
from asl_engine.language.diagnostics import DiagnosticCode, did_you_mean
from asl_engine.language.place import Place, shown

Attributes: TypeAlias = "dict[str, Any]"

JSONPATH = frozenset({QueryLanguage.JSONPATH})
JSONATA = frozenset({QueryLanguage.JSONATA})
BOTH = JSONPATH | JSONATA


class Kind(Protocol):
    """A kind of value: how it is read and how a JSON Schema describes it."""

    def read(self, value: JsonValue, place: Place, name: str) -> Any:
        """What the field `name` at `place` means. Reports problems there; the answer is unused if there are any."""

    def schema(self, language: QueryLanguage) -> JsonObject:
        """The JSON Schema of the value in a state of this query language."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `attribute` names what it fills in the compiled object; "" fills nothing.

    `text_attribute` receives the text as it was written, for error messages at run time.
    """

    name: str
    kind: Kind
    description: str
    attribute: str = ""
    languages: frozenset[QueryLanguage] = BOTH
    required: bool = False
    text_attribute: str = ""


class FieldTable:
    """The fields of one kind of object.

    Of the fields of an `exclusive` group at most one may be given, of an `exactly_one` group one must be.
    """

    def __init__(
        self,
        title: str,
        *fields: Field,
        exclusive: Iterable[tuple[str, ...]] = (),
        exactly_one: Iterable[tuple[str, ...]] = (),
    ) -> None:
        self.title = title
        self.fields = {field.name: field for field in fields}
        self.exactly_one = tuple(exactly_one)
        self.exclusive = (*exclusive, *self.exactly_one)
        self._jsonpath = {field.name: field for field in fields if QueryLanguage.JSONPATH in field.languages}
        self._jsonata = {field.name: field for field in fields if QueryLanguage.JSONATA in field.languages}
        self._required_in_jsonpath = {name for name, field in self._jsonpath.items() if field.required}
        self._required_in_jsonata = {name for name, field in self._jsonata.items() if field.required}

    def of(self, language: QueryLanguage) -> Mapping[str, Field]:
        """The fields that a query language has."""
        return self._jsonata if language is QueryLanguage.JSONATA else self._jsonpath

    def read(self, value: JsonObject, place: Place) -> Attributes:
        """The attributes that the fields fill. Reports whatever is wrong at `place`."""
        known = self._jsonata if place.jsonata else self._jsonpath
        required = self._required_in_jsonata if place.jsonata else self._required_in_jsonpath
        attributes: Attributes = {}
        for name, member in value.items():
            field = known.get(name)
            if field is None:
                self._report_unknown(name, place)
                continue
            read = field.kind.read(member, place, name)
            if field.attribute:
                attributes[field.attribute] = read
                if field.text_attribute:
                    attributes[field.text_attribute] = member
        if not required <= value.keys():
            self._report_missing(required, value, place)
        if self.exclusive:
            self._check_groups(value, place)
        return attributes

    def schema(self, language: QueryLanguage) -> JsonObject:
        """The JSON Schema of the object in this query language."""
        known = self.of(language)
        schema: JsonObject = {
            "type": "object",
            "properties": {
                name: {**field.kind.schema(language), "description": field.description} for name, field in known.items()
            },
            "additionalProperties": False,
        }
        if required := [name for name, field in known.items() if field.required]:
            schema["required"] = list[JsonValue](required)
        return schema

    def _report_unknown(self, name: str, place: Place) -> None:
        if name in self.fields:
            place.error(
                f"the field '{name}' is not supported where QueryLanguage is '{place.language}'",
                name,
                code=DiagnosticCode.WRONG_QUERY_LANGUAGE,
                hint=_OTHER_LANGUAGE[place.language].get(name, ""),
            )
        else:
            place.error(
                f"the field '{name}' is not supported by {self.title}",
                name,
                code=DiagnosticCode.UNKNOWN_FIELD,
                hint=did_you_mean(name, self.of(place.language)),
            )

    def _report_missing(self, required: set[str], value: JsonObject, place: Place) -> None:
        missing = [name for name in self.fields if name in required and name not in value]
        place.error(f"These fields are required: [{', '.join(missing)}]")

    def _check_groups(self, value: JsonObject, place: Place) -> None:
        for group in self.exclusive:
            if len([name for name in group if name in value]) > 1:
                self._report_both(group, value, place)
        for group in self.exactly_one:
            if value.keys().isdisjoint(group):
                usable = [name for name in group if name in self.of(place.language)]
                place.error(f"exactly one of these fields is required: [{', '.join(usable)}]")

    def _report_both(self, group: tuple[str, ...], value: JsonObject, place: Place) -> None:
        given = [name for name in group if name in value and name in self.of(place.language)]
        if len(given) > 1:
            place.error(
                f"at most one of these fields can be given: [{', '.join(given)}]",
                given[-1],
                code=DiagnosticCode.EXCLUSIVE_FIELDS,
                hint=f"remove {' or '.join(given)}",
            )


def read_object(table: FieldTable, value: JsonValue, place: Place) -> Attributes:
    """Read an object by its table. Reports anything that is no object."""
    if isinstance(value, dict):
        return table.read(value, place)
    expected(place, "an object", value)
    return {}


def expected(place: Place, what: str, found: JsonValue, *keys: str | int) -> None:
    """Report a value of the wrong type."""
    hint = ""
    if isinstance(found, str) and "${" in found:
        hint = "a template's placeholder must be filled in, without its quotes where a number is expected"
    place.error(f"expected {what} but found {shown(found)}", *keys, hint=hint)


_OTHER_LANGUAGE: Mapping[QueryLanguage, Mapping[str, str]] = {
    QueryLanguage.JSONATA: {
        "InputPath": "select from $states.input in Arguments or Output",
        "OutputPath": "use Output",
        "ResultPath": "use Output, for example {% $merge([$states.input, {'result': $states.result}]) %}",
        "ResultSelector": "use Output with $states.result",
        "Parameters": "use Arguments",
        "Result": "use Output",
        "ItemsPath": "use Items",
        "SecondsPath": "use Seconds with a JSONata expression",
        "TimestampPath": "use Timestamp with a JSONata expression",
        "TimeoutSecondsPath": "use TimeoutSeconds with a JSONata expression",
        "HeartbeatSecondsPath": "use HeartbeatSeconds with a JSONata expression",
        "MaxConcurrencyPath": "use MaxConcurrency with a JSONata expression",
        "ToleratedFailureCountPath": "use ToleratedFailureCount with a JSONata expression",
        "ToleratedFailurePercentagePath": "use ToleratedFailurePercentage with a JSONata expression",
        "MaxItemsPath": "use MaxItems with a JSONata expression",
        "ErrorPath": "use Error with a JSONata expression",
        "CausePath": "use Cause with a JSONata expression",
        "Variable": "use Condition with a JSONata expression",
        "Iterator": "use ItemProcessor",
    },
    QueryLanguage.JSONPATH: {
        "Arguments": 'use Parameters, or set "QueryLanguage": "JSONata"',
        "Output": 'use ResultSelector, ResultPath and OutputPath, or set "QueryLanguage": "JSONata"',
        "Items": 'use ItemsPath, or set "QueryLanguage": "JSONata"',
        "Condition": 'use Variable and a comparison operator, or set "QueryLanguage": "JSONata"',
    },
}
