"""Checks history as it grows: ids, what follows what, and one end for every attempt and for the execution."""

from __future__ import annotations

from typing import Final

from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.journal import Record
from asl_engine.testing.simulation.violation import Invariant, Violation

_TERMINAL: Final = {
    "ExecutionSucceeded": ExecutionStatus.SUCCEEDED,
    "ExecutionFailed": ExecutionStatus.FAILED,
    "ExecutionTimedOut": ExecutionStatus.TIMED_OUT,
    "ExecutionAborted": ExecutionStatus.ABORTED,
}
_WORK: Final = ("Task", "LambdaFunction", "Activity")
_GOES_ON: Final = ("Scheduled", "Started", "Submitted", "StartFailed")
_ENDS: Final = ("Succeeded", "Failed", "TimedOut")


class HistoryChecker:
    """Of one execution. `clocks_agree` says that no process has a clock of its own opinion."""

    def __init__(self, *, clocks_agree: bool) -> None:
        self._clocks_agree = clocks_agree
        self._last_id = 0
        self._last_at = 0
        self._attempt_of: dict[int, int] = {}  # of each event of an attempt, the id of its …Scheduled
        self._ended: set[int] = set()

    def check(self, record: Record, after: Execution) -> list[int]:
        """Look at the events that a record adds. Returns the wait ids of the attempts that it says timed out."""
        for event in record.history:
            self._check_order(event)
            self._check_attempt(event)
        if after.last_event_id != self._last_id:
            raise Violation(Invariant.GAPLESS, f"{after.last_event_id} events are counted, {self._last_id} written")
        ends = [(event.id, _TERMINAL[event.type]) for event in record.history if event.type in _TERMINAL]
        if ends != ([] if after.status is ExecutionStatus.RUNNING else [(self._last_id, after.status)]):
            raise Violation(Invariant.TERMINAL, f"the execution is {after.status}, and its history ends in {ends}")
        timed_out = (event for event in record.history if _work_kind(event.type) == "TimedOut")
        return [self._attempt_of[event.id] for event in timed_out]

    def _check_order(self, event: HistoryEvent) -> None:
        if event.id != self._last_id + 1:
            raise Violation(Invariant.GAPLESS, f"event {event.id} follows event {self._last_id}")
        if not 0 <= event.previous_event_id < event.id:
            raise Violation(Invariant.GAPLESS, f"event {event.id} names event {event.previous_event_id} as previous")
        if self._clocks_agree and event.timestamp < self._last_at:
            raise Violation(Invariant.GAPLESS, f"event {event.id} is older than the one before it")
        self._last_id, self._last_at = event.id, event.timestamp

    def _check_attempt(self, event: HistoryEvent) -> None:
        """The events of an attempt form a chain that begins with …Scheduled and ends once."""
        kind = _work_kind(event.type)
        if kind is None:
            return
        if kind == "Scheduled":
            self._attempt_of[event.id] = event.id
            return
        attempt = self._attempt_of.get(event.previous_event_id)
        if attempt is None or attempt in self._ended:
            raise Violation(Invariant.APPLIED_ONCE, f"event {event.id}, {event.type}, belongs to no open attempt")
        self._attempt_of[event.id] = attempt
        if kind in _ENDS:
            self._ended.add(attempt)


def _work_kind(event_type: str) -> str | None:
    """The part of the type behind the kind of work; None for events of something else."""
    for work in _WORK:
        kind = event_type.removeprefix(work)
        if kind != event_type and kind in (*_GOES_ON, *_ENDS):
            return kind
    return None
