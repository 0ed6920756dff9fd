from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.aws.job_events_function import JobEventsFunction
from tests.aws.deployment import Deployment, deployed
from tests.aws.emulator import Emulator
from tests.integrations.aws_services import FakeService, batch_service, serving

TRAINING = {
    "StartAt": "Train",
    "States": {
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::batch:submitJob.sync",
            "Parameters": {"JobName": "train", "JobQueue": "gpu", "JobDefinition": "model"},
            "End": True,
        }
    },
}


def job_event(service: FakeService, status: str) -> dict[str, Any]:
    """Batch Job State Change, as EventBridge hands it to the function, once the job has come to that status."""
    job = service.operations["jobs"]({})["job-1"]
    job |= {"status": status, "statusReason": "Essential container in task exited"}
    return {
        "detail-type": "Batch Job State Change",
        "source": "aws.batch",
        "resources": [job["jobArn"]],
        "detail": {"jobArn": job["jobArn"], "jobId": "job-1", "jobName": "train", "jobQueue": "gpu", "status": status},
    }


def told(deployment: Deployment, event: dict[str, Any]) -> None:
    function = JobEventsFunction.from_environment(deployment.environment)
    try:
        function.handle(event, None)
    finally:
        function.close()


@pytest.mark.parametrize(("status", "ended"), [("SUCCEEDED", "SUCCEEDED"), ("FAILED", "FAILED")])
def test_the_end_of_a_job_reaches_its_execution(
    aws: Emulator, capsys: pytest.CaptureFixture[str], status: str, ended: str
) -> None:
    name = f"job-events-{status.lower()}"
    with serving(batch_service()) as batch, deployed(aws, name, AWS_ENDPOINT_URL_BATCH=batch.url) as deployment:
        arn = deployment.start(deployment.create(TRAINING))
        deployment.until_quiet()
        told(deployment, job_event(batch, "RUNNING"))
        assert deployment.records() == []

        capsys.readouterr()
        told(deployment, job_event(batch, status))
        (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
        assert (line["message"], line["executionArn"]) == ("passed on the end of a job", arn)
        told(deployment, job_event(batch, status))  # EventBridge delivers at least once

        deployment.until_quiet()
        assert deployment.describe(arn)["status"] == ended


def test_stopping_the_execution_terminates_its_job(aws: Emulator) -> None:
    with serving(batch_service()) as batch, deployed(aws, "job-stop", AWS_ENDPOINT_URL_BATCH=batch.url) as deployment:
        arn = deployment.start(deployment.create(TRAINING))
        deployment.until_quiet()

        deployment.call("StopExecution", executionArn=arn)
        job = batch.operations["jobs"]({})["job-1"]
        assert "isTerminated" not in job  # the engine does it
        job["status"] = "FAILED"
        deployment.until_quiet()
        assert deployment.describe(arn)["status"] == "ABORTED"


def test_a_job_of_somebody_else_is_none_of_our_business(aws: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(batch_service()) as batch, deployed(aws, "job-other", AWS_ENDPOINT_URL_BATCH=batch.url) as deployment:
        detail = {"jobArn": "arn:aws:batch:eu-west-1:123456789012:job/other", "jobId": "other", "status": "FAILED"}
        told(deployment, {"detail-type": "Batch Job State Change", "detail": detail})

        assert deployment.records() == []
        assert batch.requests == []
        assert "not ours" in capsys.readouterr().out
