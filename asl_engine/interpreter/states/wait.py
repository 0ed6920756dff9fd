"""Wait: hold the execution until a moment, then pass the input on."""

from __future__ import annotations

from asl_engine.errors import EvaluationError, PathNotFound
from asl_engine.expressions.scope import Expression, Scope
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.interpreter.commands import StartTimer
from asl_engine.interpreter.execution import Frame, Phase, TimerWait
from asl_engine.interpreter.failure import QUERY_EVALUATION_ERROR, RUNTIME
from asl_engine.interpreter.input_output import effective_input
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import RefusedValueError, entered, leave
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import WaitState
from asl_engine.limits import WAIT_SECONDS_MAX


def enter(step: Step, frame: Frame, state: WaitState) -> None:
    """Ask for a timer at the moment the state names; a moment that is past fires at once."""
    scope = entered(step, frame, state)
    effective_input(state, scope)
    at = max(step.now, _moment(state, scope, step.now))
    frame.wait, frame.phase = TimerWait(frame.entered_event_id, at), Phase.WAITING
    step.commands.append(StartTimer(frame.id, frame.entered_event_id, at))


def resume(step: Step, frame: Frame, state: WaitState) -> None:
    """The moment has come."""
    scope = step.scope(frame)
    leave(step, frame, state, scope, effective_input(state, scope))


def _moment(state: WaitState, scope: Scope, now: int) -> int:
    if state.seconds is not None:
        return now + _seconds(state.seconds.evaluate(scope)) * 1000
    if state.seconds_path is not None:
        return now + _seconds_at(state.seconds_path, state.seconds_path_text, scope) * 1000
    if state.timestamp is not None:
        return _timestamp(state.timestamp.evaluate(scope))
    assert state.timestamp_path is not None, "the parser admits a Wait only with one of its four fields"
    return _timestamp_at(state.timestamp_path, state.timestamp_path_text, scope)


def _seconds(value: JsonValue) -> int:
    if type(value) is not int or value < 0:
        raise RefusedValueError(
            QUERY_EVALUATION_ERROR,
            f"The Seconds field must be a non-negative integer but was: {dump_json(value)}",
            location="Seconds",
        )
    if value > WAIT_SECONDS_MAX:
        raise RefusedValueError(
            QUERY_EVALUATION_ERROR,
            f"The Seconds field must be at most {WAIT_SECONDS_MAX} but was: {value}",
            location="Seconds",
        )
    return value


def _seconds_at(path: Expression, text: str, scope: Scope) -> int:
    try:
        value = path.evaluate(scope)
    except PathNotFound as error:
        raise EvaluationError(
            RUNTIME, f"The SecondsPath parameter does not reference an input value: {text}"
        ) from error
    if type(value) is not int:
        raise EvaluationError(
            RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {text} == {_shown(value)}"
        )
    if value < 0:
        raise EvaluationError(RUNTIME, f"The SecondsPath parameter references a negative value: {text} == {value}")
    if value > WAIT_SECONDS_MAX:
        raise EvaluationError(
            RUNTIME, f"The SecondsPath parameter references a value over {WAIT_SECONDS_MAX}: {text} == {value}"
        )
    return value


def _timestamp(value: JsonValue) -> int:
    at = parse_timestamp(value) if isinstance(value, str) else None
    if at is None:
        raise RefusedValueError(
            QUERY_EVALUATION_ERROR,
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
            f"{_shown(value)}",
            location="Timestamp",
        )
    return at


def _timestamp_at(path: Expression, text: str, scope: Scope) -> int:
    try:
        value = path.evaluate(scope)
    except PathNotFound as error:
        raise EvaluationError(
            RUNTIME, f"The TimestampPath parameter does not reference an input value: {text}"
        ) from error
    at = parse_timestamp(value) if isinstance(value, str) else None
    if at is None:
        raise EvaluationError(
            RUNTIME,
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
            f"{text} == {_shown(value)}",
        )
    return at


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else dump_json(value)
