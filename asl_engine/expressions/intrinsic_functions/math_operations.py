"""Intrinsic functions for numbers. AWS rounds arguments that are no integers."""

from __future__ import annotations

from typing import Final

from asl_engine.expressions.intrinsic_functions.registry import (
    Anything,
    Integer,
    InvalidArgumentError,
    Result,
    intrinsic,
)
from asl_engine.expressions.scope import Entropy
from asl_engine.json_value import JsonValue, dump_json

_BITS_MAX: Final = 14_000  # Python writes down no integer of more than 4,300 digits


@intrinsic("States.MathAdd", Integer, Integer, result=Result.SMALL)
def math_add(first: int, second: int) -> JsonValue:
    """The sum."""
    total = first + second
    if total.bit_length() > _BITS_MAX:
        raise InvalidArgumentError("the sum has too many digits")
    return total


@intrinsic("States.MathRandom", Integer, Integer, Anything, optional=1, draws=True, result=Result.SMALL)
def math_random(entropy: Entropy, start: int, end: int, *seed: JsonValue) -> JsonValue:
    """An integer from start, included, to end, excluded. The same seed always gives the same one."""
    if start >= end:
        raise InvalidArgumentError(f"the start {start} must be below the end {end}")
    source = Entropy(f"States.MathRandom {dump_json(seed[0])}") if seed else entropy
    return start + (int(source.random() * (1 << 56)) * (end - start) >> 56)  # exact for integers of any size
