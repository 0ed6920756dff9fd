"""Fail: end the branch with an error. Its own Error and Cause may both be missing."""

from __future__ import annotations

from asl_engine.errors import EvaluationError, PathNotFound
from asl_engine.expressions.payload_template import path_not_found
from asl_engine.expressions.scope import Expression, Scope
from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.failure import RUNTIME, StatesError
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import entered, fail_branch
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import FailState


def enter(step: Step, frame: Frame, state: FailState) -> None:
    """Fail the branch at once: no rule of the Fail state itself can take its error."""
    scope = entered(step, frame, state)
    error = _text(state.error, state.error_path, state.error_path_text, "ErrorPath", scope)
    cause = _text(state.cause, state.cause_path, state.cause_path_text, "CausePath", scope)
    fail_branch(step, frame, StatesError(error, cause))


def _text(literal: Expression | None, path: Expression | None, path_text: str, field: str, scope: Scope) -> str | None:
    if literal is not None:
        value = literal.evaluate(scope)
    elif path is not None:
        value = _referenced(path, field, scope)
    else:
        return None
    if not isinstance(value, str):
        raise EvaluationError(
            RUNTIME, f"The {field} field refers to a value that is not a string: {path_text} == {dump_json(value)}"
        )
    return value


def _referenced(path: Expression, field: str, scope: Scope) -> JsonValue:
    try:
        return path.evaluate(scope)
    except PathNotFound as error:
        raise path_not_found(error, field, scope.input) from error
