"""The store of a simulation: what is durable, and each process's slow and unreliable way to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from asl_engine.errors import Conflict, StoreUnavailable
from asl_engine.interpreter.execution import Execution
from asl_engine.store.codec import decode_record, encode_record
from asl_engine.store.journal import Record
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import InboxMessage
from asl_engine.testing.simulation.checker import Checker
from asl_engine.testing.simulation.faults import Faults
from asl_engine.testing.simulation.world import World, complete

_LATE_MAX: Final = 30_000  # milliseconds until a write lands that its caller has given up


class DurableStore(MemoryStore):
    """What survives every crash. `encoding`: records are kept as another process would read them from their bytes."""

    def __init__(self, checker: Checker, *, encoding: bool) -> None:
        super().__init__()
        self._checker, self._encoding = checker, encoding

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append. The checker sees the record as it lands."""
        stored = decode_record(encode_record(record)) if self._encoding else record
        await super().append(stored)
        self._checker.appended(stored)


class Effects(Protocol):
    """Where a process may die."""

    name: str

    async def effect(self, what: str) -> None:
        """Before or after something is done to the world outside. May raise Crash."""


class StoreConnection:
    """One process's way to the store: the part of ExecutionStore that runs an execution.

    Any call may fail before it was carried out. An append may also fail after it was written, or before: what was given
    up by its caller lands later, behind the back of whoever goes on, if nobody has written that record meanwhile.
    """

    def __init__(self, store: MemoryStore, world: World, process: Effects, keyframe: float) -> None:
        self._store, self._world, self._process, self._keyframe = store, world, process, keyframe
        self.faults = Faults()

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append."""
        await self._process.effect("append")
        self._fail("append, lost")
        if self._world.chance(self.faults.late_write):
            self._world.after(self._world.between(1, _LATE_MAX), lambda: self._land(record))
            self._world.befell("store error: append, landing later", self._process.name)
            raise StoreUnavailable("simulated: append")
        await self._store.append(record)
        self._world.note(self._process.name, "has written record", record.sequence, *(e.type for e in record.history))
        self._fail("append, written")
        await self._process.effect("appended")

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        """See ExecutionStore.load."""
        await self._process.effect("load")
        self._fail("load")
        execution = await self._store.load(execution_arn, held)
        await self._process.effect("loaded")
        return execution

    def keyframe_due(self, _execution_arn: str) -> bool:
        """As drawn: a keyframe may be written at any time."""
        return self._world.chance(self._keyframe)

    async def inbox(self, execution_arn: str) -> Sequence[InboxMessage]:
        """See ExecutionStore.inbox."""
        await self._process.effect("read inbox")
        self._fail("inbox")
        messages = await self._store.inbox(execution_arn)
        await self._process.effect("inbox read")
        return messages

    def _land(self, record: Record) -> None:
        try:
            complete(self._store.append(record))
        except Conflict:
            return
        self._world.befell("late write", self._process.name)

    def _fail(self, call: str) -> None:
        if self._world.chance(self.faults.store_error / (2 if "append" in call else 1)):
            self._world.befell(f"store error: {call}")
            raise StoreUnavailable(f"simulated: {call}")
