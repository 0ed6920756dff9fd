"""Stores that do what real ones do now and then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asl_engine.errors import StoreCorrupt
from asl_engine.interpreter.events import TimerFired
from asl_engine.interpreter.execution import Execution
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


class RacingStore(CountingStore):
    """Before the next write, somebody else is faster: once."""

    race: Callable[[], Awaitable[None]] | None = None

    async def append(self, record: Record) -> None:
        race, self.race = self.race, None
        if race is not None:
            await race()
        await super().append(record)


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
