"""Opening a store by its name: `TABLE`, with `?bucket=NAME&expire_days=30` behind it as needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from asl_engine.errors import StoreUnavailable
from asl_engine.store.dynamodb.answers import NoSuchTable
from asl_engine.store.dynamodb.client import Client, Observers
from asl_engine.store.dynamodb.connection import Connection
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import continuous_backups, table_definition, time_to_live

_OPTIONS: Final = ("bucket", "expire_days")


def open_dynamodb(
    location: str, *, environ: Mapping[str, str] = os.environ, observers: Observers | None = None
) -> DynamoDbStore:
    """The store that a location names; ASL_BUCKET and ASL_EXPIRE_DAYS stand in for options that it does not have.

    Nothing is called yet. Raises StoreUnavailable for a location that is not of this form.
    """
    table, _, query = location.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = [name for name in options if name not in _OPTIONS]
    if not table or unknown:
        found = f"has no option {unknown[0]!r}" if unknown else "names no table"
        raise StoreUnavailable(f"dynamodb:{location} {found}: it must be dynamodb:TABLE?bucket=NAME&expire_days=DAYS")
    days = options.get("expire_days") or environ.get("ASL_EXPIRE_DAYS") or None
    if days is not None and not (days.isdecimal() and int(days) > 0):
        raise StoreUnavailable(f"dynamodb:{location}: expire_days must be a number of days from 1 on, and is {days!r}")
    return DynamoDbStore(
        Client(table, Connection(environ), observers),
        bucket=options.get("bucket") or environ.get("ASL_BUCKET") or None,
        expire_days=None if days is None else int(days),
    )


async def ensure_table(store: DynamoDbStore) -> None:
    """Create the table if it is missing in an emulator. Raises StoreUnavailable if it is missing in AWS."""
    client = store.client
    try:
        await client.repeated("DescribeTable", {"TableName": client.table})
    except NoSuchTable:
        if not client.connection.is_local("dynamodb"):
            raise
        await create_table(client)


async def create_table(client: Client) -> None:
    """Create the table as `table` defines it, and wait until it can be used."""
    await client.repeated("CreateTable", table_definition(client.table))
    while True:
        answer = await client.repeated("DescribeTable", {"TableName": client.table})
        if answer["Table"]["TableStatus"] == "ACTIVE":
            break
        await client.pause(_CREATION_POLL_SECONDS)
    for operation, parameters in (
        ("UpdateTimeToLive", time_to_live(client.table)),
        ("UpdateContinuousBackups", continuous_backups(client.table)),
    ):
        try:
            await client.repeated(operation, parameters)
        except StoreUnavailable:
            if not client.connection.is_local("dynamodb"):
                raise


_CREATION_POLL_SECONDS: Final = 0.2
