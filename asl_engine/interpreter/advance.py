"""advance: events in, outcome out. The heart of the engine, and pure.

One advance applies the events it is given, then runs every frame that can run without anything from outside: Pass,
Choice, Succeed, Fail, the start of Map and Parallel, all data flow. It returns when every frame waits, when the
execution is over, or when it has written as much history as one record may hold, in events or in bytes; then the
outcome ends with Continue.

Three rules make it safe to call again after any crash:
1. The Execution that comes in is never changed, so a call whose outcome was not made durable has not happened.
2. An event names a wait. If that wait is over, the event is counted and ignored, so a result applies exactly once.
3. Time and chance come in (`now`, `execution.seed`), so the same call gives the same outcome, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from asl_engine.errors import EvaluationError
from asl_engine.interpreter.children import abort, record_aborted, state_of
from asl_engine.interpreter.commands import StartExecutionTimer, StartTimer
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    ExecutionTimerFired,
    FailRequested,
    StopRequested,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import (
    READY,
    ROOT_FRAME,
    RUNNING,
    Execution,
    ExecutionStatus,
    Frame,
    RetryWait,
    TaskAttempt,
    TimerWait,
)
from asl_engine.interpreter.failure import TIMEOUT, StatesError
from asl_engine.interpreter.options import Options
from asl_engine.interpreter.outcome import Outcome
from asl_engine.interpreter.states import BEHAVIOURS, task, wait
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import fail_evaluation
from asl_engine.language.definition import StateMachine, TaskState, WaitState

_NO_LIMITS = Options()


def start(machine: StateMachine, execution: Execution, options: Options = _NO_LIMITS) -> Outcome:
    """The first advance of an execution, which comes with `sequence` -1 and no frames."""
    step = Step(machine, execution, execution.started_at, options)
    root = Frame(id=ROOT_FRAME, branch="", state=machine.root.start_at, input=execution.input)
    step.record_aside(root, "ExecutionStarted", {"input": execution.input, "roleArn": execution.role_arn})
    step.add_frame(root)
    if execution.timeout_at is not None:
        step.commands.append(StartExecutionTimer(execution.timeout_at))
    _run(step)
    return step.outcome(())


def advance(
    machine: StateMachine,
    execution: Execution,
    events: Sequence[Event],
    now: int,
    options: Options = _NO_LIMITS,
) -> Outcome:
    """Apply events and run what can run. Never raises on a valid machine.

    `now` is epoch milliseconds. A moment before the newest record's counts as that one: clocks of two hosts differ,
    and history never runs backwards.
    """
    step = Step(machine, execution, now, options)
    for event in events:
        _apply(step, event)
    _run(step)
    return step.outcome(tuple(events))


def _run(step: Step) -> None:
    ready = step.ready
    while ready and not step.is_full:
        frame_id = ready.popleft()
        if frame_id not in step.frames:  # a sibling's failure ended it before it could run
            continue
        frame = step.frame(frame_id)
        states = step.machine.branches[frame.branch].states
        while frame.phase is READY and step.status is RUNNING:
            if step.written >= step.next_look and step.look(frame):
                ready.append(frame.id)  # behind the others: a branch that never ends must not keep them from starting
                return
            state = states[frame.state]
            try:
                BEHAVIOURS[type(state)].enter(step, frame, state)
            except EvaluationError as error:
                fail_evaluation(step, frame, state, error)
            if ready and ready[-1] == frame_id:  # it had children and is through already: it goes on here and now
                ready.pop()


def _apply(step: Step, event: Event) -> None:
    if step.is_over:
        step.ignored_events += 1
        return
    match event:
        case StopRequested():
            _end_early(step, ExecutionStatus.ABORTED, "ExecutionAborted", StatesError(event.error, event.cause))
        case FailRequested():
            _end_early(step, ExecutionStatus.FAILED, "ExecutionFailed", StatesError(event.error, event.cause))
        case ExecutionTimerFired():
            _check_timeout(step)
        case TaskSubmitted() | ActivityStarted() | TaskSucceeded() | TaskFailed() | TaskHeartbeat() | TimerFired():
            _apply_to_frame(step, event)
        case _:
            assert_never(event)


def _apply_to_frame(step: Step, event: task.TaskEvent) -> None:
    known = step.frames.get(event.frame_id)
    if known is None or known.wait is None or known.wait.wait_id != event.wait_id:
        step.ignored_events += 1
        return
    frame = step.frame(event.frame_id)
    state = state_of(step, frame)
    try:
        _resume(step, frame, event)
    except EvaluationError as error:
        fail_evaluation(step, frame, state, error)


def _resume(step: Step, frame: Frame, event: task.TaskEvent) -> None:
    state = state_of(step, frame)
    match frame.wait, event:
        case TaskAttempt(), _:
            assert isinstance(state, TaskState)
            task.resume(step, frame, state, event)
        case ((TimerWait(at=at) | RetryWait(at=at)), TimerFired()) if step.now < at:
            step.commands.append(StartTimer(frame.id, event.wait_id, at))  # it came early: ask again
        case TimerWait(), TimerFired():
            assert isinstance(state, WaitState)
            wait.resume(step, frame, state)
        case RetryWait(), TimerFired():
            again = BEHAVIOURS[type(state)].attempt
            assert again is not None, "only states with Retry wait for one"
            again(step, frame, state)
        case _:
            step.ignored_events += 1


def _check_timeout(step: Step) -> None:
    at = step.execution.timeout_at
    if at is None:
        step.ignored_events += 1
    elif step.now < at:
        step.commands.append(StartExecutionTimer(at))
    else:
        _end_early(step, ExecutionStatus.TIMED_OUT, "ExecutionTimedOut", StatesError(TIMEOUT))


def _end_early(step: Step, status: ExecutionStatus, event_type: str, error: StatesError) -> None:
    root = step.frame(ROOT_FRAME)
    abort(step, root)
    record_aborted(step, root)
    step.cancel(root)
    step.end_with_error(status, event_type, error)
