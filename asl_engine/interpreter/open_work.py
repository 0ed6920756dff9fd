"""Open work: the commands that a frame's wait still stands for.

An execution that is loaded after a crash says here what must be dispatched again. Only what waits is open: a task
whose request the service took (`submitted`) will be answered from outside and must not be sent twice. Two kinds are
said again all the same, as `submitted`: an activity that a worker had begun, for only its performer knows whether the
worker died with this process or still holds the token outside; and a job (`.sync`), which whoever followed it until its
end must find again.
"""

from __future__ import annotations

from collections.abc import Iterator

from asl_engine.interpreter.commands import Command, Continue, ScheduleTask, StartExecutionTimer, StartTimer
from asl_engine.interpreter.events import Event, ExecutionTimerFired, TimerFired
from asl_engine.interpreter.execution import Execution, ExecutionStatus, Frame, RetryWait, TaskAttempt, TimerWait


def open_commands(execution: Execution) -> tuple[Command, ...]:
    """All commands of a running execution that may have been lost with its runner."""
    if execution.status is not ExecutionStatus.RUNNING:
        return ()
    commands = [command for frame in execution.frames.values() for command in _of_frame(frame)]
    if execution.timeout_at is not None:
        commands.append(StartExecutionTimer(execution.timeout_at))
    if execution.ready:
        commands.append(Continue())
    return tuple(commands)


def deadlines(execution: Execution) -> Iterator[tuple[int, Event]]:
    """Each moment that a running execution waits for, and the event that says that it has come."""
    if execution.status is not ExecutionStatus.RUNNING:
        return
    if execution.timeout_at is not None:
        yield execution.timeout_at, ExecutionTimerFired()
    for frame in execution.frames.values():
        match frame.wait:
            case TimerWait(wait_id, at) | RetryWait(wait_id, at):
                yield at, TimerFired(frame.id, wait_id)
            case TaskAttempt(wait_id=wait_id, timeout_at=timeout_at, heartbeat_at=heartbeat_at):
                moments = [at for at in (timeout_at, heartbeat_at) if at is not None]
                if moments:
                    yield min(moments), TimerFired(frame.id, wait_id)


def _of_frame(frame: Frame) -> Iterator[Command]:
    match frame.wait:
        case TimerWait(wait_id, at) | RetryWait(wait_id, at):
            yield StartTimer(frame.id, wait_id, at)
        case TaskAttempt() as attempt:
            if not attempt.submitted or ":activity:" in attempt.resource or attempt.resource.endswith(_FOLLOWED):
                yield ScheduleTask(frame.id, attempt)
            deadlines = [at for at in (attempt.timeout_at, attempt.heartbeat_at) if at is not None]
            if deadlines:
                yield StartTimer(frame.id, attempt.wait_id, min(deadlines))


_FOLLOWED = (".sync", ".sync:2")
