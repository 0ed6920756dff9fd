"""Moments: everything that a running execution waits for in time, and which of it a durable timer must cover.

Deadlines come from the interpreter. The host adds looks: a job is looked at now and then, in case the event that says
how it ended was lost. A look's moment is a function of the time at which the job's state was entered, so nothing about
it is stored and every runner finds the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from asl_engine.interpreter.events import TimerFired
from asl_engine.interpreter.execution import Execution, ExecutionStatus, Frame, TaskAttempt
from asl_engine.interpreter.open_work import deadlines
from asl_engine.runtime.queued.definitions import Definition

# A look costs as much as two tasks (see docs/cost.md), and finds something only when an event was lost.
_FIRST_LOOKS_MILLISECONDS: Final = (300_000,)
_LOOK_EVERY_MILLISECONDS: Final = 900_000


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time, epoch milliseconds, and the wait that it is for; `look` at its job, or else fire its timer.

    The execution's own time-out has no frame.
    """

    at: int
    frame_id: str
    wait_id: int
    look: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """Frame and wait."""
        return self.frame_id, self.wait_id


def moments(execution: Execution, definition: Definition, after: int) -> Iterator[Moment]:
    """The deadlines of a running execution, and the first look after a moment at each of its jobs."""
    for at, event in deadlines(execution):
        yield Moment(at, event.frame_id, event.wait_id) if isinstance(event, TimerFired) else Moment(at, "", -1)
    if definition.job_states and execution.status is ExecutionStatus.RUNNING:
        for frame in execution.frames.values():
            if is_open_job(frame, definition):
                yield look_of(frame, after)


def look_of(frame: Frame, after: int) -> Moment:
    """The first look after a moment at the job that a frame waits for."""
    assert frame.wait is not None
    return Moment(_next_look(frame.entered_at, after), frame.id, frame.wait.wait_id, look=True)


def uncovered(execution: Execution, definition: Definition, now: int) -> int | None:
    """The moment to set the durable timer to: the earliest one, unless the timer that is set comes no later."""
    earliest = min((moment.at for moment in moments(execution, definition, now)), default=None)
    if earliest is None or (execution.timer_at is not None and execution.timer_at <= earliest):
        return None
    return earliest


def jobs_to_look_at(execution: Execution, definition: Definition, since: int, now: int) -> list[Frame]:
    """The frames whose job has a look between `since` and now, both included."""
    return [
        frame
        for frame in execution.frames.values()
        if is_open_job(frame, definition) and _next_look(frame.entered_at, since - 1) <= now
    ]


def is_open_job(frame: Frame, definition: Definition) -> bool:
    """Whether the frame waits for a job that runs."""
    wait = frame.wait
    return isinstance(wait, TaskAttempt) and wait.submitted and wait.state_name in definition.job_states


def _next_look(entered_at: int, after: int) -> int:
    for offset in _FIRST_LOOKS_MILLISECONDS:
        if entered_at + offset > after:
            return entered_at + offset
    last = entered_at + _FIRST_LOOKS_MILLISECONDS[-1]
    return last + ((after - last) // _LOOK_EVERY_MILLISECONDS + 1) * _LOOK_EVERY_MILLISECONDS
