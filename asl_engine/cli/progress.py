"""How far an execution has come, state by state: what its history says, for a person to follow.

A state has one row however often it is entered, in a loop or by the iterations of a Map; names are unique in a machine.
History events name their state only when it is entered and left, so what lies between is followed along the chain of
`previous_event_id`: the newest event of each chain carries the state and the attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from asl_engine.interpreter.history import HistoryEvent
from asl_engine.language.definition import Branch, MapState, ParallelState, State, StateMachine, StateType


@dataclass(slots=True, kw_only=True)
class Row:
    """One state. `depth` counts the Maps and Parallels around it. A Map's counts are of its iterations."""

    name: str
    type: StateType
    depth: int
    entered: int = 0
    left: int = 0
    attempts: int = 1
    error: str | None = None
    since: int = 0
    until: int = 0
    iterations: int = 0
    iterations_done: int = 0
    iterations_failed: int = 0

    @property
    def is_open(self) -> bool:
        """Whether an execution is in this state."""
        return self.entered > self.left


class Kind(StrEnum):
    """What happened to a state."""

    ENTERED = "entered"
    LEFT = "left"
    FAILED = "failed"
    ITERATION = "iteration"


class Happening(NamedTuple):
    """Something to tell. `error` is that of a failed attempt, or the one that a Catch took."""

    kind: Kind
    row: Row
    at: int
    error: str = ""
    cause: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class _Link:
    """The newest event of a chain: the state that it belongs to."""

    row: Row
    attempt: int = 1
    error: str | None = None


class Progress:
    """Follows one execution. Feed it every history event once, in order."""

    def __init__(self, machine: StateMachine) -> None:
        self.rows: dict[str, Row] = {}
        self._states = {state.name: (state.type, depth) for state, depth in _states(machine.root, 0)}
        self._maps = dict(_enclosing_maps(machine.root, ""))
        self._chains: dict[int, _Link] = {}
        self._iteration_ends: dict[str, int] = {}  # of each Map, the newest

    def follow(self, event: HistoryEvent) -> Happening | None:
        """Take one event in; returns what is worth telling."""
        details = event.details or {}
        if event.type.endswith("StateEntered"):
            return self._enter(event, str(details["name"]))
        if event.type.endswith("StateExited"):
            return self._leave(event, str(details["name"]))
        if event.type in _ITERATION_ENDS:
            return self._count_iteration(event, str(details["name"]))
        if event.type in _ASIDE or event.type.endswith("Aborted"):
            return None
        link = self._chains.pop(event.previous_event_id, None)
        return None if link is None else self._go_on(event, link)

    def _row(self, name: str, now: int) -> Row:
        if name not in self.rows:
            state_type, depth = self._states[name]
            self.rows[name] = Row(name=name, type=state_type, depth=depth, since=now)
        return self.rows[name]

    def _enter(self, event: HistoryEvent, name: str) -> Happening:
        self._chains.pop(event.previous_event_id, None)
        row = self._row(name, event.timestamp)
        row.entered += 1
        row.error = None
        self._chains[event.id] = _Link(row)
        return Happening(Kind.ENTERED, row, event.timestamp)

    def _leave(self, event: HistoryEvent, name: str) -> Happening:
        row = self._row(name, event.timestamp)
        row.left += 1
        row.until = event.timestamp
        link = self._chains.pop(event.previous_event_id, None)
        row.error = link.error if link is not None else None
        return Happening(Kind.LEFT, row, event.timestamp, row.error or "")

    def _count_iteration(self, event: HistoryEvent, name: str) -> Happening:
        row = self._row(name, event.timestamp)
        if event.type == "MapIterationSucceeded":
            row.iterations_done += 1
        else:
            row.iterations_failed += 1
        self._chains.pop(self._iteration_ends.get(name, 0), None)
        self._iteration_ends[name] = event.id
        self._chains[event.id] = _Link(row)
        return Happening(Kind.ITERATION, row, event.timestamp)

    def _go_on(self, event: HistoryEvent, link: _Link) -> Happening | None:
        row, happening = link.row, None
        details = event.details or {}
        if event.type.endswith(("Failed", "TimedOut")) and event.type not in _GROUP_FAILURES:
            error = str(details.get("error", ""))
            cause = str(details.get("cause") or "")
            happening = Happening(Kind.FAILED, row, event.timestamp, error, cause, link.attempt)
            link = replace(link, error=error)
            row.error = error
        elif event.type.endswith("Scheduled") and link.error is not None:
            link = _Link(row, link.attempt + 1)
            row.attempts, row.error = max(row.attempts, link.attempt), None
        elif event.type == "MapStateStarted":
            # A Map that is tried again goes on from what failed inside of it.
            each = row if row.type is StateType.MAP else self.rows[self._maps[row.name]]
            each.iterations = int(str(details["length"]))
            each.iterations_done = each.iterations_failed = 0
            link = _Link(each)
        self._chains[event.id] = link
        return happening


def _states(branch: Branch, depth: int) -> Iterator[tuple[State, int]]:
    for state in branch.states.values():
        yield state, depth
        match state:
            case MapState():
                yield from _states(state.item_processor, depth + 1)
            case ParallelState():
                for inner in state.branches:
                    yield from _states(inner, depth + 1)


def _enclosing_maps(branch: Branch, name: str) -> Iterator[tuple[str, str]]:
    """Each state's name, and that of the nearest Map around it."""
    for state in branch.states.values():
        yield state.name, name
        match state:
            case MapState():
                yield from _enclosing_maps(state.item_processor, state.name)
            case ParallelState():
                for inner in state.branches:
                    yield from _enclosing_maps(inner, name)


# Events that stand beside their chain: the next one does not follow them.
_ASIDE: Final = frozenset(
    {
        "MapStateSucceeded",
        "ParallelStateSucceeded",
        "ExecutionStarted",
        "ExecutionSucceeded",
        "ExecutionFailed",
        "ExecutionTimedOut",
    }
)
_ITERATION_ENDS: Final = frozenset({"MapIterationSucceeded", "MapIterationFailed"})
_GROUP_FAILURES: Final = frozenset({"MapStateFailed", "ParallelStateFailed"})
