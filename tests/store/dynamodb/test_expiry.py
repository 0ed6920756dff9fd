"""What belongs to a finished execution expires, and nothing that is still needed does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import HEAD, key
from asl_engine.store.journal import record_of
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
