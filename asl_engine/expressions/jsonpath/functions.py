"""The functions that a path may end with: `$.numbers.max()`. Aggregates give a double, as Jayway's do.

https://github.com/json-path/JsonPath#functions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from asl_engine.errors import EvaluationError
from asl_engine.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Function:
    """What a function makes of a value, and whether it takes an integer."""

    apply: Callable[[JsonValue, int], JsonValue]
    takes_argument: bool = False


def _length(value: JsonValue, _argument: int) -> JsonValue:
    return len(value) if isinstance(value, (list, dict)) else None


def _keys(value: JsonValue, _argument: int) -> JsonValue:
    return list(value) if isinstance(value, dict) else None


def _item(value: JsonValue, index: int) -> JsonValue:
    if isinstance(value, list) and -len(value) <= index < len(value):
        return value[index]
    raise EvaluationError("States.Runtime", f"The array has no item {index}")


def _aggregate(aggregate: Callable[[list[int | float]], float]) -> Callable[[JsonValue, int], JsonValue]:
    def apply(value: JsonValue, _argument: int) -> JsonValue:
        items = value if isinstance(value, list) else []
        numbers = [item for item in items if isinstance(item, (int, float)) and not isinstance(item, bool)]
        if not numbers:
            reason = "Aggregation function attempted to calculate value using empty array"
            raise EvaluationError("States.Runtime", reason)
        try:
            result = float(aggregate(numbers))
        except OverflowError:
            result = math.inf
        if math.isinf(result):
            raise EvaluationError("States.Runtime", "The numbers are too large to aggregate")
        return result

    return apply


def _standard_deviation(numbers: list[int | float]) -> float:
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "length": Function(_length),
    "size": Function(_length),
    "keys": Function(_keys),
    "first": Function(lambda value, _argument: _item(value, 0)),
    "last": Function(lambda value, _argument: _item(value, -1)),
    "index": Function(_item, takes_argument=True),
    "min": Function(_aggregate(min)),
    "max": Function(_aggregate(max)),
    "sum": Function(_aggregate(sum)),
    "avg": Function(_aggregate(lambda numbers: sum(numbers) / len(numbers))),
    "stddev": Function(_aggregate(_standard_deviation)),
}
