"""The contracts hold on emulators that were written by others, and differ where DynamoDB is not understood well."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.resources import ResourceStore
from tests.needs import leave_out
from tests.store.contract import StoreContract
from tests.store.dynamodb.test_resources import resources_at
from tests.store.dynamodb_tables import store_in
from tests.store.emulators import Unavailable, dynalite_url, ministack_url
from tests.store.resource_contract import ResourceContract


def url_or_leave_out(url: Callable[[], str]) -> str:
    try:
        return url()
    except Unavailable as error:
        leave_out(str(error))


class TestDynamoDbStoreOnDynalite(StoreContract):
    def open(self, directory: Path) -> ExecutionStore:
        return store_in(url_or_leave_out(dynalite_url))


class TestDynamoDbResourcesOnDynalite(ResourceContract):
    test_a_write_that_expects_another_revision_changes_nothing = None  # type: ignore[assignment] # it has no transactions

    def open(self, directory: Path) -> AbstractAsyncContextManager[ResourceStore]:
        return resources_at(url_or_leave_out(dynalite_url))


class TestDynamoDbStoreOnMinistack(StoreContract):
    def open(self, directory: Path) -> ExecutionStore:
        return store_in(url_or_leave_out(ministack_url))


class TestDynamoDbResourcesOnMinistack(ResourceContract):
    def open(self, directory: Path) -> AbstractAsyncContextManager[ResourceStore]:
        return resources_at(url_or_leave_out(ministack_url))
