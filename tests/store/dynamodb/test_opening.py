"""A store in DynamoDB is named by one text, and its table is made where nobody else could have made it."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys

import pytest
from botocore.session import get_session

from asl_engine.errors import StoreUnavailable
from asl_engine.store.dynamodb.opening import ensure_table, open_dynamodb
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import table_definition
from asl_engine.store.journal import record_of
from asl_engine.store.opening import days_kept, open_store, prepare
from tests.store.dynamodb_tables import environment, moto_url
from tests.store.journals import started

SPARE = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


def test_a_table_is_a_store() -> None:
    store = open_store("dynamodb:executions")
    assert isinstance(store, DynamoDbStore)
    assert store.client.table == "executions"


@pytest.mark.parametrize(
    ("spec", "days"), [("dynamodb:executions?expire_days=30", 30), ("dynamodb:executions", None), ("memory", None)]
)
def test_a_store_tells_how_long_it_keeps_what_is_over(spec: str, days: int | None) -> None:
    assert days_kept(open_store(spec)) == days


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (
            "executions?buckets=b",
            r"dynamodb:executions\?buckets=b has no option 'buckets': it must be dynamodb:TABLE\?",
        ),
        ("?bucket=b", r"dynamodb:\?bucket=b names no table: it must be dynamodb:TABLE\?"),
        ("executions?expire_days=soon", r"expire_days must be a number of days from 1 on, and is 'soon'"),
        ("executions?expire_days=0", r"expire_days must be a number of days from 1 on, and is '0'"),
    ],
)
def test_a_location_of_another_form_is_refused(location: str, told: str) -> None:
    with pytest.raises(StoreUnavailable, match=told):
        open_dynamodb(location)


def test_a_table_that_is_missing_in_an_emulator_is_created_as_it_is_defined() -> None:
    table = f"executions-{secrets.token_hex(6)}"

    async def tell() -> None:
        for _ in range(2):
            store = open_dynamodb(table, environ=environment(moto_url()))
            await ensure_table(store)
            await store.close()

    asyncio.run(tell())
    client = get_session().create_client("dynamodb", endpoint_url=moto_url(), **SPARE)
    made, defined = client.describe_table(TableName=table)["Table"], table_definition(table)
    assert made["KeySchema"] == defined["KeySchema"]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    indexes = [
        (index["IndexName"], index["KeySchema"], index["Projection"]) for index in made["GlobalSecondaryIndexes"]
    ]
    assert indexes == [
        (index["IndexName"], index["KeySchema"], index["Projection"]) for index in defined["GlobalSecondaryIndexes"]
    ]
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == {
        "AttributeName": "expires_at",
        "TimeToLiveStatus": "ENABLED",
    }
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_table_that_is_missing_in_aws_is_not_created(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell() -> None:
        store = open_dynamodb("missing", environ=environment(moto_url()))
        await store.client.connection.client("dynamodb")
        monkeypatch.setattr(store.client.connection, "is_local", lambda _service: False)
        try:
            with pytest.raises(StoreUnavailable, match=r"there is no such table .* Terraform module or CDK stack"):
                await prepare(store)
        finally:
            await store.close()

    asyncio.run(tell())


def test_another_event_loop_gets_connections_of_its_own() -> None:
    """A function on Lambda may run each invocation in a new one."""
    store = open_dynamodb(f"executions-{secrets.token_hex(6)}", environ=environment(moto_url()))

    async def append(name: str) -> int:
        await ensure_table(store)
        await store.append(record_of(started(name)))
        listed = len(await store.executions())
        await store.client.connection.close()
        return listed

    assert asyncio.run(append("first")) == 1
    assert asyncio.run(append("second")) == 2


def test_importing_the_store_imports_neither_boto3_nor_a_service_model() -> None:
    code = "import sys; import asl_engine.store.dynamodb.opening; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"boto3", "aiobotocore", "botocore", "aiohttp"}.isdisjoint(loaded)
