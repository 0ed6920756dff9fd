"""The comparisons of filters, as Jayway makes them. An operand that found nothing is ABSENT, and equals nothing.

Booleans are no numbers; a number equals the string that shows it; only two numbers or two strings are ordered.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from asl_engine.expressions.scope import ABSENT, Absent
from asl_engine.expressions.value_text import java_text
from asl_engine.json_value import JsonValue

Found: TypeAlias = "JsonValue | Absent"
Comparator: TypeAlias = Callable[[Any, Any], bool]

_NUMBERS: Final = (int, float)  # by type(), which tells a bool from an int


def _equal(left: Found, right: Found) -> bool:
    if type(left) is type(right) and not isinstance(left, (list, dict)):
        return left == right and left is not ABSENT
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        return _equal_containers(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right
    if isinstance(left, (int, float, str)) and isinstance(right, (int, float, str)):
        return java_text(left) == java_text(right)
    return False


def _equal_containers(left: Found, right: Found) -> bool:
    pairs = [(left, right)]
    while pairs:
        match pairs.pop():
            case (list() as ours, list() as theirs) if len(ours) == len(theirs):
                pairs.extend(zip(ours, theirs, strict=True))
            case (dict() as ours, dict() as theirs) if ours.keys() == theirs.keys():
                pairs.extend((ours[name], theirs[name]) for name in ours)
            case (list() | dict(), _) | (_, list() | dict()):
                return False
            case (ours, theirs) if not _equal(ours, theirs):
                return False
    return True


def _ordered(compare: Callable[[Any, Any], bool]) -> Comparator:
    def holds(left: Found, right: Found) -> bool:
        if type(left) is str:
            return type(right) is str and compare(left, right)
        return type(left) in _NUMBERS and type(right) in _NUMBERS and compare(left, right)

    return holds


def _in(left: Found, right: Found) -> bool:
    return isinstance(right, list) and any(_equal(left, item) for item in right)


def _contains(left: Found, right: Found) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left)


def _subset(left: Found, right: Found) -> bool:
    return isinstance(left, list) and all(_in(item, right) for item in left)


def _any_of(left: Found, right: Found) -> bool:
    return isinstance(left, list) and any(_in(item, right) for item in left)


def _size(left: Found, right: Found) -> bool:
    return isinstance(left, (list, str)) and type(right) is int and len(left) == right


def _empty(left: Found, right: Found) -> bool:
    return isinstance(left, (list, str)) and isinstance(right, bool) and (not left) is right


OPERATORS: Final[Mapping[str, Comparator]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _in,
    "nin": lambda left, right: not _in(left, right),
    "contains": _contains,
    "subsetof": _subset,
    "anyof": _any_of,
    "noneof": lambda left, right: isinstance(left, list) and not _any_of(left, right),
    "size": _size,
    "empty": _empty,
}
