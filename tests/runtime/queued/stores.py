"""Stores that do what real ones do now and then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asl_engine.errors import StoreCorrupt, StoreUnavailable
from asl_engine.interpreter.events import TimerFired
from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.clock import Clock
from asl_engine.store.journal import Record
from tests.runtime.queued.worlds import CountingStore


class FailingStore(CountingStore):
    """Fails every write while `error` is set; when it is corrupt, every read of an execution too."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    async def append(self, record: Record) -> None:
        if self.error is not None:
            raise self.error
        await super().append(record)

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        if isinstance(self.error, StoreCorrupt):
            raise self.error
        return await super().load(execution_arn, held)


class UnansweredStore(CountingStore):
    """Takes every record, and fails with what follows it."""

    async def append(self, record: Record) -> None:
        await super().append(record)
        raise StoreUnavailable("no answer")


class RacingStore(CountingStore):
    """Before the next write, somebody else is faster: once."""

    race: Callable[[], Awaitable[None]] | None = None

    async def append(self, record: Record) -> None:
        race, self.race = self.race, None
        if race is not None:
            await race()
        await super().append(record)


class SlowStore(CountingStore):
    """Takes its time to answer, half of it on the way there; for a whole load six times as much."""

    call_milliseconds = 10

    def __init__(self) -> None:
        super().__init__()
        self.clock: Clock | None = None  # no time passes without one

    async def append(self, record: Record) -> None:
        await self._travel()
        try:
            await super().append(record)
        finally:
            await self._travel()

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        await self._travel(1 if held else 6)
        execution = await super().load(execution_arn, held)
        await self._travel(1 if held else 6)
        return execution

    async def _travel(self, calls: int = 1) -> None:
        if self.clock is not None:
            await self.clock.sleep_until(self.clock.now() + calls * self.call_milliseconds // 2)


class PoisonousStore(CountingStore):
    """Cannot take a timer's record of one execution, for a reason that no delivery mends."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        super().__init__()
        self._name, self._error = name, error or ValueError("poison")

    async def append(self, record: Record) -> None:
        if record.execution_arn.endswith(f":{self._name}") and any(isinstance(e, TimerFired) for e in record.events):
            raise self._error
        await super().append(record)


class ListedStore(CountingStore):
    """Keeps its listings apart, as DynamoDB's does."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[tuple[str, int]] = []

    async def ensure_listed(self, execution: Execution) -> None:
        self.listed.append((execution.status.value, execution.sequence))
