"""How a state's input and output are shaped, in AWS's order.

JSONPath: InputPath, Parameters, (the state's work), ResultSelector, Assign, ResultPath, OutputPath.
JSONata: Arguments, (the state's work), Assign and Output, which both see the variables as they were.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from asl_engine.expressions.extents import may_be_large
from asl_engine.expressions.reference_path import ReferencePath
from asl_engine.expressions.scope import ABSENT, Expression, Scope
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Catcher, State


class Route(Protocol):
    """What a transition needs: the state itself, or the Choice rule that applied."""

    @property
    def next(self) -> str | None:
        """The state to go to; None ends the branch."""

    @property
    def assign(self) -> Expression | None:
        """Assign."""

    @property
    def output(self) -> Expression | None:
        """Output (JSONata)."""


class Leaving(NamedTuple):
    """What a state leaves with: its output, and the variables it assigned (None: none)."""

    output: JsonValue
    assigned: JsonObject | None


def effective_input(state: State, scope: Scope) -> JsonValue:
    """The input after InputPath and Parameters (or Arguments). In JSONPath it also becomes `scope.input`."""
    if state.is_jsonata:
        return scope.input if state.parameters is None else scope.admit(state.parameters.evaluate(scope))
    if state.input_path is not None:
        scope.input = state.input_path.evaluate(scope)
        if state.parameters is None:
            return scope.admit(scope.input)
    if state.parameters is not None:
        scope.input = state.parameters.evaluate(scope)
        if scope.growth > 1:  # as `admit` asks, without a call that most states do not need
            scope.admit(scope.input)
    return scope.input


def leaving(state: State, route: Route, scope: Scope, raw_input: JsonValue, result: JsonValue) -> Leaving:
    """Output and assigned variables of a state that did its work. `result` is the state's raw result."""
    if state.is_jsonata:
        return _leaving_jsonata(route, scope, raw_input, result)
    scope.input = result
    if state.result_selector is not None:
        scope.input = result = scope.admit(state.result_selector.evaluate(scope))
    assigned = _assigned(route.assign, scope)
    output = _placed(state.result_path, state.discards_result, raw_input, result, scope)
    if state.output_path is not None:
        scope.input = output
        output = scope.admit(state.output_path.evaluate(scope))
    return Leaving(output, assigned)


def leaving_by_catch(state: State, catcher: Catcher, scope: Scope, raw_input: JsonValue, error: JsonObject) -> Leaving:
    """Output and assigned variables of a state whose error a Catch rule takes. OutputPath does not apply."""
    if state.is_jsonata:
        scope.error_output = error
        return _leaving_jsonata(catcher, scope, raw_input, error, shows_result=False)
    scope.input = error
    assigned = _assigned(catcher.assign, scope)
    return Leaving(_placed(catcher.result_path, catcher.discards_result, raw_input, error, scope), assigned)


def _leaving_jsonata(
    route: Route | Catcher, scope: Scope, raw_input: JsonValue, result: JsonValue, *, shows_result: bool = True
) -> Leaving:
    scope.input = raw_input
    scope.result = result if shows_result else ABSENT
    assigned = _assigned(route.assign, scope)
    output = result if route.output is None else scope.admit(route.output.evaluate(scope))
    return Leaving(output, assigned)


def _assigned(assign: Expression | None, scope: Scope) -> JsonObject | None:
    if assign is None:
        return None
    assigned = scope.admit(assign.evaluate(scope))
    assert isinstance(assigned, dict), "the parser admits only objects as Assign"
    return assigned


def _placed(
    path: ReferencePath | None, discards: bool, raw_input: JsonValue, result: JsonValue, scope: Scope
) -> JsonValue:
    """The raw input with the result where ResultPath says."""
    if discards:
        return raw_input
    if path is None:
        return result
    if may_be_large(result):
        scope.growth *= 2
    return scope.admit(path.write(raw_input, result))
