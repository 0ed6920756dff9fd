"""Intrinsic functions for strings."""

from __future__ import annotations

import re

from asl_engine.expressions.intrinsic_functions.registry import (
    Anything,
    InvalidArgumentError,
    String,
    Template,
    intrinsic,
)
from asl_engine.expressions.value_text import java_text
from asl_engine.json_value import JsonValue

_PLACEHOLDER = re.compile(r"\\(?P<escaped>.)|\{\}", re.DOTALL)


@intrinsic("States.Format", Template, repeats=Anything)
def format_template(template: str, *values: JsonValue) -> JsonValue:
    """The template with its `{}` replaced in order; `\\{` and `\\}` stand for braces."""
    left = iter(values)
    placeholders = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal placeholders
        if (escaped := found["escaped"]) is not None:
            return str(escaped)
        placeholders += 1
        return java_text(next(left, None))

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
