"""Heads follow the journal, whoever writes them and however late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.store.dynamodb.heads import first_head, head_of_execution
from asl_engine.store.dynamodb.listing import Listing
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import HEAD, key
from asl_engine.store.journal import record_of
from tests.store.dynamodb_tables import moto_url, store_in
from tests.store.journals import MACHINE_ARN, NOON, arn_of, followed, started

FIRST = arn_of("first")


def story(told: Callable[[DynamoDbStore], Awaitable[None]]) -> Callable[[], None]:
    """Make a test of a coroutine that is given an open store."""

    def test() -> None:
        async def tell() -> None:
            store = store_in(moto_url())
            try:
                await told(store)
            finally:
                await store.close()

        asyncio.run(tell())

    return test


async def statuses(store: DynamoDbStore) -> list[str]:
    return [summary.status.value for summary in await store.executions()]


async def ended(store: DynamoDbStore, status: ExecutionStatus = ExecutionStatus.SUCCEEDED) -> Execution:
    outcome = started()
    await store.append(record_of(outcome))
    end = followed(outcome.execution, frames={}, status=status, stopped_at=NOON + 9)
    await store.append(record_of(end))
    return end.execution


@story
async def test_a_head_that_is_missing_is_written(store: DynamoDbStore) -> None:
    execution = await ended(store)
    await store.client.delete(key(FIRST, HEAD))
    assert await statuses(store) == []
    await DynamoDbStore(store.client).ensure_listed(execution)
    assert await statuses(store) == ["SUCCEEDED"]


@story
async def test_a_head_that_is_stale_is_brought_up(store: DynamoDbStore) -> None:
    outcome = started()
    await store.append(record_of(outcome))
    await store.ensure_listed(
        replace(outcome.execution, status=ExecutionStatus.FAILED, stopped_at=NOON + 9, sequence=1)
    )
    assert await statuses(store) == ["FAILED"]
    assert await store.executions(ExecutionStatus.RUNNING) == []
    assert len(await store.executions(ExecutionStatus.FAILED)) == 1


@story
async def test_a_late_writer_does_not_take_a_head_back(store: DynamoDbStore) -> None:
    """A start's head may arrive after the end's: its writer was slow, or its request."""
    await ended(store)
    journals = store._journals
    await Listing(store.client, journals).put(first_head(record_of(started())), replaces=None)
    await store.ensure_listed(started().execution)
    assert await statuses(store) == ["SUCCEEDED"]


@story
async def test_a_head_that_is_right_is_not_written_again(store: DynamoDbStore) -> None:
    execution = await ended(store)
    before = await store.client.get(key(FIRST, HEAD))
    await store.ensure_listed(replace(execution, sequence=execution.sequence + 1))
    assert await store.client.get(key(FIRST, HEAD)) == before


@pytest.mark.parametrize("status", ExecutionStatus)
def test_executions_of_a_machine_in_a_status_are_paged(status: ExecutionStatus) -> None:
    async def told(store: DynamoDbStore) -> None:
        for number in range(9):
            for machine in (MACHINE_ARN, "arn:aws:states:::stateMachine:Other"):
                arn = f"{machine}:{number}".replace("stateMachine", "execution")
                fields: dict[str, Any] = {
                    "status": status,
                    "arn": arn,
                    "name": f"run-{number}",
                    "state_machine_arn": machine,
                }
                await store.append(record_of(started(at=NOON + number, **fields)))
        listed: list[str] = []
        before = None
        while page := await store.executions(status, state_machine_arn=MACHINE_ARN, before=before, limit=4):
            listed += [summary.name for summary in page]
            before = page[-1].arn
        assert listed == [f"run-{number}" for number in range(8, -1, -1)]
        assert len(await store.executions(status)) == 18

    story(told)()


@story
async def test_an_execution_without_a_head_can_be_gone_on_behind(store: DynamoDbStore) -> None:
    for number in range(3):
        await store.append(record_of(started(f"run-{number}", at=NOON + number)))
    await store.client.delete(key(arn_of("run-1"), HEAD))
    (older,) = await store.executions(before=arn_of("run-1"))
    assert older.name == "run-0"


@story
async def test_what_is_open_is_listed_once_and_can_be_gone_on_behind_any_place(store: DynamoDbStore) -> None:
    for number in range(20):
        await store.append(record_of(started(f"run-{number}", at=NOON + number)))
    await ended(store)
    listed = [each async for each in store.open_executions()]
    assert sorted(arn for arn, _place in listed) == sorted(arn_of(f"run-{number}") for number in range(20))
    for index, (_arn, place) in enumerate(listed):
        assert [each async for each in store.open_executions(place)] == listed[index + 1 :]


def test_the_head_of_an_execution_is_the_one_that_its_records_make() -> None:
    outcome = started()
    end = followed(outcome.execution, frames={}, status=ExecutionStatus.FAILED, stopped_at=NOON + 9)
    assert first_head(record_of(outcome)).after(record_of(end)) == head_of_execution(end.execution)
