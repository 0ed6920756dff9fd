"""AWS stops a chain of about 16 invocations that it recognises by a header, whatever the code in it does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import boto3
import pytest
from botocore.exceptions import ClientError

from asl_engine.aws.assembly import engine_on
from asl_engine.aws.ports import open_ports
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.ports import Backlog, Message, Received
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.store.memory import MemoryStore
from tests.aws.emulator import REGION
from tests.aws.lambda_emulator import FUNCTION, HOPS_MAX, lambda_emulator
from tests.aws.test_settings import ENVIRONMENT

ROUNDS = 1_000
LOOP = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Task", "Resource": FUNCTION, "Next": "Enough"},
        "Enough": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": ROUNDS, "Next": "Count"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}


@pytest.fixture(autouse=True)
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes botocore add the header to every request, of every service."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "engine")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=2a:0")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


def test_a_client_as_it_comes_is_stopped() -> None:
    """Else the emulator would prove nothing."""
    with lambda_emulator() as functions:
        client = boto3.client("lambda", endpoint_url=functions.url, region_name=REGION)
        for n in range(HOPS_MAX):
            client.invoke(FunctionName=FUNCTION, Payload=json.dumps({"n": n}))
        with pytest.raises(ClientError, match="RecursiveInvocationException"):
            client.invoke(FunctionName=FUNCTION, Payload='{"n": 16}')


class MemoryQueue:
    """Keeps what is sent; nothing is held back."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    async def send_at(self, message: Message, at: int, now: int) -> None:
        raise AssertionError(f"nothing waits here: {message} at {at}, now {now}")

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        """Nothing is delivered twice."""

    async def backlog(self) -> Backlog:
        return Backlog(waiting=len(self.messages), in_hand=0)


async def _loop(functions_url: str) -> object:
    ports = open_ports(ENVIRONMENT | {"AWS_ENDPOINT_URL": functions_url})
    store, queue = MemoryStore(), MemoryQueue()
    deployed = engine_on(ports).wiring
    host = QueuedHost(Wiring(store=store, queue=queue, clock=ports.clock, performer=deployed.performer))
    request = StartRequest(
        name="loop",
        input={"n": 0},
        state_machine_arn=f"arn:aws:states:{REGION}:123456789012:stateMachine:loop",
        seed="seed",
    )
    await host.start(compile_definition(json.dumps(LOOP)), request)
    while queue.messages:
        received = Received(message=queue.messages.pop(), id="r", receipt="r", deliveries=1, sent_at=ports.clock.now())
        assert await host.handle([received], ports.clock.elapsed() + 600_000) == {"r"}
    await ports.clients.close()
    return (await store.load(request.execution_arn)).output


def test_a_workflow_loops_over_one_function_as_long_as_it_likes() -> None:
    with lambda_emulator() as functions:
        assert asyncio.run(_loop(functions.url)) == {"n": ROUNDS}
        assert sum(functions.payloads.values()) == ROUNDS
        assert not functions.hops
