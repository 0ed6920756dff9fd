"""The bill is right: units by hand, and the store's own meter says the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from asl_engine.store.dynamodb.client import Client, Observers
from asl_engine.store.dynamodb.connection import Connection
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.units import Call
from benchmarks.cost.fake_aws import FakeAws, FakeDynamoDb, item_bytes
from benchmarks.cost.usage import Usage
from tests.store.journals import arn_of, journal_of

KEY = {"pk": {"S": "execution"}, "sk": {"S": "r000000001"}}
NEW = "attribute_not_exists(pk)"


async def at_once() -> None:
    """AWS answers without taking time."""


def billed(story: Callable[[FakeDynamoDb], Awaitable[Any]]) -> Usage:
    """What was used when the story is over."""
    usage = Usage()
    asyncio.run(cast("Any", story(FakeDynamoDb(usage, at_once))))
    return usage


def record_of_bytes(size: int) -> dict[str, Any]:
    return KEY | {"b": {"B": b"x" * (size - item_bytes(KEY) - len("b"))}}


def test_an_item_weighs_its_names_and_its_values() -> None:
    item = {"pk": {"S": "añ"}, "sk": {"S": "r1"}, "b": {"B": b"1234"}, "k": {"N": "12"}, "e": {"N": "12345"}}
    assert item_bytes(item) == (2 + 3) + (2 + 2) + (1 + 4) + (1 + 2) + (1 + 4)


@pytest.mark.parametrize(("size", "units"), [(100, 1), (1024, 1), (1025, 2), (2048, 2), (2049, 3)])
def test_a_write_is_billed_by_the_kilobyte(size: int, units: int) -> None:
    usage = billed(lambda table: table.put_item(Item=record_of_bytes(size), ConditionExpression=NEW))
    assert (usage.write_units, usage.record_write_units, usage.records) == (units, units, 1)


def test_a_write_whose_condition_fails_is_billed_by_the_larger_item() -> None:
    async def story(table: FakeDynamoDb) -> None:
        await table.put_item(Item=record_of_bytes(2000), ConditionExpression=NEW)
        with pytest.raises(ClientError):
            await table.put_item(Item=record_of_bytes(100), ConditionExpression=NEW)

    usage = billed(story)
    assert (usage.write_units, usage.records, usage.record_puts) == (4, 1, 2)


def test_an_index_is_billed_when_its_entry_changes() -> None:
    listed = {"pk": {"S": "execution"}, "sk": {"S": "h"}, "gsi1pk": {"S": "m"}, "gsi1sk": {"S": "1"}}
    running = listed | {"gsi2pk": {"S": "RUNNING"}, "gsi2sk": {"S": "1"}}

    def story(*items: dict[str, Any]) -> int:
        async def puts(table: FakeDynamoDb) -> None:
            for item in items:
                await table.put_item(Item=item)

        return billed(puts).write_units

    assert story(running) == 3  # the item and two entries
    assert story(running, listed) == 3 + 2  # the item, and an entry that is deleted
    assert story(running, running | {"gsi2pk": {"S": "FAILED"}}) == 3 + 3  # one entry deleted, another put


@pytest.mark.parametrize(
    ("size", "consistent", "units"), [(4096, True, 1), (4097, True, 2), (4096, False, 0.5), (4097, False, 1)]
)
def test_a_read_is_billed_by_four_kilobytes(size: int, consistent: bool, units: float) -> None:
    async def story(table: FakeDynamoDb) -> None:
        await table.put_item(Item=record_of_bytes(size))
        await table.get_item(Key=KEY, ConsistentRead=consistent)

    assert billed(story).read_units == units


def test_a_query_gives_pages_in_either_order() -> None:
    def sequences(answer: dict[str, Any]) -> list[str]:
        return [item["sk"]["S"] for item in answer["Items"]]

    async def story(table: FakeDynamoDb) -> None:
        for number in range(5):
            await table.put_item(Item={"pk": {"S": "execution"}, "sk": {"S": f"r{number}"}})
        values = {":pk": {"S": "execution"}, ":first": {"S": "r1"}, ":last": {"S": "r3"}}
        request = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": values,
        }
        assert sequences(await table.query(**request)) == ["r1", "r2", "r3"]
        newest = await table.query(**request, ScanIndexForward=False, Limit=2)
        assert sequences(newest) == ["r3", "r2"]
        last_key = newest["LastEvaluatedKey"]
        older = await table.query(**request, ScanIndexForward=False, ExclusiveStartKey=last_key)
        assert sequences(older) == ["r1"]

    billed(story)


def test_what_is_not_understood_raises() -> None:
    with pytest.raises(NotImplementedError, match="contains"):
        billed(lambda table: table.put_item(Item=KEY, ConditionExpression="contains(pk, :x)"))


def test_the_meter_of_the_store_says_the_same() -> None:
    usage, calls = Usage(), list[Call]()

    async def story() -> None:
        connection = cast("Connection", FakeAws(usage, at_once))
        store = DynamoDbStore(Client("fake", connection, Observers(on_call=calls.append)), bucket="fake")
        records, execution = journal_of("first", tasks=40)
        for record in records:
            await store.append(record)
        assert await store.load(arn_of("first")) == execution
        await store.ensure_listed(execution)

    asyncio.run(story())
    assert sum(call.write_units for call in calls) == usage.write_units
    assert sum(call.read_units for call in calls) == usage.read_units
    assert usage.records == 41
