"""Intrinsic functions for JSON."""

from __future__ import annotations

from asl_engine.expressions.intrinsic_functions.registry import (
    Anything,
    Boolean,
    InvalidArgumentError,
    Object,
    Result,
    String,
    intrinsic,
)
from asl_engine.expressions.value_text import java_json
from asl_engine.json_value import JsonObject, JsonValue, parse_json


@intrinsic("States.StringToJson", String)
def string_to_json(text: str) -> JsonValue:
    """The value of a JSON text; null for a blank one, as on AWS."""
    return parse_json(text) if text.strip() else None


@intrinsic("States.JsonToString", Anything, result=Result.TEXT)
def json_to_string(value: JsonValue) -> JsonValue:
    """The compact JSON text of a value."""
    return java_json(value)


@intrinsic("States.JsonMerge", Object, Object, Boolean)
def json_merge(first: JsonObject, second: JsonObject, deep: bool) -> JsonValue:
    """Both objects' members; the second's win. AWS offers no deep merge."""
    if deep:
        raise InvalidArgumentError("the third argument must be false: only shallow merging is supported")
    return {**first, **second}
