"""Text → a call: a name, and arguments that are literals, paths or calls.

Strings stand between single quotes; `\\'`, `\\{`, `\\}` and `\\\\` are the only escapes: AWS refuses all others.
https://states-language.net/spec.html#intrinsic-functions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.cursor import Cursor
from asl_engine.expressions.intrinsic_functions.registry import INTRINSIC_FUNCTIONS, IntrinsicFunction
from asl_engine.expressions.path import Path, compile_path
from asl_engine.json_value import JsonValue
from asl_engine.limits import INTRINSIC_NESTING_MAX

_NAME = re.compile(r"States\.\w*")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ILLEGAL_ESCAPE = re.compile(r"(?:[^\\]|\\['{}\\])*(\\[^'{}\\])", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,100}(?P<real>\.[0-9]{1,100})?(?P<exponent>[eE][+-]?[0-9]{1,2})?(?![\w.])")
_CONSTANT = re.compile(r"(?:true|false|null)(?!\w)")
_CONSTANTS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written as an argument. `escaped` is a string as written, for functions that read the escapes."""

    value: JsonValue
    escaped: JsonValue


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a known function with as many arguments as it takes."""

    function: IntrinsicFunction
    arguments: tuple[Argument, ...]
    text: str


Argument: TypeAlias = "Literal | Path | Call"


def parse_call(text: str) -> Call:
    """Raises InvalidExpression with the place of the mistake."""
    cursor = Cursor(text)
    call = _call(cursor, depth=1)
    cursor.skip_blanks()
    if not cursor.at_end:
        cursor.fail("expected the end of the expression after the call")
    return call


def _call(cursor: Cursor, depth: int) -> Call:
    start = cursor.position
    if depth > INTRINSIC_NESTING_MAX:
        cursor.fail(f"intrinsic functions may be nested {INTRINSIC_NESTING_MAX} deep")
    function = _function(cursor)
    cursor.expect("(")
    arguments = _arguments(cursor, depth)
    if not function.admits(len(arguments)):
        reason = f"{function.name} takes {function.arity} arguments, not {len(arguments)}"
        raise InvalidExpression(cursor.text, reason, position=start)
    return Call(function, tuple(arguments), cursor.text[start : cursor.position])


def _function(cursor: Cursor) -> IntrinsicFunction:
    start = cursor.position
    name = cursor.match(_NAME)
    if name is None:
        cursor.fail("expected an intrinsic function, States.…(…)")
    if name[0] not in INTRINSIC_FUNCTIONS:
        raise InvalidExpression(cursor.text, f"no intrinsic function is named {name[0]}", position=start)
    return INTRINSIC_FUNCTIONS[name[0]]


def _arguments(cursor: Cursor, depth: int) -> list[Argument]:
    """The arguments up to the closing parenthesis, which is read."""
    cursor.skip_blanks()
    if cursor.takes(")"):
        return []
    arguments: list[Argument] = []
    while True:
        cursor.skip_blanks()
        arguments.append(_argument(cursor, depth))
        cursor.skip_blanks()
        if cursor.takes(")"):
            return arguments
        cursor.expect(",")


def _argument(cursor: Cursor, depth: int) -> Argument:
    if cursor.sees("'"):
        return _string(cursor)
    if cursor.sees("$"):
        return _path(cursor)
    if cursor.sees("States."):
        return _call(cursor, depth + 1)
    if constant := cursor.match(_CONSTANT):
        return _literal(_CONSTANTS[constant[0]])
    number = cursor.match(_NUMBER)
    if number is None:
        cursor.fail("expected a 'string', a number, true, false, null, a path or a call")
    return _literal(float(number[0]) if number["real"] or number["exponent"] else int(number[0]))


def _literal(value: JsonValue) -> Literal:
    return Literal(value, value)


def _string(cursor: Cursor) -> Literal:
    start = cursor.position
    string = cursor.match(_STRING)
    if string is None:
        cursor.fail("the string has no end")
    if illegal := _ILLEGAL_ESCAPE.match(string[1]):
        reason = f"{illegal[1]} is no escape; the escapes are \\', \\{{, \\}} and \\\\"
        raise InvalidExpression(cursor.text, reason, position=start + 1 + illegal.start(1))
    return Literal(re.sub(r"\\(.)", r"\1", string[1]), string[1])


def _path(cursor: Cursor) -> Path:
    start = cursor.position
    cursor.position = _path_end(cursor.text, start)
    try:
        return compile_path(cursor.text[start : cursor.position].rstrip())
    except InvalidExpression as error:
        raise InvalidExpression(cursor.text, error.reason, position=start + (error.position or 0)) from error


def _path_end(text: str, start: int) -> int:
    """The comma or parenthesis that ends a path: one outside of all brackets, and of the quotes within brackets."""
    depth, quote, escaped = 0, "", False
    for position in range(start, len(text)):
        character = text[position]
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif depth and character in "'\"":
            quote = character
        elif depth == 0 and character in ",)":
            return position
        else:
            depth += (character in "([") - (character in ")]")
    return len(text)
