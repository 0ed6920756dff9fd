from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asl_engine.errors import InvalidOutput, InvalidToken, TaskDoesNotExist
from asl_engine.interpreter.task_token import TokenClaims, issue
from tests.api.services import MACHINE, Caller, asking, tell

CALLBACK = asking(
    "arn:aws:states:::lambda:invoke.waitForTaskToken",
    Parameters={"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
)


def with_token(told: Any) -> None:
    """Run a story whose execution waits for an answer to a token."""
    tokens: asyncio.Queue[str] = asyncio.Queue()

    async def ask(event: dict[str, str]) -> None:
        await tokens.put(event["token"])

    async def run(call: Caller) -> None:
        await call.create(CALLBACK)
        arn = (await call("StartExecution", stateMachineArn=MACHINE))["executionArn"]
        await told(call, arn, await tokens.get())

    tell(run, tasks={"ask": ask})


def test_success_ends_the_task_with_its_output() -> None:
    async def told(call: Caller, arn: str, token: str) -> None:
        assert await call("SendTaskSuccess", taskToken=token, output='{"approved": true}') == {}
        assert (await call.ended(arn))["output"] == '{"approved":true}'

    with_token(told)


def test_failure_may_leave_out_error_and_cause() -> None:
    async def told(call: Caller, arn: str, token: str) -> None:
        await call("SendTaskFailure", taskToken=token)
        assert (await call.ended(arn))["status"] == "FAILED"

    with_token(told)


def test_an_output_that_is_no_json_leaves_the_task_open() -> None:
    async def told(call: Caller, arn: str, token: str) -> None:
        with pytest.raises(InvalidOutput, match="Invalid Output"):
            await call("SendTaskSuccess", taskToken=token, output="{")
        await call("SendTaskSuccess", taskToken=token, output="1")
        assert (await call.ended(arn))["output"] == "1"

    with_token(told)


def test_a_token_that_was_not_issued_here_is_refused() -> None:
    async def told(call: Caller, arn: str, token: str) -> None:
        for forged in ("nonsense", issue("seed", TokenClaims(arn, "0", 3)), token[:-4] + "AAAA"):
            with pytest.raises(InvalidToken, match=r"^Invalid Token: 'Invalid token'$"):
                await call("SendTaskSuccess", taskToken=forged, output="1")
        with pytest.raises(TaskDoesNotExist):
            await call("SendTaskHeartbeat", taskToken=issue("seed", TokenClaims(f"{arn}-other", "0", 3)))

    with_token(told)
