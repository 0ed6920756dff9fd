"""Task: ask for work, and take its result.

Entering schedules an attempt. Its wait is numbered by the …Scheduled event, so whatever is said about an attempt that
is over finds no wait and is ignored. The time-outs are checked against the clock, not trusted from the timer, so a
timer that comes early or late decides nothing wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from asl_engine.errors import EvaluationError
from asl_engine.expressions.scope import Expression, Scope
from asl_engine.interpreter.commands import ScheduleTask, StartTimer
from asl_engine.interpreter.events import (
    ActivityStarted,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import Frame, Phase, TaskAttempt
from asl_engine.interpreter.failure import RUNTIME, TIMEOUT, StatesError, too_large
from asl_engine.interpreter.input_output import effective_input
from asl_engine.interpreter.states import task_history
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import entered, fail, is_too_large, leave
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import IntegrationPattern, ResourceType, TaskState
from asl_engine.limits import TASK_TIMEOUT_SECONDS_MAX

TaskEvent = TaskSubmitted | ActivityStarted | TaskSucceeded | TaskFailed | TaskHeartbeat | TimerFired


def enter(step: Step, frame: Frame, state: TaskState) -> None:
    """Schedule the first attempt."""
    entered(step, frame, state)
    attempt(step, frame, state)


def attempt(step: Step, frame: Frame, state: TaskState) -> None:
    """Schedule an attempt, the first or another one: its arguments are evaluated anew."""
    scope = step.scope(frame)
    step.offer_task_token(frame)
    arguments = effective_input(state, scope)
    scope.input = frame.input
    timeout = _seconds(state.timeout_seconds, state.timeout_seconds_path, "TimeoutSeconds", scope)
    if timeout is None:
        timeout = step.options.default_task_timeout_seconds
    heartbeat = _seconds(state.heartbeat_seconds, state.heartbeat_seconds_path, "HeartbeatSeconds", scope)
    credentials = state.credentials.evaluate(scope) if state.credentials is not None else None
    if state.resource.arn in step.options.missing_activities:
        raise EvaluationError(RUNTIME, f"The activity {state.resource.arn} does not exist.")
    wait_id = step.next_event_id(frame)
    scheduled = TaskAttempt(
        wait_id=wait_id,
        state_name=state.name,
        resource=state.resource.arn,
        arguments=arguments,
        retry_count=frame.retry_count,
        credentials=credentials if isinstance(credentials, dict) else None,
        task_token=step.task_token(frame, wait_id) if _needs_token(step, state) else None,
        timeout_at=None if timeout is None else step.now + timeout * 1000,
        heartbeat_at=None if heartbeat is None else step.now + heartbeat * 1000,
        heartbeat_seconds=heartbeat,
        owner=step.options.owner,
    )
    task_history.scheduled(step, frame, state.resource, scheduled, timeout)
    frame.wait, frame.phase = scheduled, Phase.WAITING
    step.commands.append(ScheduleTask(frame.id, scheduled))
    _start_timer(step, frame, scheduled)


def resume(step: Step, frame: Frame, state: TaskState, event: TaskEvent) -> None:
    """Take what was said about the current attempt."""
    wait = frame.wait
    assert isinstance(wait, TaskAttempt)
    match event:
        case TaskSucceeded():
            _succeed(step, frame, state, event.output)
        case TaskFailed():
            error = StatesError(event.error, event.cause)
            task_history.failed(step, frame, state.resource, error)
            fail(step, frame, state, error)
        case TaskSubmitted():
            if not wait.submitted:
                task_history.submitted(step, frame, state.resource, event.output)
                frame.wait = replace(wait, submitted=True)
        case ActivityStarted():
            if not wait.submitted:
                task_history.activity_started(step, frame, event.worker_name)
                frame.wait = _beaten(replace(wait, submitted=True), step.now)
        case TaskHeartbeat():
            frame.wait = _beaten(wait, step.now)
        case TimerFired():
            _check_deadlines(step, frame, state, wait)
        case _:
            assert_never(event)


def _succeed(step: Step, frame: Frame, state: TaskState, output: JsonValue) -> None:
    if is_too_large(step, output):
        resource = state.resource
        error = too_large(resource.arn if resource.type is not ResourceType.SERVICE else resource.service)
        task_history.failed(step, frame, resource, error)
        fail(step, frame, state, error)
        return
    task_history.succeeded(step, frame, state.resource, output)
    leave(step, frame, state, step.scope(frame), output)


def _check_deadlines(step: Step, frame: Frame, state: TaskState, wait: TaskAttempt) -> None:
    timed_out = wait.timeout_at is not None and wait.timeout_at <= step.now
    missed_heartbeat = wait.heartbeat_at is not None and wait.heartbeat_at <= step.now
    if not timed_out and not missed_heartbeat:
        _start_timer(step, frame, wait)
        return
    error = StatesError(TIMEOUT, missed_heartbeat=missed_heartbeat and not timed_out)
    task_history.timed_out(step, frame, state.resource, error)
    step.cancel(frame)
    fail(step, frame, state, error)


def _start_timer(step: Step, frame: Frame, wait: TaskAttempt) -> None:
    deadlines = [at for at in (wait.timeout_at, wait.heartbeat_at) if at is not None]
    if deadlines:
        step.commands.append(StartTimer(frame.id, wait.wait_id, min(deadlines)))


def _beaten(wait: TaskAttempt, now: int) -> TaskAttempt:
    """The attempt after a heartbeat. Its timer finds the new deadline when it fires: none is started here."""
    if wait.heartbeat_seconds is None or wait.heartbeat_at is None:
        return wait
    # A clock that steps back pulls no deadline in: the timer that is due later would miss it.
    return replace(wait, heartbeat_at=max(wait.heartbeat_at, now + wait.heartbeat_seconds * 1000))


def _needs_token(step: Step, state: TaskState) -> bool:
    return (
        step.token_drawn
        or state.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN
        or state.resource.type is ResourceType.ACTIVITY
    )


def _seconds(literal: Expression | None, path: Expression | None, field: str, scope: Scope) -> int | None:
    expression = literal if literal is not None else path
    if expression is None:
        return None
    value = expression.evaluate(scope)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or value <= 0:
        shown = value if isinstance(value, str) else dump_json(value)
        raise EvaluationError(RUNTIME, f"The {field} field must be a positive integer but was: {shown}")
    if value > TASK_TIMEOUT_SECONDS_MAX:
        raise EvaluationError(RUNTIME, f"The {field} field must be at most {TASK_TIMEOUT_SECONDS_MAX} but was: {value}")
    return value
