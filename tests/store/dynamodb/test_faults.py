"""Whatever goes wrong with a request, nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from asl_engine.errors import Conflict, StoreUnavailable
from asl_engine.interpreter.events import StopRequested, TaskSucceeded
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.journal import record_of
from asl_engine.store.resources import created, removed, replaced
from tests.store.dynamodb.faulty_connection import WRITES, Choice, Fault, FaultyConnection
from tests.store.dynamodb_tables import moto_url, new_table, no_pause, store_in
from tests.store.journals import NOON, arn_of, followed, started, task_done

FIRST = arn_of("first")
# Whether a read was carried out before its answer was lost makes no difference.
FAULTS_OF_READING = {Fault.LOST_REQUEST, Fault.TRUNCATED}


def never(_number: int, _operation: str) -> None:
    """Nothing goes wrong."""


def store_on(connection: FaultyConnection, table: str | None = None) -> DynamoDbStore:
    return DynamoDbStore(Client(table or new_table(moto_url()), connection, pause=no_pause), expire_days=30)


@asynccontextmanager
async def faulty_connection(choose: Choice = never) -> AsyncIterator[FaultyConnection]:
    connection = FaultyConnection(moto_url(), choose)
    try:
        yield connection
    finally:
        await connection.really_close()


@dataclass
class Seen:
    """All that a reader sees in the end."""

    execution: Execution
    history: list[int]
    listed: list[tuple[str, str]]
    inbox: list[Any]
    addressees: list[str]
    documents: list[tuple[str, int, object]] = field(default_factory=list)
    expiries: list[object] = field(default_factory=list)


async def work(store: DynamoDbStore) -> None:
    """A bit of everything that writes."""
    await store.put_definition("d" * 64, '{"StartAt": "A"}')
    await store.claim(FIRST)
    outcome = started()
    await store.append(record_of(outcome))
    await store.send(FIRST, StopRequested())
    await store.send(FIRST, TaskSucceeded("0", 3, {"from": "outside"}))
    stop, _success = await store.inbox(FIRST)
    outcome = task_done(outcome.execution, {"order": 7})
    await store.append(record_of(outcome, consumed=[stop.id]))
    await store.load(FIRST)
    end = followed(outcome.execution, frames={}, status=ExecutionStatus.SUCCEEDED, stopped_at=NOON + 9)
    await store.append(record_of(end))
    await store.ensure_listed(end.execution)
    await store.release(FIRST)


async def documents(store: DynamoDbStore) -> None:
    """Everything that resources do."""
    resources = store.resources()
    await resources.write(created("machine", "a", {"n": 1}))
    kept = await resources.get("machine", "a")
    assert kept is not None
    await resources.write(replaced(kept, {"n": 2}), created("machine", "b", {"n": 1}), created("machine", "c", {}))
    other = await resources.get("machine", "c")
    assert other is not None
    await resources.write(removed(other))


async def see(store: DynamoDbStore) -> Seen:
    """Read it all back."""
    return Seen(
        execution=await store.load(FIRST),
        history=[event.id async for event in store.history(FIRST, after=1)],
        listed=[(summary.name, summary.status) for summary in await store.executions()],
        inbox=[message.event for message in await store.inbox(FIRST)],
        addressees=list(await store.addressees()),
        documents=[(each.key, each.revision, each.document) for each in await store.resources().list("machine")],
        expiries=[item.get("expires_at") for item in [item async for item in store._journals.items(FIRST)]],
    )


async def everything(connection: FaultyConnection, choose: Choice) -> Seen:
    """Work in a table of its own, with faults from the first request on."""
    store = store_on(connection)
    connection.begin(choose)
    try:
        await work(store)
        await documents(store)
        return await see(store)
    finally:
        connection.choose = never
        await store.close()


async def undisturbed() -> tuple[Seen, list[str]]:
    async with faulty_connection() as connection:
        return await everything(connection, never), connection.requests[:-1]  # but for closing


@pytest.fixture(scope="module")
def without_faults() -> tuple[Seen, list[str]]:
    return asyncio.run(undisturbed())


def test_the_work_is_what_it_seems(without_faults: tuple[Seen, list[str]]) -> None:
    seen, _requests = without_faults
    assert seen.execution.status is ExecutionStatus.SUCCEEDED
    assert seen.history == [2, 3]
    assert seen.listed == [("first", "SUCCEEDED")]
    assert seen.inbox == [TaskSucceeded("0", 3, {"from": "outside"})]
    assert seen.expiries == [{"N": str(NOON // 1000 + 30 * 86_400)}] * 3
    assert seen.documents == [("a", 2, {"n": 2}), ("b", 1, {"n": 1})]


def only(fault: Fault, number: int) -> Choice:
    """This fault, of this request."""
    return lambda each, _operation: fault if each == number else None


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_of_any_one_request_changes_nothing(fault: Fault, without_faults: tuple[Seen, list[str]]) -> None:
    seen, requests = without_faults

    async def tell() -> None:
        async with faulty_connection() as connection:
            for number, request in enumerate(requests):
                if request in WRITES or fault in FAULTS_OF_READING:
                    result = await everything(connection, only(fault, number))
                    assert result == seen, f"{fault}: request {number}, {request}"

    asyncio.run(tell())


@pytest.mark.parametrize("seed", range(10))
def test_faults_of_many_requests_change_nothing(seed: int, without_faults: tuple[Seen, list[str]]) -> None:
    seen, _requests = without_faults
    chance = random.Random(seed)

    def choose(_number: int, _operation: str) -> Fault | None:
        return chance.choice(list(Fault)) if chance.random() < 0.3 else None

    async def tell() -> Seen:
        async with faulty_connection() as connection:
            return await everything(connection, choose)

    assert asyncio.run(tell()) == seen


def test_a_rival_who_writes_while_a_request_is_lost_wins() -> None:
    """What is found was written by somebody else, though it is the same."""

    async def tell() -> None:
        table, record = new_table(moto_url()), record_of(started())
        async with faulty_connection() as connection:
            store, rival = store_on(connection, table), store_in(moto_url(), table)

            async def rival_writes(_seconds: float) -> None:
                connection.begin(never)
                await rival.append(record)

            connection.begin(lambda _number, _operation: Fault.LOST_REQUEST)
            store.client.pause = rival_writes
            with pytest.raises(Conflict):
                await store.append(record)
            await rival.close()

    asyncio.run(tell())


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.ERROR, Fault.THROTTLED])
def test_a_service_that_stays_away_is_unavailable_and_not_asked_for_ever(fault: Fault) -> None:
    async def tell() -> None:
        async with faulty_connection(lambda _number, _operation: fault) as connection:
            with pytest.raises(StoreUnavailable, match="no answer in 10 attempts"):
                await store_on(connection).append(record_of(started()))
            assert len(connection.requests) <= 11

    asyncio.run(tell())


def test_what_is_refused_is_not_repeated() -> None:
    async def tell() -> None:
        async with faulty_connection() as connection:
            with pytest.raises(
                StoreUnavailable, match=r"there is no such table in this account and region\. Create it"
            ):
                await store_on(connection, "no-such-table").append(record_of(started()))
            assert connection.requests == ["Query"]

    asyncio.run(tell())


def test_what_a_record_consumed_is_not_taken_again_when_its_writer_died() -> None:
    """The message lies there still, and the journal says that it was answered."""

    async def tell() -> None:
        table, outcome = new_table(moto_url()), started()
        async with faulty_connection(lambda _, operation: Fault.ERROR if operation == "DeleteItem" else None) as dying:
            store = store_on(dying, table)
            await store.append(record_of(outcome))
            await store.send(FIRST, StopRequested())
            (message,) = await store.inbox(FIRST)
            with pytest.raises(StoreUnavailable):
                await store.append(record_of(task_done(outcome.execution), consumed=[message.id]))
        store = store_in(moto_url(), table)
        assert await store.addressees() == [FIRST]
        assert await store.inbox(FIRST) == []
        assert await store.addressees() == []
        await store.close()

    asyncio.run(tell())


def test_a_head_that_its_writer_could_not_put_is_put_by_whoever_starts_the_execution_again() -> None:
    async def tell() -> None:
        table, record = new_table(moto_url()), record_of(started())
        puts = iter([None])

        def second_put_fails(_number: int, operation: str) -> Fault | None:
            return next(puts, Fault.ERROR) if operation == "PutItem" else None

        async with faulty_connection(second_put_fails) as dying:
            with pytest.raises(StoreUnavailable):
                await store_on(dying, table).append(record)
        store = store_in(moto_url(), table)
        assert await store.executions() == []
        with pytest.raises(Conflict):
            await store.append(record)
        assert [summary.name for summary in await store.executions(ExecutionStatus.RUNNING)] == ["first"]
        await store.close()

    asyncio.run(tell())
