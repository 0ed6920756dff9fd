from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.aws.assembly import engine_on
from asl_engine.aws.ports import open_ports
from asl_engine.aws.sweeper_function import SweeperFunction
from tests.aws.deployment import Deployment, deployed
from tests.aws.emulator import Emulator
from tests.aws.lambda_emulator import FUNCTION, lambda_emulator

HOUR = 3_600_000
TASK = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}}}


def swept(deployment: Deployment, capsys: pytest.CaptureFixture[str], *, later: int) -> list[dict[str, Any]]:
    """What the function logs when it runs so many milliseconds from now."""
    ports = open_ports(deployment.environment)
    now = ports.clock.now
    ports.clock.now = lambda: now() + later  # type: ignore[method-assign]
    function = SweeperFunction(ports, engine_on(ports))
    capsys.readouterr()
    try:
        function.handle({}, None)
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
