"""Intrinsic functions for strings."""

from __future__ import annotations

import re

from asl_engine.expressions.extents import too_large
from asl_engine.expressions.intrinsic_functions.registry import (
    Anything,
    InvalidArgumentError,
    Result,
    String,
    Template,
    intrinsic,
)
from asl_engine.expressions.value_text import java_text
from asl_engine.json_value import JsonValue
from asl_engine.limits import EXPRESSION_RESULT_BYTES_MAX

_PLACEHOLDER = re.compile(r"\\(?P<escaped>.)|\{\}", re.DOTALL)


@intrinsic("States.Format", Template, repeats=Anything, result=Result.TEXT)
def format_template(template: str, *values: JsonValue) -> JsonValue:
    """The template with its `{}` replaced in order; `\\{` and `\\}` stand for braces."""
    left = iter(values)
    placeholders = characters = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal placeholders, characters
        if (escaped := found["escaped"]) is not None:
            return str(escaped)
        placeholders += 1
        shown = java_text(next(left, None))
        characters += len(shown)
        if characters > EXPRESSION_RESULT_BYTES_MAX:
            raise too_large()
        return shown

    text = _PLACEHOLDER.sub(replace, template)
    if placeholders != len(values):
        raise InvalidArgumentError(f"the template has {placeholders} placeholders but {len(values)} values are given")
    return text


@intrinsic("States.StringSplit", String, String)
def string_split(text: str, delimiters: str) -> JsonValue:
    """The parts between any of the delimiting characters; empty parts are dropped."""
    if not delimiters:
        return [text] if text else []
    return [part for part in re.split(f"[{re.escape(delimiters)}]", text) if part]
