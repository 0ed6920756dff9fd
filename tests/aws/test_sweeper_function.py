from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from asl_engine.aws.assembly import engine_on
from asl_engine.aws.ports import open_ports
from asl_engine.aws.sweeper_function import SweeperFunction
from asl_engine.store.resources import replaced
from tests.aws.deployment import Context, Deployment, deployed
from tests.aws.emulator import Emulator
from tests.aws.lambda_emulator import FUNCTION, lambda_emulator

HOUR = 3_600_000
TASK = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}}}


def swept(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], *, later: int, left: int = 60_000
) -> list[dict[str, Any]]:
    """What the function logs when it runs so many milliseconds from now."""
    ports = open_ports(deployment.environment)
    now = ports.clock.now
    ports.clock.now = lambda: now() + later  # type: ignore[method-assign]
    function = SweeperFunction(ports, engine_on(ports))
    capsys.readouterr()
    try:
        function.handle({}, Context(left))
    finally:
        function.close()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_execution_whose_message_was_lost_is_moved_on(aws: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        lambda_emulator() as functions,
        deployed(aws, "sweeper", AWS_ENDPOINT_URL_LAMBDA=functions.url) as deployment,
    ):
        arn = deployment.start(deployment.create(TASK), input='{"n": 1}')
        (record,) = deployment.records()
        aws.client("sqs").delete_message(
            QueueUrl=deployment.environment["ASL_QUEUE_URL"], ReceiptHandle=record["receiptHandle"]
        )

        (quiet,) = swept(deployment, capsys, later=0)
        assert (quiet["OpenExecutions"], quiet["SweeperFindings"]) == (1, 0)
        found, summary = swept(deployment, capsys, later=HOUR)
        assert (found["level"], found["executionArn"]) == ("ERROR", arn)
        assert (summary["OpenExecutions"], summary["SweeperFindings"]) == (1, 1)

        assert deployment.until_ended(arn)["status"] == "SUCCEEDED"
        (after,) = swept(deployment, capsys, later=HOUR)
        assert (after["OpenExecutions"], after["SweeperFindings"]) == (0, 0)


def test_an_execution_whose_message_waits_is_reported_and_not_repaired(
    aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployed(aws, "sweeper-behind") as deployment:
        deployment.start(deployment.create(TASK))

        found, behind, summary = swept(deployment, capsys, later=HOUR)
        assert (found["reason"], found["repaired"]) == ("LOST_ATTEMPT", False)
        assert behind["level"] == "WARN"
        assert summary["SweeperFindings"] == 1
        assert len(deployment.records()) == 1


def test_a_sweep_that_runs_out_of_time_is_gone_on_with_by_the_next(
    aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployed(aws, "sweeper-in-parts") as deployment:
        machine = deployment.create({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 86_400, "End": True}}})
        for _ in range(3):
            deployment.start(machine)

        (stopped,) = swept(deployment, capsys, later=0, left=0)
        assert (stopped["toTheEnd"], stopped["lookedAt"], "OpenExecutions" in stopped) == (False, 0, False)
        keep_a_part_of_a_round(deployment, looked_at=40)
        (ended,) = swept(deployment, capsys, later=0)
        assert ended["toTheEnd"]
        assert ended["OpenExecutions"] == 40 + 2  # of three, one is behind us
        (afresh,) = swept(deployment, capsys, later=0)
        assert afresh["OpenExecutions"] == 3


def keep_a_part_of_a_round(deployment: Deployment, *, looked_at: int) -> None:
    """As if the sweep that stopped had come to the end of the first execution's place."""

    async def keep() -> None:
        ports = open_ports(deployment.environment)
        kept = await ports.resources.get("sweep", "sweep")
        assert kept is not None
        assert kept.document == {"after": "", "lookedAt": 0}
        _arn, place = await anext(ports.store.open_executions())
        await ports.resources.write(replaced(kept, {"after": place, "lookedAt": looked_at}))
        await ports.close()

    asyncio.run(keep())
