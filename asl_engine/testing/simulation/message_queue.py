"""A queue as AWS has them: each message arrives at least once, at any time, in any order, until it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from asl_engine.interpreter.events import Event
from asl_engine.testing.simulation.faults import Faults
from asl_engine.testing.simulation.world import World

VISIBILITY: Final = 30_000  # milliseconds until a message that nobody acknowledged is delivered again

Deliver = Callable[[Event, int], None]


class MessageQueue:
    """Events to the execution. `deliver` is given each message and its receipt, maybe again and again."""

    def __init__(self, world: World, deliver: Deliver) -> None:
        self._world, self._deliver = world, deliver
        self.faults = Faults()
        self._open: dict[int, Event] = {}
        self._sent = 0

    def send(self, event: Event, delay: int = 0) -> None:
        """Deliver an event after a delay in milliseconds."""
        self._sent += 1
        self._open[self._sent] = event
        self._plan(self._sent, delay + self._lag())
        if self._world.chance(self.faults.duplicate):
            self._world.befell("duplicate message")
            self._plan(self._sent, delay + self._lag())

    def acknowledge(self, receipt: int) -> Event | None:
        """Forget a message. Returns it unless that was done before."""
        return self._open.pop(receipt, None)

    def _plan(self, receipt: int, delay: int) -> None:
        self._world.after(delay, lambda: self._arrive(receipt))

    def _arrive(self, receipt: int) -> None:
        event = self._open.get(receipt)
        if event is None:
            return
        self._deliver(event, receipt)
        impatient = self._world.chance(self.faults.redelivery)
        self._plan(receipt, self._world.between(1, 2_000) if impatient else VISIBILITY)

    def _lag(self) -> int:
        return self._world.between(0, self.faults.delay) if self.faults.delay else 0
