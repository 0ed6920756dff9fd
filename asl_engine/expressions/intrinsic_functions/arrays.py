"""Intrinsic functions for arrays. Items are equal when their JSON is: 1, 1.0, true and "1" all differ."""

from __future__ import annotations

import json

from asl_engine.expressions.intrinsic_functions.registry import (
    Anything,
    Array,
    Integer,
    InvalidArgumentError,
    PositiveInteger,
    Result,
    intrinsic,
)
from asl_engine.json_value import JsonValue
from asl_engine.limits import ARRAY_RANGE_ITEMS_MAX


@intrinsic("States.Array", repeats=Anything)
def array(*items: JsonValue) -> JsonValue:
    """An array of the arguments."""
    return list(items)


@intrinsic("States.ArrayPartition", Array, PositiveInteger)
def array_partition(items: list[JsonValue], size: int) -> JsonValue:
    """The items in arrays of `size`; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


@intrinsic("States.ArrayContains", Array, Anything, result=Result.SMALL)
def array_contains(items: list[JsonValue], value: JsonValue) -> JsonValue:
    """Whether an item equals the value."""
    wanted = _identity(value)
    return any(type(item) is type(value) and _identity(item) == wanted for item in items)


@intrinsic("States.ArrayRange", Integer, Integer, Integer)
def array_range(first: int, last: int, step: int) -> JsonValue:
    """The numbers from first to last, both included, at most 1,000 of them."""
    if step == 0:
        raise InvalidArgumentError("the step must not be 0")
    numbers = range(first, last + (1 if step > 0 else -1), step)
    if (last - first) // step >= ARRAY_RANGE_ITEMS_MAX:
        raise InvalidArgumentError(f"the array cannot have more than {ARRAY_RANGE_ITEMS_MAX} items")
    return list(numbers)


@intrinsic("States.ArrayGetItem", Array, Integer)
def array_get_item(items: list[JsonValue], index: int) -> JsonValue:
    """The item at an index from 0."""
    if not 0 <= index < len(items):
        raise InvalidArgumentError(f"the index {index} is out of bounds for an array of length {len(items)}")
    return items[index]


@intrinsic("States.ArrayLength", Array, result=Result.SMALL)
def array_length(items: list[JsonValue]) -> JsonValue:
    """The number of items."""
    return len(items)


@intrinsic("States.ArrayUnique", Array)
def array_unique(items: list[JsonValue]) -> JsonValue:
    """The items without repetitions, in the order in which they first occur."""
    unique: dict[str, JsonValue] = {}
    for item in items:
        unique.setdefault(_identity(item), item)
    return list(unique.values())


def _identity(value: JsonValue) -> str:
    """The same text for equal values only. Python's own `==` takes True for 1 and 1.0."""
    return json.dumps(value, sort_keys=True)
