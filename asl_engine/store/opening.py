"""Stores by name, as options and environment variables spell them."""

from __future__ import annotations

from asl_engine.errors import StoreUnavailable
from asl_engine.store.memory import MemoryStore
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.resources import ResourceStore


def open_store(spec: str) -> ExecutionStore:
    """The store that "memory" or "sqlite:FILE" names. Its file is opened, or created, by its first use.

    Raises StoreUnavailable for any other text.
    """
    kind, _, location = spec.partition(":")
    if spec == "memory":
        return MemoryStore()
    if kind == "sqlite" and location:
        from asl_engine.store.sqlite import SqliteStore

        return SqliteStore(location)
    raise StoreUnavailable(f"no store is called {spec!r}: it must be `memory` or `sqlite:FILE`, as in sqlite:runs.db")


def resources_beside(store: ExecutionStore) -> ResourceStore:
    """The resources that are kept with these executions."""
    if isinstance(store, MemoryStore):
        return MemoryResources()
    from asl_engine.store.sqlite import SqliteStore

    assert isinstance(store, SqliteStore), "every store has resources beside it"
    return store.resources()
