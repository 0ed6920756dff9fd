from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from asl_engine.aws.assembly import engine_on
from asl_engine.aws.ports import open_ports
from asl_engine.aws.records import RecordReader
from asl_engine.aws.stored_trials import StoredTrials
from asl_engine.aws.worker import Worker
from asl_engine.runtime.queued.trials import Trial
from tests.aws.deployment import deployed
from tests.aws.emulator import Emulator
from tests.aws.lambda_emulator import FUNCTION, lambda_emulator

TASK: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}}}


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


def test_what_a_process_died_with_is_handled_when_nothing_else_is_in_hand(aws: Emulator) -> None:
    with (
        lambda_emulator(seconds=0.2) as functions,
        deployed(aws, "worker-alone", AWS_ENDPOINT_URL_LAMBDA=functions.url, ASL_WORKER_WAIT_SECONDS="1") as deployment,
    ):
        machine = deployment.create(TASK)
        suspect = deployment.start(machine, input='{"n": 1}')
        asyncio.run(_note_a_death(deployment.environment))
        others = [deployment.start(machine, input=json.dumps({"n": n})) for n in (2, 3)]
        asyncio.run(_work_until_ended(deployment.environment, [suspect, *others]))

        assert functions.payloads == {'{"n": 1}': 1, '{"n": 2}': 1, '{"n": 3}': 1}
        assert functions.at_work_most == 2


async def _note_a_death(environment: Mapping[str, str]) -> None:
    """With whatever is in the queue, which comes again at once."""
    ports = open_ports(environment)
    received, _ = RecordReader(ports).read(await ports.queue.receive(messages_max=10, wait_seconds=0))
    for each in received:
        await StoredTrials(ports.resources, ports.clock).put(each.id, Trial(count=2, is_open=True))
    await ports.queue.extend([each.receipt for each in received], 0)
    await ports.close()


async def _work_until_ended(environment: Mapping[str, str], arns: list[str]) -> None:
    ports = open_ports(environment)
    engine = engine_on(ports)
    working = asyncio.create_task(Worker(ports, engine.host).run())
    for arn in arns:
        assert (await engine.service.host.until_ended(arn)).status.value == "SUCCEEDED"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await ports.close()
