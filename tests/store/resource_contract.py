"""What every ResourceStore promises. A store's test module subclasses ResourceContract and says how to open one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from asl_engine.errors import Conflict
from asl_engine.store.resources import ResourceStore, created, removed, replaced

Story: TypeAlias = "Callable[[ResourceContract, ResourceStore], Awaitable[None]]"


def story(told: Story) -> Callable[[ResourceContract, Path], None]:
    """Make a test of a coroutine that is given an open store."""

    def test(self: ResourceContract, tmp_path: Path) -> None:
        async def tell() -> None:
            async with self.open(tmp_path) as resources:
                await told(self, resources)

        asyncio.run(tell())

    test.__doc__ = told.__doc__
    return test


async def keys(resources: ResourceStore, kind: str, prefix: str = "", after: str = "", limit: int = 100) -> list[str]:
    return [each.key for each in await resources.list(kind, prefix=prefix, after=after, limit=limit)]


class ResourceContract:
    """The suite. `open` gives a store whose data, if it outlives the store, is in the directory."""

    def open(self, directory: Path) -> AbstractAsyncContextManager[ResourceStore]:
        raise NotImplementedError

    @story
    async def test_a_document_that_was_written_is_read_back(self, resources: ResourceStore) -> None:
        document = {"text": "ü \ud83d", "number": 1.5, "list": [None, True]}
        await resources.write(created("machine", "a", document))

        kept = await resources.get("machine", "a")

        assert kept is not None
        assert (kept.kind, kept.key, kept.revision, kept.document) == ("machine", "a", 1, document)

    @story
    async def test_nothing_is_found_under_another_kind_or_key(self, resources: ResourceStore) -> None:
        await resources.write(created("machine", "a", {}))

        assert await resources.get("activity", "a") is None
        assert await resources.get("machine", "b") is None

    @story
    async def test_each_write_counts_the_revision_up(self, resources: ResourceStore) -> None:
        await resources.write(created("machine", "a", {"n": 1}))
        first = await resources.get("machine", "a")
        assert first is not None
        await resources.write(replaced(first, {"n": 2}))
        second = await resources.get("machine", "a")

        assert second is not None
        assert (second.revision, second.document) == (2, {"n": 2})

    @story
    async def test_a_write_that_expects_another_revision_changes_nothing(self, resources: ResourceStore) -> None:
        await resources.write(created("machine", "a", {"n": 1}))
        first = await resources.get("machine", "a")
        assert first is not None
        await resources.write(replaced(first, {"n": 2}))

        with pytest.raises(Conflict):
            await resources.write(created("machine", "b", {}), replaced(first, {"n": 3}))

        assert await resources.get("machine", "b") is None
        again = await resources.get("machine", "a")
        assert again is not None
        assert again.document == {"n": 2}

    @story
    async def test_what_exists_cannot_be_created(self, resources: ResourceStore) -> None:
        await resources.write(created("machine", "a", {}))
        with pytest.raises(Conflict):
            await resources.write(created("machine", "a", {}))

    @story
    async def test_a_document_that_was_removed_can_be_created_again(self, resources: ResourceStore) -> None:
        await resources.write(created("machine", "a", {}))
        kept = await resources.get("machine", "a")
        assert kept is not None
        await resources.write(removed(kept))
        assert await resources.get("machine", "a") is None
        with pytest.raises(Conflict):
            await resources.write(removed(kept))

        await resources.write(created("machine", "a", {"again": True}))

        assert await keys(resources, "machine") == ["a"]

    @story
    async def test_a_listing_has_one_kind_in_the_order_of_keys(self, resources: ResourceStore) -> None:
        for key in ("b:2", "a:1", "b:10", "c"):
            await resources.write(created("machine", key, {}))
        await resources.write(created("other", "b:3", {}))

        assert await keys(resources, "machine") == ["a:1", "b:10", "b:2", "c"]
        assert await keys(resources, "machine", prefix="b:") == ["b:10", "b:2"]
        assert await keys(resources, "machine", prefix="b:", after="b:10") == ["b:2"]
        assert await keys(resources, "machine", after="a:1", limit=2) == ["b:10", "b:2"]
        assert await keys(resources, "nothing") == []
