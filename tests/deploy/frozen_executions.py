"""What the engine of one day left in its stores, for the engine of a later day to go on with.

`python -m tests.deploy.frozen_executions` writes both files anew. That is for a new format beside the old one: a
change that cannot read these files must say so in the changelog, since it ends what users have in flight.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from asl_engine.aws.service_clock import ServiceClock
from asl_engine.json_value import JsonObject
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.tasks import Submitted, TaskCall, TaskResult
from asl_engine.store.sqlite import SqliteStore
from tests.aws.deployment import deployed
from tests.aws.emulator import emulator

SQLITE: Final = Path(__file__).with_name("frozen_sqlite.sql")
DYNAMODB: Final = Path(__file__).with_name("frozen_dynamodb.json")
STARTED_AT: Final = 1_750_000_000_000
NAME: Final = "frozen"
INPUT: Final[JsonObject] = {"order": 7, "lines": ["tea", "cups"]}
# The answers of both branches, the variable and the input are needed after the callback.
DEFINITION: Final[JsonObject] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Prepare",
    "States": {
        "Prepare": {"Type": "Pass", "Assign": {"order": "{% $states.input.order %}"}, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Ask",
                    "States": {
                        "Ask": {
                            "Type": "Task",
                            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                            "Arguments": {"QueueUrl": "{}", "MessageBody": "{% $states.context.Task.Token %}"},
                            "End": True,
                        }
                    },
                },
                {
                    "StartAt": "Count",
                    "States": {"Count": {"Type": "Pass", "Output": "{% $count($states.input.lines) %}", "End": True}},
                },
            ],
            "Next": "Done",
        },
        "Done": {
            "Type": "Pass",
            "Output": {"order": "{% $order %}", "answers": "{% $states.input %}"},
            "End": True,
        },
    },
}
ANSWER: Final[JsonObject] = {"approved": True}
OUTPUT: Final[JsonObject] = {"order": 7, "answers": [ANSWER, 2]}
_MACHINE_ARN: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:upgraded"


class Asks:
    """Performs the only Task, and keeps its token."""

    def __init__(self) -> None:
        self.token = ""

    def handles(self, _call: TaskCall) -> bool:
        return True

    async def perform(self, call: TaskCall) -> TaskResult:
        self.token = call.attempt.task_token or ""
        return Submitted({"MessageId": "1"})

    async def close(self) -> None:
        """Nothing is held."""


async def _waiting_in_sqlite(file: Path) -> tuple[str, str]:
    """The execution's ARN and the token it waits for."""
    store, asks = SqliteStore(file), Asks()
    host = InProcessHost(store, asks, VirtualClock(STARTED_AT))
    request = StartRequest(name=NAME, input=INPUT, state_machine_arn=_MACHINE_ARN, seed="seed")
    live = await host.start(compile_definition(DEFINITION), request)
    await host.until_over(live)
    await host.close()
    await store.close()
    return live.execution.arn, asks.token


def write_sqlite() -> None:
    """A database as SQL, its blobs in hexadecimal; the first line says what a test must know."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "executions.db")
        arn, token = asyncio.run(_waiting_in_sqlite(file))
        connection = sqlite3.connect(file)
        pragmas = [
            f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("application_id", "user_version")
        ]
        about = json.dumps({"execution": arn, "token": token})
        SQLITE.write_text("\n".join([f"-- {about}", *pragmas, *connection.iterdump(), ""]), encoding="utf-8")
        connection.close()


def write_dynamodb() -> None:
    """The items of a table, as DynamoDB's API shows them, with bytes in hexadecimal."""
    with emulator() as aws, patch.object(ServiceClock, "now", lambda _clock: STARTED_AT), deployed(aws, NAME) as engine:
        queue_url = aws.client("sqs").create_queue(QueueName="people")["QueueUrl"]
        definition = json.loads(json.dumps(DEFINITION).replace("{}", queue_url))
        arn = engine.start(engine.create(definition), name=NAME, input=json.dumps(INPUT))
        engine.until_quiet()
        (asked,) = aws.client("sqs").receive_message(QueueUrl=queue_url)["Messages"]
        items = aws.client("dynamodb").scan(TableName=NAME)["Items"]
    document = {"execution": arn, "token": asked["Body"], "items": [_as_text(item) for item in items]}
    DYNAMODB.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _as_text(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {kind: value.hex() if kind == "B" else value for kind, value in typed.items()}
        for name, typed in item.items()
    }


def as_item(text: dict[str, Any]) -> dict[str, Any]:
    """An item as boto3 takes it, of one in the file."""
    return {
        name: {kind: bytes.fromhex(value) if kind == "B" else value for kind, value in typed.items()}
        for name, typed in text.items()
    }


if __name__ == "__main__":
    write_sqlite()
    write_dynamodb()
