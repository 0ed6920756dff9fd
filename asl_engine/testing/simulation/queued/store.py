"""The store of the queued host's simulation: what is durable, with a checker for each execution, and the way to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from asl_engine.errors import Conflict
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.store.codec import decode_record, encode_record
from asl_engine.store.journal import Record
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import ExecutionSummary
from asl_engine.testing.simulation.queued.process import KNOWN, Plant, Process
from asl_engine.testing.simulation.queued.promises import Promises
from asl_engine.testing.simulation.simulated_store import StoreConnection


class DurableJournals(MemoryStore):
    """What survives every crash. `encoding`: records are kept as another process would read them from their bytes."""

    def __init__(self, plant: Plant, promises: Promises, *, encoding: bool) -> None:
        super().__init__()
        self._plant, self.promises, self._encoding = plant, promises, encoding
        self.brought: Mapping[str, Event] = {}

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append. The execution's checker sees the record as it lands."""
        stored = decode_record(encode_record(record)) if self._encoding else record
        if stored.sequence == len(self._journals[stored.execution_arn].records if stored.sequence else ()):
            self._plant.judge(self.promises.landing, stored)
        await super().append(stored)
        self._plant.judge(self.promises.landed, stored, self.brought)
        self._plant.judge(self._plant.checkers[record.execution_arn].appended, stored)


class ProcessStore(StoreConnection):
    """One process's way to the store, with all that the queued host asks of one."""

    def __init__(self, store: DurableJournals, process: Process, keyframe: float) -> None:
        super().__init__(store, process.plant.world, process, keyframe)
        self._journals, self._plant = store, process.plant

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append."""
        self.faults = self._plant.faults
        try:
            await super().append(record)
        except Conflict:
            self._world.befell("lost race", self._process.name)
            raise
        KNOWN.get()[record.execution_arn] = record.sequence

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        """See ExecutionStore.load."""
        self.faults = self._plant.faults
        execution = await super().load(execution_arn, held)
        KNOWN.get()[execution_arn] = execution.sequence
        return execution

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        """See ExecutionStore.records."""
        self.faults = self._plant.faults
        await self._process.effect("read records")
        self._fail("records")
        async for record in self._journals.records(execution_arn, newest_first=newest_first):
            yield record
        await self._process.effect("records read")

    async def executions(self, status: ExecutionStatus | None = None, **page: Any) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.executions."""
        await self._process.effect("list executions")
        self._fail("list executions")
        return await self._journals.executions(status, **page)

    async def ensure_listed(self, execution: Execution) -> None:
        """See ListingStore."""
        await self._process.effect("list")
        self._fail("list")
        self._journals.promises.listed(execution)
        await self._process.effect("listed")

    async def put_definition(self, sha256: str, text: str) -> None:
        """See ExecutionStore.put_definition."""
        await self._process.effect("put definition")
        await self._journals.put_definition(sha256, text)

    async def definition(self, sha256: str) -> str:
        """See ExecutionStore.definition."""
        await self._process.effect("read definition")
        return await self._journals.definition(sha256)
