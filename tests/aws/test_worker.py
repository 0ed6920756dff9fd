from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys

import pytest

from tests.aws.deployment import deployed
from tests.aws.emulator import Emulator
from tests.aws.lambda_emulator import FUNCTION, lambda_emulator

TASK = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}}}


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_end_finishes_what_it_has(aws: Emulator, told: signal.Signals) -> None:
    """It has received a message, and its task has not answered, when it is told."""
    with (
        lambda_emulator(seconds=1) as functions,
        deployed(aws, f"worker-{told.name}", AWS_ENDPOINT_URL_LAMBDA=functions.url) as deployment,
    ):
        arn = deployment.start(deployment.create(TASK), input='{"n": 1}')
        worker = subprocess.Popen(
            [sys.executable, "-m", "asl_engine.aws.worker"],
            env={**os.environ, **deployment.environment, "ASL_WORKER_WAIT_SECONDS": "1"},
            stdout=subprocess.PIPE,
        )
        with worker:
            assert worker.stdout is not None
            assert json.loads(worker.stdout.readline())["message"] == "received"
            while not functions.payloads:
                select.select((), (), (), 0.01)
            worker.send_signal(told)
            assert json.loads(worker.stdout.readline())["ExecutionsSucceeded"] == 1
            assert worker.wait(30) == 0

        assert deployment.describe(arn)["status"] == "SUCCEEDED"
        attributes = aws.client("sqs").get_queue_attributes(
            QueueUrl=deployment.environment["ASL_QUEUE_URL"], AttributeNames=["All"]
        )["Attributes"]
        assert attributes["ApproximateNumberOfMessages"] == "0"
        assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
