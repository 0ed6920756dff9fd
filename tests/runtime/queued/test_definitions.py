"""Definitions are compiled once, and kept while there is room."""

from __future__ import annotations

import pytest

from asl_engine.errors import StoreCorrupt
from asl_engine.runtime.queued.definitions import Definitions
from asl_engine.store.memory import MemoryStore
from tests.runtime.queued.worlds import JOB, Jobs, chain, complete, task


class ReadingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def definition(self, sha256: str) -> str:
        self.reads += 1
        return await super().definition(sha256)


def test_a_definition_is_read_and_compiled_once() -> None:
    async def story() -> int:
        store = ReadingStore()
        machine = chain(task(JOB), task())
        await Definitions(store, Jobs()).put(machine)
        definitions = Definitions(store, Jobs())
        first = await definitions.get(machine.sha256)
        assert await definitions.get(machine.sha256) is first
        assert await definitions.put(machine) is first
        assert set(first.tasks) == {"S0", "S1"}
        assert first.job_states == {"S0"}
        return store.reads

    assert complete(story) == 1


def test_only_so_many_are_kept() -> None:
    async def story() -> int:
        store = ReadingStore()
        definitions = Definitions(store, None)
        machines = [chain(task(), Comment=str(number)) for number in range(101)]
        for machine in machines:
            assert (await definitions.put(machine)).job_states == frozenset()
        for machine in machines[1:]:
            await definitions.get(machine.sha256)
        assert store.reads == 0
        await definitions.get(machines[0].sha256)
        return store.reads

    assert complete(story) == 1


def test_a_definition_that_is_missing_is_told() -> None:
    with pytest.raises(StoreCorrupt):
        complete(lambda: Definitions(MemoryStore(), None).get("sha"))
