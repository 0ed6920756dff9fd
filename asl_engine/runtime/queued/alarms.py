"""Alarms: the moments of one execution in its runner's memory, while it has other work to await."""

from __future__ import annotations

import heapq

from asl_engine.interpreter.commands import StartExecutionTimer, StartTimer
from asl_engine.interpreter.events import TaskSubmitted
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.outcome import Outcome
from asl_engine.runtime.queued.arrivals import is_open
from asl_engine.runtime.queued.definitions import Definition
from asl_engine.runtime.queued.moments import Moment, is_open_job, look_of, moments


class Alarms:
    """Moments, earliest first. One whose wait is over meanwhile is passed over."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def reset(self, execution: Execution, definition: Definition, now: int) -> None:
        """Know all moments of an execution that was loaded."""
        self._moments = sorted(moments(execution, definition, now))

    def note(self, outcome: Outcome, definition: Definition) -> None:
        """Know the moments that an outcome adds."""
        for command in outcome.commands:
            match command:
                case StartTimer(frame_id, wait_id, at):
                    self.add(Moment(at, frame_id, wait_id))
                case StartExecutionTimer(at):
                    self.add(Moment(at, "", -1))
        for event in outcome.events:
            if isinstance(event, TaskSubmitted) and is_open(outcome.execution, (event.frame_id, event.wait_id)):
                frame = outcome.execution.frames[event.frame_id]
                if is_open_job(frame, definition):
                    self.add(look_of(frame, outcome.at))

    def add(self, moment: Moment) -> None:
        """Know one more."""
        heapq.heappush(self._moments, moment)

    def due(self, execution: Execution, now: int) -> list[Moment]:
        """Take out those that have come."""
        come = []
        while (first := self.first(execution)) is not None and first.at <= now:
            come.append(heapq.heappop(self._moments))
        return come

    def first(self, execution: Execution) -> Moment | None:
        """The earliest."""
        while self._moments and self._moments[0].frame_id and not is_open(execution, self._moments[0].key):
            heapq.heappop(self._moments)
        return self._moments[0] if self._moments else None
