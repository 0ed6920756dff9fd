"""DynamoDbResources keeps the contract on moto's server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from asl_engine.store.resources import ResourceStore
from tests.store.dynamodb_tables import moto_url, store_in
from tests.store.resource_contract import ResourceContract


@asynccontextmanager
async def resources_at(url: str) -> AsyncIterator[ResourceStore]:
    store = store_in(url)
    try:
        yield store.resources()
    finally:
        await store.close()


class TestDynamoDbResourcesOnMoto(ResourceContract):
    def open(self, directory: Path) -> AbstractAsyncContextManager[ResourceStore]:
        return resources_at(moto_url())
