"""What must hold of an execution after every advance, whatever its definition and whatever came in.

The checks know the interpreter's data and none of its code, so they hold for every driver of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asl_engine.interpreter.commands import CancelTask, Command, ScheduleTask, StartTimer
from asl_engine.interpreter.events import Event, TaskFailed, TaskSucceeded, TimerFired
from asl_engine.interpreter.execution import (
    ROOT_FRAME,
    ChildrenWait,
    Execution,
    ExecutionStatus,
    Frame,
    Phase,
    RetryWait,
    TaskAttempt,
    TimerWait,
)
from asl_engine.interpreter.history import HistoryEvent

_TERMINAL_EVENTS = {
    "ExecutionSucceeded": ExecutionStatus.SUCCEEDED,
    "ExecutionFailed": ExecutionStatus.FAILED,
    "ExecutionTimedOut": ExecutionStatus.TIMED_OUT,
    "ExecutionAborted": ExecutionStatus.ABORTED,
}


def check_history(history: Sequence[HistoryEvent], execution: Execution) -> None:
    """History is numbered from 1 without gaps, each event follows an older one, and the last tells the status."""
    assert [event.id for event in history] == list(range(1, len(history) + 1)), "ids have gaps"
    assert execution.last_event_id == len(history)
    assert all(0 <= event.previous_event_id < event.id for event in history), "an event follows a newer one"
    first = [event for event in history if event.previous_event_id == 0 and event.type != "EvaluationFailed"]
    assert [event.id for event in first] in ([1], [1, 2]), "only the start and the first state follow nothing"
    ends = [(event.id, _TERMINAL_EVENTS[event.type]) for event in history if event.type in _TERMINAL_EVENTS]
    assert ends == ([] if execution.status is ExecutionStatus.RUNNING else [(len(history), execution.status)])


def check_frames(execution: Execution) -> None:
    """A running execution can go on, by itself or by something that may still come; one that is over holds nothing."""
    frames = execution.frames
    if execution.status is not ExecutionStatus.RUNNING:
        assert not frames
        assert not execution.ready
        assert execution.stopped_at is not None
        return
    assert execution.stopped_at is None
    assert ROOT_FRAME in frames
    ready = [frame_id for frame_id, frame in frames.items() if frame.phase is Phase.READY]
    assert sorted(execution.ready) == sorted(ready), "what is ready will run, once"
    waiting = [frame for frame in frames.values() if isinstance(frame.wait, TaskAttempt | TimerWait | RetryWait)]
    assert ready or waiting, "nothing can move the execution"
    for frame_id, frame in frames.items():
        assert frame_id == frame.id
        assert (frame.wait is not None) == (frame.phase is Phase.WAITING)
        if frame_id != ROOT_FRAME:
            _check_child(frame, frames[frame.parent or ""])


def _check_child(frame: Frame, parent: Frame) -> None:
    wait = parent.wait
    assert isinstance(wait, ChildrenWait), "a child without a parent that waits for it"
    assert frame.id == f"{parent.id}/{wait.wait_id}.{frame.index}"
    assert frame.index < wait.started <= wait.total


def check_work(execution: Execution, commands: Iterable[Command], events: Iterable[Event]) -> None:
    """Every attempt was asked for once, and is open, answered or cancelled; every wait for a moment has its timer.

    `commands` and `events` are all of the execution's life.
    """
    commands, events = tuple(commands), tuple(events)
    asked = [(each.frame_id, each.attempt.wait_id) for each in commands if isinstance(each, ScheduleTask)]
    cancelled = [(each.frame_id, each.attempt.wait_id) for each in commands if isinstance(each, CancelTask)]
    assert len(asked) == len(set(asked)), "an attempt was asked for twice"
    assert len(cancelled) == len(set(cancelled)), "an attempt was cancelled twice"
    running = {
        (id_, frame.wait.wait_id) for id_, frame in execution.frames.items() if _is_attempt(frame) and frame.wait
    }
    answered = {(each.frame_id, each.wait_id) for each in events if isinstance(each, TaskSucceeded | TaskFailed)}
    assert running <= set(asked), "an attempt runs that nobody was asked for"
    assert running.isdisjoint(cancelled), "an attempt was cancelled and goes on"
    assert set(asked) - running - set(cancelled) <= answered, "an attempt was forgotten without being cancelled"
    timers = outstanding_timers(commands, events)
    for frame_id, wait_id, at in _moments(execution):
        assert any((one.frame_id, one.wait_id) == (frame_id, wait_id) and one.at <= at for one in timers), (
            f"no timer will wake frame {frame_id}"
        )


def outstanding_timers(commands: Iterable[Command], events: Iterable[Event]) -> list[StartTimer]:
    """The timers that were asked for and have not fired, the earliest first."""
    timers = sorted((each for each in commands if isinstance(each, StartTimer)), key=lambda timer: timer.at)
    for event in events:
        if isinstance(event, TimerFired):
            fired = [one for one in timers if (one.frame_id, one.wait_id) == (event.frame_id, event.wait_id)]
            if fired:
                timers.remove(fired[0])
    return timers


def _is_attempt(frame: Frame) -> bool:
    return isinstance(frame.wait, TaskAttempt)


def _moments(execution: Execution) -> list[tuple[str, int, int]]:
    """Frame, wait and time of everything that must happen at a moment."""
    moments = []
    for frame in execution.frames.values():
        match frame.wait:
            case TimerWait(wait_id, at) | RetryWait(wait_id, at):
                moments.append((frame.id, wait_id, at))
            case TaskAttempt(wait_id=wait_id, timeout_at=timeout_at, heartbeat_at=heartbeat_at):
                moments += [(frame.id, wait_id, at) for at in (timeout_at, heartbeat_at) if at is not None]
    return moments
