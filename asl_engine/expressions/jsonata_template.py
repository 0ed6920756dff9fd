"""JSONata templates: any JSON value whose strings may be expressions, such as Output, Arguments and Assign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.jsonata import compile_jsonata, delimiter_problem, expression_text, is_expression
from asl_engine.expressions.scope import Constant, Expression, Scope
from asl_engine.json_value import JsonValue

Problem: TypeAlias = tuple[tuple[str | int, ...], InvalidExpression]


def compile_jsonata_template(
    value: JsonValue,
    *,
    field: str,
    problems: list[Problem] | None = None,
    absent: frozenset[str] = frozenset(),
) -> Expression:
    """Compile a value with expressions at any depth; parts without any are returned as they are, the same object.

    `field` names the place as AWS does; an expression inside it is at "Output/total" or "Output/0"; `absent` is
    what `$states` does not have there. Raises InvalidExpression at the first problem, or adds each to `problems`, where
    given, with its path of keys.
    """
    return _Compilation(problems, absent).part(value, field, ())


@dataclass(frozen=True, slots=True)
class _Template:
    """An object or array in which some parts are expressions. `shape` is the whole value, so that order is kept."""

    shape: dict[str, JsonValue] | list[JsonValue]
    parts: tuple[tuple[str | int, Expression], ...]

    def evaluate(self, scope: Scope) -> JsonValue:
        filled: Any = self.shape.copy()  # keys of an object are strings, those of an array integers
        for key, part in self.parts:
            filled[key] = part.evaluate(scope)
        value: JsonValue = filled
        return value


@dataclass(frozen=True, slots=True)
class _Compilation:
    problems: list[Problem] | None
    absent: frozenset[str]

    def part(self, value: JsonValue, field: str, path: tuple[str | int, ...]) -> Expression:
        held: Iterable[tuple[str | int, JsonValue]]
        match value:
            case str():
                return self._string(value, field, path)
            case dict():
                held = value.items()
            case list():
                held = enumerate(value)
            case _:
                return Constant(value)
        parts: list[tuple[str | int, Expression]] = []
        for key, inner in held:
            part = self.part(inner, f"{field}/{key}", (*path, key))
            if not isinstance(part, Constant):
                parts.append((key, part))
        return _Template(value, tuple(parts)) if parts else Constant(value)

    def _string(self, value: str, field: str, path: tuple[str | int, ...]) -> Expression:
        try:
            return _compile_string(value, field, self.absent)
        except InvalidExpression as error:
            if self.problems is None:
                raise
            self.problems.append((path, error))
            return Constant(value)


def _compile_string(value: str, field: str, absent: frozenset[str]) -> Expression:
    if is_expression(value):
        return compile_jsonata(expression_text(value), field=field, absent=absent)
    problem = delimiter_problem(value)
    if problem is not None:
        raise InvalidExpression(value, problem)
    return Constant(value)
