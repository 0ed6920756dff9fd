from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from asl_engine.errors import Conflict
from asl_engine.store.resources import ResourceStore, created, replaced
from asl_engine.store.sqlite import SqliteStore
from tests.store.resource_contract import ResourceContract


@asynccontextmanager
async def resources_in(directory: Path) -> AsyncIterator[ResourceStore]:
    store = SqliteStore(directory / "store.db")
    try:
        yield store.resources()
    finally:
        await store.close()


class TestSqliteResources(ResourceContract):
    def open(self, directory: Path) -> AbstractAsyncContextManager[ResourceStore]:
        return resources_in(directory)


def test_documents_outlive_the_process(tmp_path: Path) -> None:
    async def tell() -> None:
        async with resources_in(tmp_path) as resources:
            await resources.write(created("machine", "a", {"n": 1}))
        async with resources_in(tmp_path) as resources:
            kept = await resources.get("machine", "a")
            assert kept is not None
            assert kept.document == {"n": 1}

    asyncio.run(tell())


def test_a_write_of_another_process_is_noticed_by_the_conflict_of_the_next(tmp_path: Path) -> None:
    """What was read lately is kept, so it must be let go when it proves to be old."""

    async def tell() -> None:
        async with resources_in(tmp_path) as here, resources_in(tmp_path) as elsewhere:
            await here.write(created("machine", "a", {"n": 1}))
            mine, theirs = await here.get("machine", "a"), await elsewhere.get("machine", "a")
            assert mine is not None
            assert theirs is not None
            await elsewhere.write(replaced(theirs, {"n": 2}))

            with pytest.raises(Conflict):
                await here.write(replaced(mine, {"n": 3}))

            again = await here.get("machine", "a")
            assert again is not None
            assert again.document == {"n": 2}

    asyncio.run(tell())
