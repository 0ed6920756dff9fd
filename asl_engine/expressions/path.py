"""Paths: where a value is read from. `$…` is the input, `$$…` the Context object, `$name…` a workflow variable.

Reference paths have their own reader; the rest of JSONPath is imported only by who uses it.
https://states-language.net/spec.html#path
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from asl_engine.errors import InvalidExpression, PathNotFound
from asl_engine.expressions.extents import UNKNOWN_GROWTH, may_be_large
from asl_engine.expressions.reference_path import Read, Segment, parse_segments, reader
from asl_engine.expressions.scope import Scope
from asl_engine.json_value import JsonValue

if TYPE_CHECKING:  # a call has paths as arguments, so the modules need each other; few definitions need calls
    from asl_engine.expressions.intrinsic_functions import Intrinsic

Sources: TypeAlias = "tuple[tuple[Segment, ...], ...]"

_VARIABLE = re.compile(r"[^\W\d]\w*")
_MEMBER = re.compile(r"\$\.([^\W\d]\w*)")


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path. `is_reference` tells whether it can name only one node.

    `sources` are the places that its value is made of, each as the root and the segments that lead there.
    """

    text: str
    is_reference: bool
    sources: Sources
    references_variables: frozenset[str]
    evaluate: Callable[[Scope], JsonValue]
    """The value found. Raises PathNotFound where a definite path leads nowhere."""


def compile_path(text: str) -> Path:
    """Raises InvalidExpression for what is no path."""
    if not text.startswith("$"):
        raise InvalidExpression(text, "a path begins with $", position=0)
    if text.startswith("$$"):
        segments, read = _compile_after_root(text, 2)
        return _path(text, "$$", segments, frozenset(), _context_reader(read))
    if variable := _VARIABLE.match(text, 1):
        name = variable[0]
        segments, read = _compile_after_root(text, variable.end())
        return _path(text, f"${name}", segments, frozenset({name}), _variable_reader(name, read, text))
    segments, read = _compile_after_root(text, 1)
    return _path(text, "$", segments, frozenset(), _input_reader(text, read))


def _path(
    text: str,
    root: str,
    segments: tuple[Segment, ...] | None,
    variables: frozenset[str],
    evaluate: Callable[[Scope], JsonValue],
) -> Path:
    if segments is None:
        return Path(text, False, ((root,),), variables, _query(evaluate))
    return Path(text, True, ((root, *segments),), variables, evaluate)


def _query(evaluate: Callable[[Scope], JsonValue]) -> Callable[[Scope], JsonValue]:
    """The nodes that a query finds may be inside of each other, so together they may be larger than what it read."""

    def find(scope: Scope) -> JsonValue:
        found = evaluate(scope)
        if may_be_large(found):
            scope.growth = UNKNOWN_GROWTH
        return found

    return find


def compile_path_or_intrinsic(text: str) -> Path | Intrinsic:
    """What the value of an `X.$` member, an ErrorPath or a CausePath may be. Raises InvalidExpression."""
    if text.startswith("$"):
        return compile_path(text)
    if not text.startswith("States."):
        reason = "expected a path that begins with $ or an intrinsic function call such as States.Format('{}', $.name)"
        raise InvalidExpression(text, reason, position=0)
    from asl_engine.expressions.intrinsic_functions import compile_intrinsic

    return compile_intrinsic(text)


def _compile_after_root(text: str, start: int) -> tuple[tuple[Segment, ...] | None, Read]:
    """The segments of a reference path, None for any other, and what reads it."""
    segments, end = parse_segments(text, start)
    if end == len(text.rstrip()):
        return segments, reader(segments, text)
    from asl_engine.expressions.jsonpath.compiler import compile_query

    return None, compile_query(text, start)


def _input(scope: Scope) -> JsonValue:
    return scope.input


def _input_reader(text: str, read: Read) -> Callable[[Scope], JsonValue]:
    if text == "$":
        return _input
    if member := _MEMBER.fullmatch(text):
        return _member_reader(member[1], read)
    return lambda scope: read(scope.input)


def _member_reader(name: str, read: Read) -> Callable[[Scope], JsonValue]:
    """`$.name`, what most paths are, in one call. Where nothing is found, `read` says so."""

    def evaluate(scope: Scope) -> JsonValue:
        try:
            return scope.input[name]  # type: ignore[index, call-overload]
        except (KeyError, TypeError):
            return read(scope.input)

    return evaluate


def _context_reader(read: Read) -> Callable[[Scope], JsonValue]:
    return lambda scope: read(scope.context())


def _variable_reader(name: str, read: Read, text: str) -> Callable[[Scope], JsonValue]:
    def evaluate(scope: Scope) -> JsonValue:
        if name not in scope.variables:
            _raise_undefined(name, text)
        return read(scope.variables[name])

    return evaluate


def _raise_undefined(name: str, text: str) -> NoReturn:
    raise PathNotFound(text, f"No results for path: $['{name}']")
