"""MemoryStore keeps the contract."""

from __future__ import annotations

from pathlib import Path

from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import ExecutionStore
from tests.store.contract import OrderedStoreContract


class TestMemoryStore(OrderedStoreContract):
    def open(self, directory: Path) -> ExecutionStore:
        return MemoryStore()
