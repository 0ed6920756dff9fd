"""What is large is kept in S3, and cannot be lost or changed there unnoticed."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.session import get_session

from asl_engine.errors import StoreCorrupt, StoreRefused
from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.store.dynamodb.client import Client, Observers
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.units import Call
from asl_engine.store.journal import record_of
from asl_engine.store.resources import created
from tests.store.dynamodb.faulty_connection import Fault, FaultyConnection
from tests.store.dynamodb_tables import client_of, moto_url, new_table, no_pause
from tests.store.journals import arn_of, started, task_done

FIRST = arn_of("first")


def s3() -> Any:
    options = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return get_session().create_client("s3", endpoint_url=moto_url(), **options)


def new_bucket() -> str:
    bucket = f"bodies-{secrets.token_hex(6)}"
    s3().create_bucket(Bucket=bucket)
    return bucket


def incompressible(size: int) -> str:
    return random.Random(size).randbytes(size // 2).hex()


@asynccontextmanager
async def opened(bucket: str | None, calls: list[Call] | None = None) -> AsyncIterator[DynamoDbStore]:
    observers = None if calls is None else Observers(on_call=calls.append)
    store = DynamoDbStore(client_of(moto_url(), new_table(moto_url()), observers), bucket=bucket)
    try:
        yield store
    finally:
        await store.close()


def test_a_large_record_is_in_s3_before_the_item_that_names_it() -> None:
    async def tell() -> None:
        calls: list[Call] = []
        async with opened(new_bucket(), calls) as store:
            outcome = started()
            await store.append(record_of(outcome))
            calls.clear()
            large = task_done(outcome.execution, incompressible(600_000))
            await store.append(record_of(large))
            assert [(call.service, call.operation, call.write_units) for call in calls] == [
                ("s3", "PutObject", 0),
                ("dynamodb", "PutItem", 1),
            ]
            assert await store.load(FIRST) == large.execution
            assert [event.id async for event in store.history(FIRST)] == [1, 2, 3]
            assert [record.sequence async for record in store.records(FIRST)] == [1, 0]

    asyncio.run(tell())


def test_whatever_else_is_large_is_in_s3_as_well() -> None:
    async def tell() -> None:
        bucket = new_bucket()
        async with opened(bucket) as store:
            text = incompressible(1_048_576)
            await store.put_definition("d" * 64, text)
            await store.append(record_of(started()))
            event = TaskSucceeded("0", 3, incompressible(500_000))
            await store.send(FIRST, event)
            document = {"text": incompressible(900_000)}
            await store.resources().write(created("machine", "a", document))

            assert await store.definition("d" * 64) == text
            assert [message.event for message in await store.inbox(FIRST)] == [event]
            kept = await store.resources().get("machine", "a")
            assert kept is not None
            assert kept.document == document
        assert len(s3().list_objects_v2(Bucket=bucket)["Contents"]) == 3

    asyncio.run(tell())


def test_without_a_bucket_a_record_may_be_nearly_as_large_as_an_item() -> None:
    async def tell() -> None:
        async with opened(None) as store:
            outcome = started()
            await store.append(record_of(outcome))
            large = task_done(outcome.execution, incompressible(500_000))  # hexadecimal digits take half a byte
            await store.append(record_of(large))
            assert await store.load(FIRST) == large.execution

    asyncio.run(tell())


def test_without_a_bucket_what_is_larger_is_refused_before_anything_is_written() -> None:
    async def tell() -> None:
        async with opened(None) as store:
            outcome = started()
            await store.append(record_of(outcome))
            too_large = record_of(task_done(outcome.execution, incompressible(900_000)))
            with pytest.raises(StoreRefused, match=r"record 1 of arn:.* takes 5\d\d,\d\d\d bytes .*\?bucket=NAME"):
                await store.append(too_large)
            assert await store.load(FIRST) == outcome.execution

    asyncio.run(tell())


@pytest.mark.parametrize(("damage", "told"), [("changed", "is not what was written"), ("deleted", "is missing")])
def test_damage_in_s3_is_noticed(damage: str, told: str) -> None:
    async def tell() -> None:
        bucket = new_bucket()
        async with opened(bucket) as store:
            await store.append(record_of(started(input=incompressible(100_000))))
            (kept,) = s3().list_objects_v2(Bucket=bucket)["Contents"]
            if damage == "changed":
                s3().put_object(Bucket=bucket, Key=kept["Key"], Body=b"something else")
            else:
                s3().delete_object(Bucket=bucket, Key=kept["Key"])
            with pytest.raises(StoreCorrupt, match=f"record 0 of {FIRST} cannot be read: .*{kept['Key']} {told}"):
                await store.load(FIRST)

    asyncio.run(tell())


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.ERROR, Fault.ERROR_AFTER])
@pytest.mark.parametrize("operation", ["PutObject", "GetObject"])
def test_a_lost_answer_of_s3_is_asked_for_again(fault: Fault, operation: str) -> None:
    async def tell() -> None:
        asked: list[str] = []

        def choose(_number: int, each: str) -> Fault | None:
            asked.append(each)
            return fault if each == operation and asked.count(operation) == 1 else None

        connection = FaultyConnection(moto_url(), choose)
        client = Client(new_table(moto_url()), connection, pause=no_pause)
        store = DynamoDbStore(client, bucket=new_bucket())
        outcome = started(input=incompressible(100_000))
        await store.append(record_of(outcome))
        assert await store.load(FIRST) == outcome.execution
        assert asked.count(operation) == 2
        await connection.really_close()

    asyncio.run(tell())
