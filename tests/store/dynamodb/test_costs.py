"""What the store asks of DynamoDB, counted by the meter: this is what a user pays for."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from asl_engine.errors import Conflict
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.json_value import JsonValue
from asl_engine.store.dynamodb.client import Observers
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.units import Call, item_size, writes_of
from asl_engine.store.journal import record_of
from tests.store.dynamodb_tables import moto_url, store_in
from tests.store.journals import NOON, arn_of, followed, started, task_done

FIRST = arn_of("first")


def metered(told: Callable[[DynamoDbStore, list[Call]], Awaitable[None]]) -> None:
    """Tell a story to a store whose calls are kept."""

    async def tell() -> None:
        calls: list[Call] = []
        store = store_in(moto_url(), observers=Observers(on_call=calls.append))
        try:
            await told(store, calls)
        finally:
            await store.close()

    asyncio.run(tell())


def order_of_a_kilobyte(chance: random.Random) -> JsonValue:
    """A payload as services return it: names repeat, values do not."""
    items: list[JsonValue] = []
    order: JsonValue = {"orderId": f"{chance.getrandbits(96):x}", "items": items}
    while len(json.dumps(order)) < 1024 - 80:
        sku, price = f"{chance.getrandbits(40):X}", round(chance.random() * 100, 2)
        items.append({"sku": sku, "quantity": chance.randint(1, 9), "price": price, "warehouse": "Rotterdam-3"})
    return order


async def tasks_done(store: DynamoDbStore, count: int) -> Execution:
    chance = random.Random(7)
    outcome = started()
    await store.append(record_of(outcome))
    for _ in range(count):
        outcome = task_done(outcome.execution, order_of_a_kilobyte(chance))
        await store.append(record_of(outcome))
    return outcome.execution


def test_a_task_with_a_kilobyte_of_payload_costs_one_write_unit_and_nothing_else() -> None:
    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        execution = await tasks_done(store, 1)
        calls.clear()
        for _ in range(20):
            outcome = task_done(execution, order_of_a_kilobyte(random.Random(execution.sequence)))
            await store.append(record_of(outcome))
            execution = outcome.execution
        assert Counter(call.operation for call in calls) == {"PutItem": 20}
        assert sum(call.write_units for call in calls) == 20

    metered(told)


def test_an_execution_costs_two_puts_at_its_start_and_two_at_its_end() -> None:
    """At the start each index gets an entry; at a successful end by_status loses one, and by_state_machine rests."""

    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        outcome = started()
        await store.append(record_of(outcome))
        record, head = calls
        assert [place for place, _size in record.written] == ["table"]
        assert [place for place, _size in head.written] == ["table", "by_state_machine", "by_status"]
        assert record.write_units + head.write_units == 4
        calls.clear()
        end = followed(outcome.execution, frames={}, status=ExecutionStatus.SUCCEEDED, stopped_at=NOON + 9)
        await store.append(record_of(end))
        record, head = calls
        assert [place for place, _size in record.written] == ["table"]
        assert [place for place, _size in head.written] == ["table", "by_status"]
        assert record.write_units + head.write_units == 3

    metered(told)


def test_loading_reads_a_page_and_what_is_missing_down_to_the_keyframe() -> None:
    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        execution = await tasks_done(store, 3)
        calls.clear()
        await store.load(FIRST)
        assert [(call.operation, call.consistent) for call in calls] == [("Query", True)]
        for _ in range(9):
            outcome = task_done(execution)
            await store.append(record_of(outcome))
            execution = outcome.execution
        calls.clear()
        await store.load(FIRST)
        assert [call.operation for call in calls] == ["Query", "Query"]
        await store.append(record_of(task_done(execution), keyframe=True))
        calls.clear()
        await store.load(FIRST)
        assert [call.operation for call in calls] == ["Query"]

    metered(told)


def test_who_lost_a_race_reads_only_what_is_newer_and_goes_on() -> None:
    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        held = execution = await tasks_done(store, 9)
        rival = store_in(moto_url(), store.client.table)
        await rival.load(FIRST)
        for number in range(3):
            outcome = task_done(execution)
            await rival.append(record_of(outcome, keyframe=number == 1))
            execution = outcome.execution
        calls.clear()
        with pytest.raises(Conflict):
            await store.append(record_of(task_done(held)))
        execution = await store.load(FIRST, held)
        assert [call.operation for call in calls] == ["PutItem", "Query"]
        assert sum(call.read_units for call in calls) == 1
        outcome = task_done(execution)
        await store.append(record_of(outcome))
        assert [call.operation for call in calls] == ["PutItem", "Query", "PutItem"]
        assert await rival.load(FIRST) == outcome.execution
        await rival.close()

    metered(told)


def test_who_is_far_behind_reads_a_page_and_then_from_the_newest_keyframe_on() -> None:
    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        held = execution = await tasks_done(store, 1)
        for number in range(130):
            outcome = task_done(execution)
            await store.append(record_of(outcome, keyframe=number == 127))
            execution = outcome.execution
        calls.clear()
        assert await store.load(FIRST, held) == execution
        assert [call.operation for call in calls] == ["Query", "Query"]

    metered(told)


def test_nothing_on_the_path_of_an_execution_is_transactional() -> None:
    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        execution = await tasks_done(store, 3)
        await store.send(FIRST, StopRequested())
        (message,) = await store.inbox(FIRST)
        await store.append(record_of(task_done(execution), consumed=[message.id]))
        assert not any(call.transactional for call in calls)

    metered(told)


def test_a_page_of_history_is_found_by_halving() -> None:
    """The 1,000th page of a long history may not cost a read of all before it."""

    async def told(store: DynamoDbStore, calls: list[Call]) -> None:
        execution = await tasks_done(store, 60)
        calls.clear()
        newest = [event.id async for event in store.history(FIRST, after=execution.last_event_id - 1)]
        assert newest == [execution.last_event_id]
        assert sum(call.operation == "GetItem" for call in calls) <= 6
        assert sum(call.read_units for call in calls) <= 9

    metered(told)


def test_the_time_of_the_service_is_handed_on() -> None:
    async def tell() -> None:
        moments: list[int] = []
        store = store_in(moto_url(), observers=Observers(on_server_time=moments.append))
        try:
            await store.append(record_of(started()))
        finally:
            await store.close()
        assert len(moments) == 2
        assert all(moment > NOON and moment % 1000 == 0 for moment in moments)

    asyncio.run(tell())


def test_sizes_are_those_of_names_and_values() -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    assert item_size({"pk": {"S": "grün"}, "b": {"B": b"12345"}}) == 2 + 5 + 1 + 5
    assert [item_size({"k": {"N": number}}) for number in ("0", "7", "100", "1795576912576", "-12")] == [2, 3, 3, 9, 4]


def test_an_entry_that_moves_in_an_index_is_deleted_and_put() -> None:
    old = {"pk": {"S": "a"}, "sk": {"S": "h"}, "gsi2pk": {"S": "RUNNING#1"}, "gsi2sk": {"S": "m#1"}}
    new = old | {"gsi2pk": {"S": "FAILED#1"}}
    assert [place for place, _size in writes_of(new, old)] == ["table", "by_status", "by_status"]
    assert [place for place, _size in writes_of(new, new)] == ["table"]
    call = Call(service="dynamodb", operation="PutItem", written=writes_of(new, old))
    assert call.write_units == 3
    assert Call(service="dynamodb", operation="x", written=(("table", 1025),), transactional=True).write_units == 4
    assert Call(service="dynamodb", operation="x", read_bytes=(4097,)).read_units == 1
