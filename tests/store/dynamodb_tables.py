"""Tables in emulators of DynamoDB. A server is started once in a process of the tests, by the first that needs it."""

from __future__ import annotations

import asyncio
import atexit
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.session import get_session

from asl_engine.store.dynamodb.client import Client, Observers
from asl_engine.store.dynamodb.connection import Connection
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import table_definition
from tests.store.moto_server import moto_server

BUCKET = "bodies-of-tests"


async def no_pause(_seconds: float) -> None:
    """What is repeated is repeated at once."""
    await asyncio.sleep(0)


@cache
def moto_url() -> str:
    """A server of moto that lives as long as this process."""
    server = moto_server()
    atexit.register(server.__exit__, None, None, None)
    return server.__enter__()


def environment(url: str) -> Mapping[str, str]:
    """What names an emulator."""
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1"}


def client_of(url: str, table: str, observers: Observers | None = None) -> Client:
    return Client(table, Connection(environment(url)), observers, pause=no_pause)


def new_table(url: str) -> str:
    """Create a table, and give its name."""
    table = f"executions-{secrets.token_hex(6)}"
    _botocore_client(url).create_table(**table_definition(table))
    return table


@cache
def _botocore_client(url: str) -> Any:
    options = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return get_session().create_client("dynamodb", endpoint_url=url, **options)


def store_in(url: str, table: str | None = None, observers: Observers | None = None) -> DynamoDbStore:
    """A store in a table of its own, or in the named one."""
    return DynamoDbStore(client_of(url, table or new_table(url), observers))
