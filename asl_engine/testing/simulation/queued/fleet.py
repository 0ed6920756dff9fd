"""The fleet: hands messages to engine processes in batches, as an SQS event source of Lambda does.

A process handles one batch at a time, and is used again for the next. What `handle` answers is acknowledged, one by
one; everything else comes again once it is visible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.ports import Received
from asl_engine.testing.simulation.queued.message_queue import DurableQueue, shown
from asl_engine.testing.simulation.queued.process import UNDER_WAY, Plant, Process
from asl_engine.testing.simulation.queued.promises import Promises

_BATCH_MAX: Final = 10
_SOON: Final = 5  # milliseconds until a message is handed out that need not wait for others
_GRACE: Final = 10_000  # milliseconds between the deadline that a process is told and its end


class Engine:
    """An engine process, its host, and whether it is at work."""

    def __init__(self, process: Process, host: QueuedHost) -> None:
        self.process, self.host, self.is_busy = process, host, False


class Fleet:
    """As many engine processes as the faults allow, born when they are needed."""

    def __init__(self, plant: Plant, promises: Promises, new_engine: Callable[[], Engine]) -> None:
        self._plant, self._promises, self._new_engine = plant, promises, new_engine
        self.queue = DurableQueue(plant, self._arrived)
        self._waiting: list[int] = []
        self._engines: list[Engine] = []

    def _arrived(self, number: int) -> None:
        self._waiting.append(number)
        window = self._plant.faults.batch_window
        self._plant.world.after(self._plant.world.between(0, window or _SOON), self._hand_out)

    def _hand_out(self) -> None:
        engine = self._free() if self._waiting else None
        if engine is None:
            return
        size = self._plant.world.between(1, _BATCH_MAX)
        batch, self._waiting = self._waiting[:size], self._waiting[size:]
        received = [each for number in dict.fromkeys(batch) if (each := self.queue.hand_out(number)) is not None]
        if received:
            engine.is_busy = True
            self._plant.world.note(engine.process.name, "gets", *(f"{shown(each.message)};" for each in received))
            engine.process.spawn(self._invoke(engine, received))
        if self._waiting:
            self._plant.world.after(0, self._hand_out)

    def _free(self) -> Engine | None:
        free = [engine for engine in self._engines if not engine.is_busy]
        if len(self._engines) < self._plant.faults.processes and (not free or self._plant.world.chance(0.3)):
            engine = self._new_engine()
            self._engines.append(engine)
            engine.process.on_death.append(lambda: self._bury(engine))
            return engine
        return self._plant.world.choose(free) if free else None

    def _bury(self, engine: Engine) -> None:
        self._engines.remove(engine)
        self._plant.world.after(self._plant.world.between(0, 1_000), self._hand_out)

    async def _invoke(self, engine: Engine, received: Sequence[Received]) -> None:
        process, plant = engine.process, self._plant
        allowed = plant.faults.deadline
        end = plant.world.after(allowed + _GRACE, lambda: process.crash("deadline"))
        done = await engine.host.handle(received, process.now() + allowed)
        end.cancel()
        if len(done) < len(received):
            for request in UNDER_WAY.get():
                request.cancel()
        for each in received:
            if each.receipt in done:
                await self._acknowledge(process, each)
        engine.is_busy = False
        self._hand_out()

    async def _acknowledge(self, process: Process, received: Received) -> None:
        await process.effect("acknowledge")
        message = self.queue.acknowledge(received.receipt)
        if message is not None:
            process.plant.world.note(process.name, "acknowledges", shown(message))
            process.plant.judge(self._promises.acknowledged, message, self.queue.messages)
            process.plant.judge(self._promises.let_go, message, self.queue.messages)
        await process.effect("acknowledged")
