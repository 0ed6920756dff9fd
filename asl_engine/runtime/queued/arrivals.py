"""Arrivals: what came in for an execution and no record has consumed, and whether it still says anything. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    ExecutionTimerFired,
    FailRequested,
    StopRequested,
    TaskSubmitted,
)
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.runtime.queued.ports import Message

Key = tuple[str, int]  # frame and wait


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """An event, or a timer that fired. `owner` is the message it belongs to: the one that brought it, or that owns the
    attempt whose result it is."""

    owner: str
    event: Event | None = None
    timer_at: int | None = None
    by_message: bool = False


def brought_by(messages: Iterable[Message]) -> list[Arrival]:
    """What messages bring; a start and a hand-over bring nothing."""
    return [
        Arrival(message.owner, message.event, message.timer_at, by_message=True)
        for message in messages
        if message.event is not None or message.timer_at is not None
    ]


def result_of(execution: Execution, event: Event, otherwise: str) -> Arrival:
    """The result of an attempt, which belongs to the message that owns it as long as it is open."""
    key = key_of(event)
    frame = None if key is None else execution.frames.get(key[0])
    wait = None if frame is None else frame.wait
    return Arrival(wait.owner if isinstance(wait, TaskAttempt) else otherwise, event)


def key_of(event: Event) -> Key | None:
    """The wait that an event answers; None for one to the whole execution."""
    if isinstance(event, StopRequested | FailRequested | ExecutionTimerFired):
        return None
    return event.frame_id, event.wait_id


def is_open(execution: Execution, key: Key) -> bool:
    """Whether the frame waits for this."""
    frame = execution.frames.get(key[0])
    return frame is not None and frame.wait is not None and frame.wait.wait_id == key[1]


def answers_open(execution: Execution, event: Event) -> bool:
    """Whether the event answers something that the execution waits for."""
    if execution.status is not ExecutionStatus.RUNNING:
        return False
    key = key_of(event)
    return key is None or is_open(execution, key)


def keeps_message(execution: Execution, key: Key) -> bool:
    """Whether this is an open attempt that keeps the message that owns it from being acknowledged.

    One that is submitted is answered from outside, and an activity is once it is offered, which the execution does not
    show: another runner may have acknowledged their message.
    """
    wait = execution.frames[key[0]].wait if is_open(execution, key) else None
    return isinstance(wait, TaskAttempt) and not wait.submitted and ":activity:" not in wait.resource


def says_nothing_new(execution: Execution, event: Event) -> bool:
    """Whether it says of an attempt that is submitted that it is: a record has consumed it, or another of its kind."""
    if not isinstance(event, TaskSubmitted | ActivityStarted) or not answers_open(execution, event):
        return False
    wait = execution.frames[event.frame_id].wait
    return isinstance(wait, TaskAttempt) and wait.submitted


def is_unconsumed(execution: Execution, arrival: Arrival) -> bool:
    """Whether an event still says something, and no other runner can have let go of its message or attempt."""
    event = arrival.event
    if event is None or not answers_open(execution, event):
        return False
    key = key_of(event)
    if key is not None and not arrival.by_message:
        return keeps_message(execution, key)
    return not says_nothing_new(execution, event)


def fired(execution: Execution, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Those that are the durable timer; superseded timers are nothing."""
    if execution.timer_at is None or execution.status is not ExecutionStatus.RUNNING:
        return []
    return [each for each in arrivals if each.timer_at == execution.timer_at]


def sifted(execution: Execution, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Those that still say something, and those that are ignored."""
    timers = fired(execution, arrivals)
    kept: list[Arrival] = []
    ignored: list[Arrival] = []
    for each in arrivals:
        speaks = each in timers or is_unconsumed(execution, each)
        (kept if speaks else ignored).append(each)
    return kept, ignored
