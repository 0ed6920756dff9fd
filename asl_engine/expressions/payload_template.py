"""Payload templates: JSON in which a member named `X.$` becomes `X` with the value of a path or an intrinsic function.

Everything else is literal, also strings that look like paths; objects within arrays are templates again. A part without
such members is returned as the object it is in the definition, since values are never changed in place.
https://states-language.net/spec.html#payload-template
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from asl_engine.errors import EvaluationError, InvalidExpression, PathNotFound
from asl_engine.expressions.path import compile_path_or_intrinsic
from asl_engine.expressions.scope import Constant, Expression, Scope
from asl_engine.expressions.value_text import json_text
from asl_engine.json_value import JsonObject, JsonValue, json_type
from asl_engine.limits import TEMPLATE_DEPTH_MAX

Location: TypeAlias = tuple[str | int, ...]
Problems: TypeAlias = list[tuple[Location, InvalidExpression]]
Build: TypeAlias = Callable[[Scope], JsonValue]


@dataclass(frozen=True, slots=True)
class PayloadTemplate:
    """A template with at least one dynamic member."""

    references_variables: frozenset[str]
    evaluate: Build
    """The payload. Raises EvaluationError, for a path that finds nothing with the name of its member."""


def compile_template(value: JsonValue, *, field: str, problems: Problems | None = None) -> Expression:
    """Compile a template. `field` is the field it stands in, which errors name.

    Raises the first InvalidExpression, unless `problems` is given: then each is appended with its place in the value.
    """
    compilation = _Compilation(field, [] if problems is None else problems, set())
    build = compilation.compile(value, ())
    if problems is None and compilation.problems:
        raise compilation.problems[0][1]
    return Constant(value) if build is None else PayloadTemplate(frozenset(compilation.variables), build)


@dataclass(frozen=True, slots=True)
class _Compilation:
    """What is gathered while a template is compiled."""

    field: str
    problems: Problems
    variables: set[str]

    def compile(self, value: JsonValue, place: Location) -> Build | None:
        """What builds the value at a place, or None where it is constant."""
        if len(place) > TEMPLATE_DEPTH_MAX:
            self.problems.append((place, InvalidExpression("", f"{self.field} is nested too deeply")))
            return None
        match value:
            case dict():
                return self._compile_object(value, place)
            case list():
                return self._compile_array(value, place)
        return None

    def _compile_object(self, template: JsonObject, place: Location) -> Build | None:
        blank: JsonObject = {}
        builds: list[tuple[str, Build]] = []
        for name, value in template.items():
            dynamic = name.endswith(".$")
            target = name.removesuffix(".$")
            if target in blank:
                self._refuse((*place, name), name, f"{target} is given twice, with and without .$")
            build = (
                self._compile_dynamic(name, value, (*place, name)) if dynamic else self.compile(value, (*place, name))
            )
            blank[target] = None if build is not None else value
            if build is not None:
                builds.append((target, build))
        return _object_builder(blank, builds) if builds else None

    def _compile_array(self, template: list[JsonValue], place: Location) -> Build | None:
        compiled = [(index, self.compile(item, (*place, index))) for index, item in enumerate(template)]
        builds = [(index, build) for index, build in compiled if build is not None]
        return _array_builder(template, builds) if builds else None

    def _compile_dynamic(self, name: str, value: JsonValue, place: Location) -> Build | None:
        if not isinstance(value, str):
            reason = f"the value of {name} must be a path or an intrinsic function, not {json_type(value)}"
            self._refuse(place, name, reason)
            return None
        try:
            expression = compile_path_or_intrinsic(value)
        except InvalidExpression as error:
            self.problems.append((place, error))
            return None
        self.variables.update(expression.references_variables)
        return expression.evaluate

    def _refuse(self, place: Location, text: str, reason: str) -> None:
        self.problems.append((place, InvalidExpression(text, reason)))


def _object_builder(blank: JsonObject, builds: list[tuple[str, Build]]) -> Build:
    """`blank` has all members in order; those that are built are overwritten in a copy."""

    def build(scope: Scope) -> JsonValue:
        built = blank.copy()
        name = ""
        try:
            for name, build_member in builds:
                built[name] = build_member(scope)
        except PathNotFound as error:
            _raise_not_found(error, name, scope)
        return built

    return build


def _array_builder(template: list[JsonValue], builds: list[tuple[int, Build]]) -> Build:
    def build(scope: Scope) -> JsonValue:
        built = template.copy()
        for index, build_item in builds:
            built[index] = build_item(scope)
        return built

    return build


def _raise_not_found(error: PathNotFound, name: str, scope: Scope) -> NoReturn:
    raise path_not_found(error, f"{name}.$", scope.input) from None


def path_not_found(error: PathNotFound, field: str, seen: JsonValue) -> EvaluationError:
    """AWS's words for a path that finds nothing, where the path is the value of a named field."""
    cause = (
        f"The JSONPath '{error.path}' specified for the field '{field}' could not be found in the input "
        f"'{json_text(seen)}'"
    )
    return EvaluationError("States.Runtime", cause)
