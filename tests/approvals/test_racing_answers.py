"""A yes and a no that race for one task token: exactly one wins, and the other is told that it did not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import pytest

from asl_engine.errors import TaskTimedOut
from tests.api.services import Caller, asking, tell

RACES = 2_500
AT_ONCE = 25
DEFINITION = asking(
    "arn:aws:states:::lambda:invoke.waitForTaskToken",
    Parameters={"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
)


@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_races_have_one_winner_each(seed: int) -> None:
    chance = random.Random(seed)

    async def races(call: Caller) -> None:
        machine = await call.create(DEFINITION)
        for first in range(0, RACES, AT_ONCE):
            await asyncio.gather(*(race(call, machine, f"race-{first + each}") for each in range(AT_ONCE)))

    async def race(call: Caller, machine: str, name: str) -> None:
        arn = (await call("StartExecution", stateMachineArn=machine, name=name))["executionArn"]
        token = await token_of(call, arn)
        yes = call("SendTaskSuccess", taskToken=token, output='"yes"')
        no = call("SendTaskFailure", taskToken=token, error="No", cause="")
        answers = [delayed(yes, chance.randrange(3)), delayed(no, chance.randrange(3))]
        results = await asyncio.gather(*answers, return_exceptions=True)
        losers = [result for result in results if isinstance(result, TaskTimedOut)]
        assert len(losers) == 1, results
        ended = await call.ended(arn)
        assert ended["status"] == ("SUCCEEDED" if isinstance(results[1], TaskTimedOut) else "FAILED")

    tell(races, tasks={"ask": ask})


async def ask(_event: Any) -> None:
    """Nothing: the test answers."""


async def token_of(call: Caller, arn: str) -> str:
    """The token of the one task of a running execution, once it has been asked."""
    while True:
        execution = await call.service.execution(arn)
        for frame in execution.frames.values():
            token = getattr(frame.wait, "task_token", None)
            if token is not None and getattr(frame.wait, "submitted", False):
                return str(token)
        await asyncio.sleep(0)


async def delayed(work: Awaitable[Any], steps: int) -> Any:
    """Let that many other things happen first."""
    for _ in range(steps):
        await asyncio.sleep(0)
    return await work
