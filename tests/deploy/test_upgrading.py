"""Upgrading with executions in flight: what an engine left in its stores earlier is read, and goes on to its end."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asl_engine.api.tasks import send_task_success
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost
from asl_engine.store.sqlite import SqliteStore
from tests.aws.deployment import Deployment, deployed
from tests.aws.emulator import Emulator, emulator
from tests.deploy.frozen_executions import ANSWER, DYNAMODB, INPUT, OUTPUT, SQLITE, STARTED_AT, Asks, as_item

HISTORY = [
    *("ExecutionStarted", "PassStateEntered", "PassStateExited", "ParallelStateEntered", "ParallelStateStarted"),
    *("TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited"),
    *("PassStateEntered", "PassStateExited", "ParallelStateSucceeded", "ParallelStateExited"),
    *("PassStateEntered", "PassStateExited", "ExecutionSucceeded"),
]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The database as it was left."""
    file = tmp_path / "executions.db"
    connection = sqlite3.connect(file)
    connection.executescript(SQLITE.read_text(encoding="utf-8"))
    connection.close()
    return file


def test_an_execution_in_sqlite_goes_on_where_it_was_left(database: Path) -> None:
    left = json.loads(SQLITE.read_text(encoding="utf-8").partition("\n")[0].removeprefix("-- "))

    async def story() -> tuple[Execution, list[str], str]:
        store, asks, clock = SqliteStore(database), Asks(), VirtualClock(STARTED_AT)
        host = InProcessHost(store, asks, clock)
        await send_task_success(store, left["token"], json.dumps(ANSWER), now=clock.now())
        live = await host.take_up(left["execution"])
        ended = await asyncio.wait_for(host.until_over(live), timeout=20)
        history = [event.type async for event in store.history(left["execution"])]
        await host.close()
        await store.close()
        return ended, history, asks.token

    execution, history, asked_again = asyncio.run(story())

    assert (execution.status, execution.input, execution.output) == (ExecutionStatus.SUCCEEDED, INPUT, OUTPUT)
    assert sorted(history) == sorted(HISTORY)
    assert asked_again == ""


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


@pytest.fixture
def deployment(aws: Emulator) -> Iterator[Deployment]:
    with deployed(aws, "upgraded") as made:
        yield made


def test_an_execution_in_dynamodb_goes_on_where_it_was_left(aws: Emulator, deployment: Deployment) -> None:
    left: dict[str, Any] = json.loads(DYNAMODB.read_text(encoding="utf-8"))
    for item in left["items"]:
        aws.client("dynamodb").put_item(TableName="upgraded", Item=as_item(item))

    assert deployment.describe(left["execution"])["status"] == "RUNNING"
    deployment.call("SendTaskSuccess", taskToken=left["token"], output=json.dumps(ANSWER))
    described = deployment.until_ended(left["execution"])

    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", OUTPUT)
    events = deployment.call("GetExecutionHistory", executionArn=left["execution"])["events"]
    assert sorted(event["type"] for event in events) == sorted(HISTORY)
    assert [event["id"] for event in events] == list(range(1, len(HISTORY) + 1))
    (machine,) = deployment.call("ListStateMachines")["stateMachines"]
    again = deployment.start(machine["stateMachineArn"], input=json.dumps(INPUT))
    assert deployment.describe(again)["status"] == "RUNNING"
