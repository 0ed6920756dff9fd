"""Processes that die: at one chosen moment, before or after one effect, and with everything that they had in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.ports import Message
from asl_engine.runtime.tasks import TaskCall, TaskResult
from asl_engine.store.journal import Record
from tests.runtime.queued.worlds import CountingStore, Jobs, MemoryQueue, Tasks, World

T = TypeVar("T")


class Fate:
    """Counts the moments at which processes could die, and lets one die at the moment given."""

    def __init__(self, *dies_at: int) -> None:
        self.moments = 0
        self._dies_at = dies_at
        self.death: asyncio.Future[None] | None = None
        self.deaths: list[str] = []

    async def meet(self, where: str) -> None:
        """One moment. Whoever dies here never returns, and nothing else of the process happens."""
        assert self.death is not None, "only what lives can die"
        if not self.death.done():
            self.moments += 1
            if self.moments in self._dies_at:
                self.deaths.append(where)
                self.death.set_result(None)
        if self.death.done():
            await asyncio.get_running_loop().create_future()

    async def around(self, name: str, effect: Awaitable[T]) -> T:
        try:
            await self.meet(f"before {name}")
        except BaseException:
            if asyncio.iscoroutine(effect):
                effect.close()
            raise
        result = await effect
        await self.meet(f"after {name}")
        return result

    async def live(self, life: Coroutine[Any, Any, T]) -> T | None:
        """What a process makes of its life; None if it died."""
        self.death = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(life)
        either: set[asyncio.Future[Any]] = {task, self.death}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None


class MortalStore(CountingStore):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    async def append(self, record: Record) -> None:
        await self._fate.around(f"append {record.sequence}", super().append(record))

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        return await self._fate.around("load", super().load(execution_arn, held))

    async def put_definition(self, sha256: str, text: str) -> None:
        await self._fate.around("put_definition", super().put_definition(sha256, text))

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        await self._fate.meet("before records")
        async for record in super().records(execution_arn, newest_first=newest_first):
            yield record


class MortalQueue(MemoryQueue):
    fate: Fate

    async def send(self, message: Message) -> None:
        await self.fate.around("send", super().send(message))

    async def send_at(self, message: Message, at: int, now: int) -> None:
        await self.fate.around("send_at", super().send_at(message, at, now))


class MortalTasks(Tasks):
    fate: Fate

    async def perform(self, call: TaskCall) -> TaskResult:
        return await self.fate.around(f"perform {call.attempt.state_name}", super().perform(call))


class MortalJobs(Jobs):
    fate: Fate

    async def submit(self, call: TaskCall) -> TaskResult:
        return await self.fate.around("submit", super().submit(call))

    async def look(self, call: TaskCall) -> TaskResult | None:
        return await self.fate.around("look", super().look(call))

    async def stop(self, call: TaskCall) -> str | None:
        return await self.fate.around("stop", super().stop(call))


class MortalWorld(World):
    """A world in which the process at work dies once, and others go on."""

    def __init__(self, dies_at: Sequence[int], prepare: Callable[[Tasks, Jobs], None]) -> None:
        self.fate = Fate(*dies_at)
        tasks, jobs = MortalTasks(), MortalJobs()
        tasks.fate = jobs.fate = self.fate
        prepare(tasks, jobs)
        super().__init__(tasks, jobs, store=MortalStore(self.fate))
        queue = MortalQueue(self.clock)
        queue.fate = self.fate
        self.queue = queue
        self.wiring = self.wire()

    def process(self) -> QueuedHost:
        """A host that knows nothing of those before it."""
        return QueuedHost(self.wire())

    async def step(self) -> int:
        received = self.queue.receive()
        if received:
            host, deadline = self.process(), self.clock.now() + self.lambda_time
            done = await self.fate.live(host.handle(received, deadline, "in request 7"))
            if done is not None and await self.fate.live(self._survive("acknowledge")):
                self.queue.acknowledge(done)
        return len(received)

    async def _survive(self, where: str) -> bool:
        await self.fate.meet(f"before {where}")
        return True
