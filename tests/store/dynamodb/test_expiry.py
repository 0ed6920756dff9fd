"""What belongs to a finished execution expires, and nothing that is still needed does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from asl_engine.errors import StoreRefused
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import HEAD, key
from asl_engine.store.journal import record_of
from benchmarks.cost.fake_aws import FakeAws
from benchmarks.cost.usage import Usage
from tests.store.dynamodb_tables import client_of, moto_url, new_table
from tests.store.journals import NOON, arn_of, followed, started, task_done

FIRST = arn_of("first")
ENDED_AT = NOON + 9
THIRTY_DAYS_LATER = {"N": str(ENDED_AT // 1000 + 30 * 86_400)}


@asynccontextmanager
async def opened(expire_days: int | None) -> AsyncIterator[DynamoDbStore]:
    store = DynamoDbStore(client_of(moto_url(), new_table(moto_url())), expire_days=expire_days)
    try:
        yield store
    finally:
        await store.close()


async def run(store: DynamoDbStore) -> Execution:
    outcome = started()
    await store.append(record_of(outcome))
    for _ in range(20):
        outcome = task_done(outcome.execution)
        await store.append(record_of(outcome))
    assert set(await expiries(store)) == {None}
    end = followed(outcome.execution, frames={}, status=ExecutionStatus.FAILED, stopped_at=ENDED_AT)
    await store.append(record_of(end))
    return end.execution


async def expiries(store: DynamoDbStore) -> list[object]:
    """When the head and each record expire."""
    items = [item async for item in store._journals.items(FIRST)]
    head = await store.client.get(key(FIRST, HEAD))
    return [item.get("expires_at") for item in [*items, head or {}]]


def test_everything_of_an_ended_execution_expires() -> None:
    async def tell() -> None:
        async with opened(30) as store:
            await run(store)
            assert await expiries(store) == [THIRTY_DAYS_LATER] * 23

    asyncio.run(tell())


def test_nothing_expires_unless_it_is_wished() -> None:
    async def tell() -> None:
        async with opened(None) as store:
            await run(store)
            assert await expiries(store) == [None] * 23

    asyncio.run(tell())


def test_a_redriven_execution_expires_no_more() -> None:
    async def tell() -> None:
        async with opened(30) as store:
            execution = await run(store)
            again = followed(execution, status=ExecutionStatus.RUNNING, stopped_at=None, redrive_count=1)
            await store.append(record_of(again))
            assert await expiries(store) == [None] * 24

    asyncio.run(tell())


def test_whoever_brings_the_listing_up_marks_what_the_dead_writer_did_not() -> None:
    async def tell() -> None:
        async with opened(30) as store:
            outcome = started()
            await store.append(record_of(outcome))
            end = followed(outcome.execution, frames={}, status=ExecutionStatus.FAILED, stopped_at=ENDED_AT)
            _execution, known = await store._journals.load(FIRST)
            await store._journals.append(record_of(end), known)  # and there it died
            await store.ensure_listed(end.execution)
            assert await expiries(store) == [THIRTY_DAYS_LATER] * 3

    asyncio.run(tell())


class CountingTable:
    """A client of DynamoDB that counts, and refuses to write batches from the `refused`th on."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self.requests: Counter[str] = Counter()
        self.refused = 1_000_000

    def __getattr__(self, method: str) -> Any:
        self.requests[method] += 1
        if method == "batch_write_item" and self.requests[method] > self.refused:
            refusal = {"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(refusal, "BatchWriteItem")
        return getattr(self._dynamodb, method)


class CountingAws(FakeAws):
    """An account whose one table counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__(Usage(), self._at_once)
        self.dynamodb = CountingTable(self.table)

    async def client(self, _service: str) -> Any:
        return self.dynamodb

    async def _at_once(self) -> None:
        pass


async def long_run(aws: CountingAws, tasks: int) -> tuple[DynamoDbStore, Execution]:
    """All of an execution but its end, which is to come."""
    store = DynamoDbStore(Client("executions", aws), expire_days=30)  # type: ignore[arg-type]
    outcome = started()
    await store.append(record_of(outcome))
    for _ in range(tasks):
        outcome = task_done(outcome.execution)
        await store.append(record_of(outcome))
    return store, outcome.execution


def test_the_records_of_a_long_execution_are_marked_by_the_batch_and_its_listing_waits_for_none() -> None:
    async def tell() -> None:
        aws = CountingAws()
        store, execution = await long_run(aws, 1_200)
        end = followed(execution, frames={}, status=ExecutionStatus.FAILED, stopped_at=ENDED_AT)
        aws.dynamodb.refused = 8
        with pytest.raises(StoreRefused):
            await store.append(record_of(end))
        head = await store._listing.head(FIRST, consistent=True)
        assert head is not None
        assert (head.summary.status, head.expires_at) == (ExecutionStatus.FAILED, None)
        aws.dynamodb.refused = 1_000_000
        await store.ensure_listed(end.execution)
        assert await expiries(store) == [THIRTY_DAYS_LATER] * 1_203
        assert aws.dynamodb.requests["batch_write_item"] <= 8 + 8 + 1_002 // 25 + 2

    asyncio.run(tell())


def test_what_is_marked_is_not_marked_again() -> None:
    async def tell() -> None:
        aws = CountingAws()
        store, execution = await long_run(aws, 30)
        end = followed(execution, frames={}, status=ExecutionStatus.FAILED, stopped_at=ENDED_AT)
        await store.append(record_of(end))
        written = aws.dynamodb.requests.copy()
        await store.ensure_listed(end.execution)
        assert not aws.dynamodb.requests - written, "who has just put the head need not read it"
        await DynamoDbStore(Client("executions", aws), expire_days=30).ensure_listed(end.execution)  # type: ignore[arg-type]
        assert aws.dynamodb.requests - written == {"get_item": 1}

    asyncio.run(tell())
