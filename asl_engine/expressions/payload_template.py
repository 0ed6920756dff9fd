"""Payload templates: JSON in which a member named `X.$` becomes `X` with the value of a path or an intrinsic function.

Everything else is literal, also strings that look like paths; objects within arrays are templates again. A part without
such members is returned as the object it is in the definition, since values are never changed in place.
https://states-language.net/spec.html#payload-template
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from asl_engine.errors import EvaluationError, InvalidExpression, PathNotFound
from asl_engine.expressions.extents import Growth, may_be_large
from asl_engine.expressions.path import Path, compile_path_or_intrinsic
from asl_engine.expressions.scope import Constant, Expression, Scope
from asl_engine.expressions.value_text import json_text
from asl_engine.json_value import JsonObject, JsonValue, json_type
from asl_engine.limits import TEMPLATE_DEPTH_MAX

if TYPE_CHECKING:
    from asl_engine.expressions.intrinsic_functions import Intrinsic

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
    compilation = _Compilation(field, [] if problems is None else problems, set(), Growth())
    build = compilation.compile(value, ())
    compilation.growth.conclude()
    if problems is None and compilation.problems:
        raise compilation.problems[0][1]
    return Constant(value) if build is None else PayloadTemplate(frozenset(compilation.variables), build)


@dataclass(frozen=True, slots=True)
class _Compilation:
    """What is gathered while a template is compiled."""

    field: str
    problems: Problems
    variables: set[str]
    growth: Growth

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
        watched: list[str] = []
        for name, value in template.items():
            dynamic = name.endswith(".$")
            target = name.removesuffix(".$")
            if target in blank:
                self._refuse((*place, name), name, f"{target} is given twice, with and without .$")
            build: Build | None
            if dynamic:
                expression = self._compile_dynamic(name, value, (*place, name))
                build = None if expression is None else expression.evaluate
                if expression is not None and expression.sources:
                    watched.append(target)
                    self.growth.count(expression.sources, len(place) + 1, is_path=isinstance(expression, Path))
            else:
                build = self.compile(value, (*place, name))
            blank[target] = None if build is not None else value
            if build is not None:
                builds.append((target, build))
        return _object_builder(blank, builds, watched, self.growth) if builds else None

    def _compile_array(self, template: list[JsonValue], place: Location) -> Build | None:
        compiled = [(index, self.compile(item, (*place, index))) for index, item in enumerate(template)]
        builds = [(index, build) for index, build in compiled if build is not None]
        return _array_builder(template, builds) if builds else None

    def _compile_dynamic(self, name: str, value: JsonValue, place: Location) -> Path | Intrinsic | None:
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
        return expression

    def _refuse(self, place: Location, text: str, reason: str) -> None:
        self.problems.append((place, InvalidExpression(text, reason)))


def _object_builder(blank: JsonObject, builds: list[tuple[str, Build]], watched: list[str], growth: Growth) -> Build:
    """`blank` has all members in order; those that are built are overwritten in a copy.

    What stands in a `watched` one may be large. Then the scope is told of the growth of the whole template.
    """

    def build(scope: Scope) -> JsonValue:
        built = blank.copy()
        name = ""
        try:
            for name, build_member in builds:
                built[name] = build_member(scope)
        except PathNotFound as error:
            _raise_not_found(error, name, scope)
        return built

    def build_and_watch(scope: Scope) -> JsonValue:
        built: Any = build(scope)
        if growth.most > 1 and any(may_be_large(built[name]) for name in watched):
            scope.growth *= growth.most
        return built  # type: ignore[no-any-return]

    return build_and_watch if watched else build


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
