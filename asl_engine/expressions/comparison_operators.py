"""The comparison operators of Choice rules, one row each.

A value of another type than the operator compares is no error: the comparison is false. Booleans are no numbers here,
and strings are timestamps only where they parse as such.
https://states-language.net/spec.html#choice-state
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from asl_engine.expressions.scope import ABSENT, Absent
from asl_engine.expressions.timestamps import parse_instant
from asl_engine.json_value import JsonValue

Test: TypeAlias = "Callable[[JsonValue | Absent], bool]"


class OperandType(StrEnum):
    """What an operator compares with."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class ComparisonOperator:
    """A row of the table. `against` prepares an operand; the test it gives never raises.

    The test of an operand of the wrong type holds for nothing: the parser refuses such operands where they are
    written, and those that a `…Path` finds are only known at run time.
    """

    name: str
    operand_type: OperandType
    against: Callable[[JsonValue], Test]
    has_path_form: bool

    def predicate(self, value: JsonValue | Absent, operand: JsonValue) -> bool:
        """Whether the comparison holds."""
        return self.against(operand)(value)


def accepts(operand_type: OperandType, operand: JsonValue) -> bool:
    """Whether a value has the type that an operator compares with."""
    match operand_type, operand:
        case OperandType.BOOLEAN, bool():
            return True
        case OperandType.NUMBER, int() | float():
            return not isinstance(operand, bool)
        case OperandType.STRING, str():
            return True
        case OperandType.TIMESTAMP, str():
            return parse_instant(operand) is not None
    return False


def _never(_value: JsonValue | Absent) -> bool:
    return False


def _strings(compare: Callable[[str, str], bool]) -> Callable[[JsonValue], Test]:
    def against(operand: JsonValue) -> Test:
        if not isinstance(operand, str):
            return _never
        return lambda value: isinstance(value, str) and compare(value, operand)

    return against


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[JsonValue], Test]:
    def against(operand: JsonValue) -> Test:
        if not accepts(OperandType.NUMBER, operand):
            return _never
        return lambda value: (type(value) is int or type(value) is float) and compare(value, operand)

    return against


def _booleans(operand: JsonValue) -> Test:
    if not isinstance(operand, bool):
        return _never
    return lambda value: value is operand


def _timestamps(compare: Callable[[Any, Any], bool]) -> Callable[[JsonValue], Test]:
    def against(operand: JsonValue) -> Test:
        wanted = parse_instant(operand) if isinstance(operand, str) else None

        def test(value: JsonValue | Absent) -> bool:
            instant = parse_instant(value) if isinstance(value, str) else None
            return instant is not None and wanted is not None and compare(instant, wanted)

        return test

    return against


def _matches(operand: JsonValue) -> Test:
    """`*` stands for any characters, `\\*` and `\\\\` for themselves. Chunks are sought in order: no backtracking."""
    if not isinstance(operand, str):
        return _never
    first, *middle = _chunks(operand)
    if not middle:
        return lambda value: value == first and isinstance(value, str)
    last = middle.pop()

    def test(value: JsonValue | Absent) -> bool:
        if not isinstance(value, str) or len(value) < len(first) + len(last) or not value.startswith(first):
            return False
        position, end = len(first), len(value) - len(last)
        for chunk in middle:
            found = value.find(chunk, position, end)
            if found < 0:
                return False
            position = found + len(chunk)
        return value.endswith(last)

    return test


def _chunks(pattern: str) -> list[str]:
    """The texts between the stars that are not escaped."""
    chunks = [""]
    for character in re.findall(r"\\[*\\]|.", pattern, re.DOTALL):
        if character == "*":
            chunks.append("")
        else:
            chunks[-1] += character[-1]
    return chunks


def _is(has_type: Callable[[JsonValue | Absent], bool]) -> Callable[[JsonValue], Test]:
    def against(operand: JsonValue) -> Test:
        if not isinstance(operand, bool):
            return _never
        return lambda value: has_type(value) is operand

    return against


def _is_numeric(value: JsonValue | Absent) -> bool:
    return type(value) is int or type(value) is float


def _is_timestamp(value: JsonValue | Absent) -> bool:
    return isinstance(value, str) and parse_instant(value) is not None


_ORDERINGS: Final = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_IS: Final[Mapping[str, Callable[[JsonValue | Absent], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsPresent": lambda value: value is not ABSENT,
    "IsNumeric": _is_numeric,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": _is_timestamp,
}


def _rows() -> list[ComparisonOperator]:
    return [
        *(ComparisonOperator(f"String{n}", OperandType.STRING, _strings(f), True) for n, f in _ORDERINGS.items()),
        *(ComparisonOperator(f"Numeric{n}", OperandType.NUMBER, _numbers(f), True) for n, f in _ORDERINGS.items()),
        *(
            ComparisonOperator(f"Timestamp{n}", OperandType.TIMESTAMP, _timestamps(f), True)
            for n, f in _ORDERINGS.items()
        ),
        ComparisonOperator("BooleanEquals", OperandType.BOOLEAN, _booleans, True),
        ComparisonOperator("StringMatches", OperandType.STRING, _matches, False),
        *(ComparisonOperator(name, OperandType.BOOLEAN, _is(test), False) for name, test in _IS.items()),
    ]


OPERATORS: Final[Mapping[str, ComparisonOperator]] = {row.name: row for row in _rows()}
