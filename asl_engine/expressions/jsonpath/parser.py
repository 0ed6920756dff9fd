"""Text → steps, by recursive descent over Jayway's grammar.

Beyond Jayway it takes what Step Functions is known to take: bare words as strings in filters (`@.Name == Receipt`), a
dot before a bracket, and `[(@.length-1)]` for the last item.
https://github.com/json-path/JsonPath#operators
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.cursor import Cursor
from asl_engine.expressions.jsonpath.conditions import OPERATORS
from asl_engine.expressions.jsonpath.functions import FUNCTIONS
from asl_engine.expressions.jsonpath.regular_expression import RegularExpression, compile_regular_expression
from asl_engine.expressions.jsonpath.syntax import (
    Call,
    Comparison,
    Condition,
    Conjunction,
    Descent,
    Disjunction,
    Everything,
    Exists,
    Filter,
    ItemRange,
    Items,
    Literal,
    Member,
    Members,
    Negation,
    Operand,
    Query,
    Step,
)
from asl_engine.expressions.reference_path import NAME, unescape_name, unescape_quoted
from asl_engine.json_value import JsonValue
from asl_engine.limits import FILTER_NESTING_MAX

_NAME = re.compile(NAME, re.DOTALL)
_NAME_IN_FILTER = re.compile(r"(?:[^\s.\[\]()'\",*\\=<>!&|~]|\\.)+", re.DOTALL)
_CALL = re.compile(r"([A-Za-z]+)\(\s*(-?[0-9]{1,15})?\s*\)")
_QUOTED = re.compile(r"'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_FROM_THE_END = re.compile(r"\(\s*@\.length(?:\(\))?\s*-\s*([0-9]{1,15})\s*\)")
_NUMBER = re.compile(r"-?[0-9]{1,100}(?P<real>\.[0-9]{1,100})?(?P<exponent>[eE][+-]?[0-9]{1,2})?")
_WORD = re.compile(r"[^\s()&|=!<>~,\[\]'\"/]+")
_OPERATOR = re.compile(r"=~|[=!]=|[<>]=?|[a-z]+")
_MATCHES = "=~"
_PATTERN = re.compile(r"/(?P<body>(?:[^/\\]|\\.)*)/(?P<flags>[a-z]*)", re.DOTALL)
_Item = TypeVar("_Item")
_CONSTANTS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}


def parse_query(text: str, start: int) -> Query:
    """The steps from `start` to the end of the text. Raises InvalidExpression."""
    cursor = Cursor(text.rstrip(), start)
    steps = _steps(cursor, depth=0)
    if not cursor.at_end:
        cursor.fail("expected .name, ['name'], [index], [*], [start:stop], [?(…)] or the end of the path")
    return Query(from_root=True, steps=steps)


def _steps(cursor: Cursor, depth: int) -> tuple[Step, ...]:
    steps: list[Step] = []
    while cursor.sees(".") or cursor.sees("["):
        if cursor.takes(".."):
            steps.append(Descent())
        elif cursor.takes(".") and cursor.at_end:
            cursor.fail("a path cannot end with a dot")
        if steps and isinstance(steps[-1], Call):
            cursor.fail("a function ends the path")
        step = _step(cursor, depth)
        if steps[-1:] == [Descent()] and isinstance(step, Call):
            cursor.fail("a function cannot follow ..")
        steps.append(step)
    return tuple(steps)


def _step(cursor: Cursor, depth: int) -> Step:
    if cursor.takes("["):
        cursor.skip_blanks()
        step = _bracketed(cursor, depth)
        cursor.skip_blanks()
        cursor.expect("]")
        return step
    if cursor.takes("*"):
        return Everything()
    if call := cursor.match(_CALL):
        return _call(cursor, call)
    name = cursor.match(_NAME_IN_FILTER if depth else _NAME)
    if name is None:
        cursor.fail("expected a name, * or [")
    return Member(unescape_name(name[0]))


def _call(cursor: Cursor, call: re.Match[str]) -> Call:
    function = FUNCTIONS.get(call[1])
    if function is None:
        raise InvalidExpression(cursor.text, f"no function is named {call[1]}()", position=call.start())
    if function.takes_argument is not (call[2] is not None):
        needs = "an integer" if function.takes_argument else "no argument"
        raise InvalidExpression(cursor.text, f"{call[1]}() takes {needs}", position=call.start())
    return Call(call[1], int(call[2]) if call[2] else None)


def _bracketed(cursor: Cursor, depth: int) -> Step:
    if cursor.takes("*"):
        return Everything()
    if cursor.takes("?"):
        return _filter(cursor, depth)
    if cursor.sees("'") or cursor.sees('"'):
        names = _separated(cursor, _quoted)
        return Member(names[0]) if len(names) == 1 else Members(tuple(names))
    if script := cursor.match(_FROM_THE_END):
        return Items((-int(script[1]),))
    return _positions(cursor)


def _filter(cursor: Cursor, depth: int) -> Filter:
    cursor.skip_blanks()
    cursor.expect("(")
    condition = _disjunction(cursor, depth + 1)
    cursor.expect(")")
    return Filter(condition)


def _positions(cursor: Cursor) -> Step:
    start = _integer(cursor)
    if cursor.sees(":"):
        return _range(cursor, start)
    if start is None:
        cursor.fail("expected an index, a quoted name, * or ?(…)")
    indexes = [start]
    while cursor.takes(","):
        cursor.skip_blanks()
        following = _integer(cursor)
        if following is None:
            cursor.fail("expected an index")
        indexes.append(following)
    return Items(tuple(indexes))


def _range(cursor: Cursor, start: int | None) -> ItemRange:
    cursor.expect(":")
    cursor.skip_blanks()
    stop, step = _integer(cursor), None
    if cursor.takes(":"):
        step = _integer(cursor)
        if step == 0:
            cursor.fail("the step of a slice cannot be 0")
    return ItemRange(start, stop, step)


def _integer(cursor: Cursor) -> int | None:
    digits = cursor.match(_INTEGER)
    cursor.skip_blanks()
    return int(digits[0]) if digits else None


def _separated(cursor: Cursor, parse_item: Callable[[Cursor], _Item]) -> list[_Item]:
    items = [parse_item(cursor)]
    cursor.skip_blanks()
    while cursor.takes(","):
        cursor.skip_blanks()
        items.append(parse_item(cursor))
        cursor.skip_blanks()
    return items


def _quoted(cursor: Cursor) -> str:
    string = cursor.match(_QUOTED)
    if string is None:
        cursor.fail("expected a quoted name")
    if (single := string["single"]) is not None:
        return unescape_quoted(single, "'")
    return unescape_quoted(string["double"], '"')


def _disjunction(cursor: Cursor, depth: int) -> Condition:
    if depth > FILTER_NESTING_MAX:
        cursor.fail(f"filters may be nested {FILTER_NESTING_MAX} deep")
    conditions = [_conjunction(cursor, depth)]
    while cursor.takes("||"):
        conditions.append(_conjunction(cursor, depth))
    return conditions[0] if len(conditions) == 1 else Disjunction(tuple(conditions))


def _conjunction(cursor: Cursor, depth: int) -> Condition:
    conditions = [_condition(cursor, depth)]
    while cursor.takes("&&"):
        conditions.append(_condition(cursor, depth))
    return conditions[0] if len(conditions) == 1 else Conjunction(tuple(conditions))


def _condition(cursor: Cursor, depth: int) -> Condition:
    negated = False
    cursor.skip_blanks()
    while cursor.takes("!"):
        negated = not negated
        cursor.skip_blanks()
    if cursor.takes("("):
        condition = _disjunction(cursor, depth + 1)
        cursor.expect(")")
    else:
        condition = _comparison(cursor, depth)
    cursor.skip_blanks()
    return Negation(condition) if negated else condition


def _comparison(cursor: Cursor, depth: int) -> Condition:
    left = _operand(cursor, depth)
    cursor.skip_blanks()
    operator = cursor.match(_OPERATOR)
    if operator is None:
        if not isinstance(left, Query):
            cursor.fail("expected a comparison")
        return Exists(left)
    if operator[0] != _MATCHES and operator[0] not in OPERATORS:
        raise InvalidExpression(cursor.text, f"no operator is named {operator[0]}", position=operator.start())
    cursor.skip_blanks()
    position = cursor.position
    right = _operand(cursor, depth)
    if (operator[0] == _MATCHES) is not isinstance(right, RegularExpression) or isinstance(left, RegularExpression):
        raise InvalidExpression(cursor.text, "=~ compares a value with a /pattern/", position=position)
    return Comparison(left, operator[0], right)


def _operand(cursor: Cursor, depth: int) -> Operand:
    if cursor.takes("@"):
        return Query(from_root=False, steps=_steps(cursor, depth))
    if cursor.takes("$"):
        return Query(from_root=True, steps=_steps(cursor, depth))
    if cursor.sees("/"):
        return _pattern(cursor)
    return Literal(_literal(cursor, depth))


def _pattern(cursor: Cursor) -> RegularExpression:
    position = cursor.position
    pattern = cursor.match(_PATTERN)
    if pattern is None:
        cursor.fail("the pattern has no end")
    try:
        return compile_regular_expression(pattern["body"], pattern["flags"])
    except ValueError as error:
        raise InvalidExpression(cursor.text, f"invalid pattern: {error}", position=position) from error


def _literal(cursor: Cursor, depth: int) -> JsonValue:
    if cursor.sees("'") or cursor.sees('"'):
        return _quoted(cursor)
    if cursor.takes("["):
        return _list(cursor, depth)
    word = cursor.match(_WORD)
    if word is None:
        cursor.fail("expected a path, a string, a number, true, false, null or a list")
    return _CONSTANTS[word[0]] if word[0] in _CONSTANTS else _number_or_word(word[0])


def _number_or_word(word: str) -> JsonValue:
    number = _NUMBER.fullmatch(word)
    if number is None:
        return word
    return float(word) if number["real"] or number["exponent"] else int(word)


def _list(cursor: Cursor, depth: int) -> JsonValue:
    if depth >= FILTER_NESTING_MAX:
        cursor.fail(f"lists may be nested {FILTER_NESTING_MAX} deep")
    cursor.skip_blanks()
    items = [] if cursor.sees("]") else _separated(cursor, partial(_literal, depth=depth + 1))
    cursor.expect("]")
    return items
