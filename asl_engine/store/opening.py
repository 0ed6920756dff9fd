"""Stores by name, as options and environment variables spell them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from asl_engine.errors import StoreUnavailable
from asl_engine.store.memory import MemoryStore
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.resources import ResourceStore

if TYPE_CHECKING:
    from asl_engine.store.dynamodb.store import DynamoDbStore
    from asl_engine.store.sqlite import SqliteStore


def open_store(spec: str) -> ExecutionStore:
    """The store that "memory", "sqlite:FILE" or "dynamodb:TABLE" names. Its first use opens it, or creates its file.

    Raises StoreUnavailable for any other text.
    """
    kind, _, location = spec.partition(":")
    if spec == "memory":
        return MemoryStore()
    if kind == "sqlite" and location:
        from asl_engine.store.sqlite import SqliteStore

        return SqliteStore(location)
    if kind == "dynamodb" and location:
        from asl_engine.store.dynamodb.opening import open_dynamodb

        return open_dynamodb(location)
    raise StoreUnavailable(
        f"no store is called {spec!r}: it must be `memory`, `sqlite:FILE` or `dynamodb:TABLE`, as in sqlite:runs.db"
    )


async def prepare(store: ExecutionStore) -> None:
    """Create what a store needs before its first use. Raises StoreUnavailable when only its owner can do that."""
    if _is_dynamodb(store):
        from asl_engine.store.dynamodb.opening import ensure_table

        await ensure_table(cast("DynamoDbStore", store))


def resources_beside(store: ExecutionStore) -> ResourceStore:
    """The resources that are kept with these executions."""
    if isinstance(store, MemoryStore):
        return MemoryResources()
    return cast("SqliteStore | DynamoDbStore", store).resources()


def days_kept(store: ExecutionStore) -> int | None:
    """How many days after its end an execution is kept, and what belongs to it; None: for ever."""
    return cast("DynamoDbStore", store).expire_days if _is_dynamodb(store) else None


def _is_dynamodb(store: ExecutionStore) -> bool:
    module = sys.modules.get("asl_engine.store.dynamodb.store")  # unless it is loaded, no such store is open
    return module is not None and isinstance(store, module.DynamoDbStore)
