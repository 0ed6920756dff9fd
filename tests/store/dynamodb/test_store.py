"""DynamoDbStore keeps the contract on moto's server."""

from __future__ import annotations

from pathlib import Path

from asl_engine.store.protocol import ExecutionStore
from tests.store.contract import StoreContract
from tests.store.dynamodb_tables import moto_url, store_in


class TestDynamoDbStoreOnMoto(StoreContract):
    def open(self, directory: Path) -> ExecutionStore:
        return store_in(moto_url())
