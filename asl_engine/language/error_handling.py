"""`Retry` and `Catch`: what happens after an error.

https://states-language.net/spec.html#errors. `States.ALL` stands alone in its rule, and its rule is the last.
"""

from __future__ import annotations

from typing import Any, Final

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Catcher, JitterStrategy, QueryLanguage, Retrier
from asl_engine.language.diagnostics import DiagnosticCode
from asl_engine.language.fields import Field, FieldTable, expected, read_object
from asl_engine.language.kinds import Custom, Number, OneOf, StateName
from asl_engine.language.place import Place
from asl_engine.language.state_fields import ASSIGN, COMMENT, OUTPUT, RESULT_PATH, discards_result

_SECONDS_MAX: Final = 99_999_999
_MAX_DELAY_SECONDS_MAX: Final = 31_622_400


def _read_error_equals(value: JsonValue, place: Place, name: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        expected(place, "an array of error names", value, name)
        return ()
    if not value:
        place.error("Value cannot be empty", name, hint='name the errors, or write ["States.ALL"]')
    names = []
    for index, error in enumerate(value):
        if isinstance(error, str):
            names.append(error)
        else:
            expected(place, "an error name", error, name, index)
    if "States.ALL" in names and len(names) > 1:
        place.error(
            "States.ALL must be the only error of its rule",
            name,
            code=DiagnosticCode.INVALID_ERROR_EQUALS,
            hint="States.ALL covers the others: give it a rule of its own, after this one",
        )
    return tuple(names)


_ERROR_EQUALS: Final = Field(
    "ErrorEquals",
    Custom(
        _read_error_equals,
        lambda _language: {"type": "array", "minItems": 1, "items": {"type": "string"}},
    ),
    "The error names that the rule is for.",
    "error_equals",
    required=True,
)
RETRIER: Final = FieldTable(
    "a retrier",
    _ERROR_EQUALS,
    Field(
        "IntervalSeconds",
        Number(least=1, most=_SECONDS_MAX),
        "Seconds before the first retry. Default 1.",
        "interval_seconds",
    ),
    Field(
        "MaxAttempts",
        Number(least=0, most=_SECONDS_MAX),
        "How often to retry; 0 never. Default 3.",
        "max_attempts",
    ),
    Field(
        "BackoffRate",
        Number(least=1, fractions=True),
        "By what the interval grows with each retry. Default 2.0.",
        "backoff_rate",
    ),
    Field(
        "MaxDelaySeconds",
        Number(least=1, most=_MAX_DELAY_SECONDS_MAX),
        "The longest that an interval can grow.",
        "max_delay_seconds",
    ),
    Field(
        "JitterStrategy",
        OneOf(tuple(JitterStrategy), JitterStrategy),
        "FULL draws each interval at random between 0 and its length. Default NONE.",
        "jitter_strategy",
    ),
    COMMENT,
)
CATCHER: Final = FieldTable(
    "a catcher",
    _ERROR_EQUALS,
    Field("Next", StateName(), "The state that handles the error.", "next", required=True),
    RESULT_PATH,
    ASSIGN,
    OUTPUT,
    COMMENT,
)


def _read_retry(value: JsonValue, place: Place, name: str) -> tuple[Retrier, ...]:
    errors = place.compilation.problems.errors
    rules = _read_rules(RETRIER, value, place, name)
    for index, attributes in enumerate(rules):
        longest, interval = attributes.get("max_delay_seconds"), attributes.get("interval_seconds", 1)
        if longest is not None and longest <= interval:
            place.error(
                f"MaxDelaySeconds must be greater than IntervalSeconds, which is {interval}",
                name,
                index,
                "MaxDelaySeconds",
            )
    if place.compilation.problems.errors > errors:
        return ()
    return tuple(Retrier(**attributes) for attributes in rules)


def _read_catch(value: JsonValue, place: Place, name: str) -> tuple[Catcher, ...]:
    errors = place.compilation.problems.errors
    rules = _read_rules(CATCHER, value, place, name)
    if place.compilation.problems.errors > errors or not isinstance(value, list):
        return ()
    for attributes, rule in zip(rules, value, strict=True):
        if isinstance(rule, dict) and discards_result(rule):
            attributes["discards_result"] = True
    return tuple(Catcher(**attributes) for attributes in rules)


def _read_rules(table: FieldTable, value: JsonValue, place: Place, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        expected(place, "an array", value, name)
        return []
    rules = [read_object(table, rule, place.at(name, index)) for index, rule in enumerate(value)]
    for index, attributes in enumerate(rules[:-1]):
        if "States.ALL" in attributes.get("error_equals", ()):
            place.error(
                "the rule for States.ALL must be the last",
                name,
                index,
                "ErrorEquals",
                code=DiagnosticCode.INVALID_ERROR_EQUALS,
                hint="move it to the end: the rules after it can never apply",
            )
    return rules


def _rules_schema(table: FieldTable, language: QueryLanguage) -> JsonObject:
    return {"type": "array", "items": table.schema(language)}


RETRY: Final = Field(
    "Retry",
    Custom(_read_retry, lambda language: _rules_schema(RETRIER, language)),
    "Rules for trying again after an error, the first that matches.",
    "retry",
)
CATCH: Final = Field(
    "Catch",
    Custom(_read_catch, lambda language: _rules_schema(CATCHER, language)),
    "Rules for going on after an error that retries did not cure.",
    "catch",
)
