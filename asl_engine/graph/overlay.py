"""Overlays: what an execution did, state by state, read from its history events.

Events form a tree by `previous_event_id`: each follows the one before it in its own branch or iteration. A *visit* is
one entry of a state. It lasts from its …StateEntered event to its …StateExited event, and the visits of a branch lie
within the visit of their Parallel or Map. A visit without an exit ended with the execution, with the container around
it, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from asl_engine.interpreter.history import HistoryEvent


class StateStatus(StrEnum):
    """What became of a state. In a loop or a Map the most remarkable of its visits counts: see `_RANKING`."""

    SUCCEEDED = "succeeded"
    CAUGHT = "caught"
    FAILED = "failed"
    ABORTED = "aborted"
    RUNNING = "running"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class StateTally:
    """A state's status, how often it was entered, and how many attempts of work that took (0 for a state without)."""

    status: StateStatus
    visits: int
    attempts: int


# By state name; a state that is missing was not reached.
Overlay: TypeAlias = Mapping[str, StateTally]

_RANKING: Final = (
    StateStatus.SUCCEEDED,
    StateStatus.ABORTED,
    StateStatus.CAUGHT,
    StateStatus.FAILED,
    StateStatus.RUNNING,
)
_ATTEMPTS: Final = frozenset(("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"))
_FAILURES: Final = ("Failed", "TimedOut")
_CONTAINER_FAILURES: Final = {"ParallelStateFailed": "Parallel", "MapStateFailed": "Map", "MapIterationFailed": "Map"}
_ENDS: Final = frozenset(("ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"))


def overlay_of(events: Iterable[HistoryEvent]) -> Overlay:
    """What the events tell about each state. They are in order of their ids, and may stop anywhere."""
    reading = _Reading()
    for event in events:
        reading.take(event)
    return reading.tallies()


@dataclass(slots=True, eq=False)
class _Visit:
    state: str
    type: str
    within: _Visit | None
    status: StateStatus = StateStatus.RUNNING
    attempts: int = 0


class _Reading:
    def __init__(self) -> None:
        self._visits: list[_Visit] = []
        self._open: dict[_Visit, None] = {}  # in order of entry
        self._visit_at: dict[int, _Visit | None] = {0: None}
        self._type_at: dict[int, str] = {}

    def take(self, event: HistoryEvent) -> None:
        """Follow one event."""
        visit = self._visit_at.get(event.previous_event_id)
        name = _state_named(event)
        if event.type.endswith("StateEntered"):
            visit = self._enter(_Visit(name, event.type.removesuffix("StateEntered"), visit))
        elif event.type.endswith("StateExited"):
            visit = self._leave(visit, name, self._type_at.get(event.previous_event_id, ""))
        elif event.type in _ATTEMPTS and visit is not None:
            visit.attempts += 1
        elif event.type == "EvaluationFailed":
            visit = self._open_visit(name) or visit  # AWS leaves its previousEventId at 0
        elif event.type in _CONTAINER_FAILURES:
            visit = self._fail_within(visit, _CONTAINER_FAILURES[event.type])
        elif event.type in _ENDS:
            self._end(visit, event.type)
        self._visit_at[event.id], self._type_at[event.id] = visit, event.type

    def tallies(self) -> dict[str, StateTally]:
        """The visits of each state, summed up."""
        by_state: dict[str, list[_Visit]] = {}
        for visit in self._visits:
            by_state.setdefault(visit.state, []).append(visit)
        return {
            state: StateTally(
                max((visit.status for visit in visits), key=_RANKING.index),
                len(visits),
                sum(visit.attempts for visit in visits),
            )
            for state, visits in by_state.items()
        }

    def _enter(self, visit: _Visit) -> _Visit:
        self._visits.append(visit)
        self._open[visit] = None
        return visit

    def _close(self, visit: _Visit, status: StateStatus) -> None:
        visit.status = status
        self._open.pop(visit, None)

    def _leave(self, visit: _Visit | None, name: str, previous_type: str) -> _Visit | None:
        """The state `name` is left: by a Catch, if a failure came right before. Returns what it lies within."""
        left = next((each for each in _outward(visit) if each.state == name), None) or self._open_visit(name)
        if left is None:
            return None
        caught = previous_type.endswith(_FAILURES)
        self._close(left, StateStatus.CAUGHT if caught else StateStatus.SUCCEEDED)
        if left.type in _CONTAINER_FAILURES.values():
            self._abort([each for each in self._open if left in _outward(each)])
        return left.within

    def _fail_within(self, visit: _Visit | None, container_type: str) -> _Visit | None:
        """A branch or iteration failed, and with it every visit on the way out to its container."""
        for each in _outward(visit):
            if each.type == container_type:
                return each
            self._close(each, StateStatus.FAILED)
        return visit

    def _end(self, visit: _Visit | None, event_type: str) -> None:
        if event_type.endswith(_FAILURES):
            for each in _outward(visit):
                self._close(each, StateStatus.FAILED)
        self._abort(list(self._open))

    def _abort(self, visits: list[_Visit]) -> None:
        for visit in visits:
            self._close(visit, StateStatus.ABORTED)

    def _open_visit(self, name: str) -> _Visit | None:
        return next((each for each in reversed(self._open) if each.state == name), None)


def _outward(visit: _Visit | None) -> Iterator[_Visit]:
    """The visit, what it lies within, and so on."""
    while visit is not None:
        yield visit
        visit = visit.within


def _state_named(event: HistoryEvent) -> str:
    details = event.details or {}
    name = details.get("state" if event.type == "EvaluationFailed" else "name")
    return name if isinstance(name, str) else ""
