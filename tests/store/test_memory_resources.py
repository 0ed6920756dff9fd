from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.resources import ResourceStore
from tests.store.resource_contract import ResourceContract


class TestMemoryResources(ResourceContract):
    @asynccontextmanager
    async def open(self, directory: Path) -> AsyncIterator[ResourceStore]:
        yield MemoryResources()
