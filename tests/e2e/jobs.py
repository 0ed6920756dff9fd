"""Jobs of Batch and SageMaker. moto's have ended when they are made: here they run until the test says that they have
ended, and puts the events that the services would."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.e2e.emulators import Cloud, wait_until
from tests.e2e.execution import StartedExecution
from tests.e2e.gateway import passing_on

_SECONDS_MAX: Final = 200  # less than the states' own time-out
_ENDED: Final = {"batch": (b'"SUCCEEDED"', b'"RUNNING"'), "sagemaker": (b'"Completed"', b'"InProgress"')}
_BATCH_ROLE: Final = "batch"


class HeldJobs:
    """What the services say of jobs: that they run, until their kind is let end."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    def hold(self) -> None:
        """All jobs run from now on."""
        self._running = set(_ENDED)

    def let_end(self, service: str) -> None:
        """The jobs of a service have ended."""
        self._running.discard(service)

    def changed(self, answer: bytes) -> bytes:
        """An answer of moto's, as the services would give it."""
        for service in self._running:
            answer = answer.replace(*_ENDED[service])
        return answer


@contextmanager
def job_services(cloud: Cloud) -> Iterator[HeldJobs]:
    """The services where the engine's functions find them, with a queue and a job definition in Batch."""
    without_docker = json.dumps({"batch": {"use_docker": False}}).encode()
    urllib.request.urlopen(f"http://127.0.0.1:{cloud.moto}/moto-api/config", without_docker).close()
    iam, batch = cloud.client("iam", cloud.moto), cloud.client("batch", cloud.moto)
    role = iam.create_role(RoleName=_BATCH_ROLE, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    batch.create_compute_environment(computeEnvironmentName="any", type="UNMANAGED", serviceRole=role)
    batch.create_job_queue(
        jobQueueName="preparation",
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "any"}],
    )
    batch.register_job_definition(
        jobDefinitionName="prepare-data",
        type="container",
        containerProperties={"image": "churn", "vcpus": 1, "memory": 512},
    )
    jobs = HeldJobs()
    with passing_on(cloud.jobs, cloud.moto, changed=jobs.changed):
        yield jobs


def run_jobs(cloud: Cloud, state_machine_arn: str, jobs: HeldJobs) -> None:
    """See a job of either kind run, and its state end by an event, which comes at least once and in any order."""
    jobs.hold()
    execution = StartedExecution(cloud, state_machine_arn, json.dumps({"data_set": "s3://data/churn"}))

    job_id = _submitted(execution, "batch")["JobId"]
    jobs.let_end("batch")
    (job,) = cloud.client("batch", cloud.moto).describe_jobs(jobs=[job_id])["jobs"]
    for status in ("SUCCEEDED", "RUNNING", "SUCCEEDED"):
        _put(cloud, "aws.batch", "Batch Job State Change", {**job, "status": status})

    arn = _submitted(execution, "sagemaker")["TrainingJobArn"]
    jobs.let_end("sagemaker")
    job = {"TrainingJobName": arn.rpartition("/")[2], "TrainingJobArn": arn}
    for status in ("InProgress", "Completed", "Completed"):
        detail = {**job, "TrainingJobStatus": status, "SecondaryStatus": status}
        _put(cloud, "aws.sagemaker", "SageMaker Training Job State Change", detail)

    output = execution.succeeded()
    assert output["prepared"] == {"status": "SUCCEEDED"}
    assert output["trained"] == {"status": "Completed"}


def _submitted(execution: StartedExecution, service: str) -> dict[str, Any]:
    """What the service answered when the job was submitted, once the engine has written it down."""

    def answers() -> list[str]:
        details = [event.get("taskSubmittedEventDetails", {}) for event in execution.events()]
        return [each["output"] for each in details if each.get("resourceType") == service]

    wait_until(lambda: answers() or execution.is_over(), f"a job of {service} is submitted", _SECONDS_MAX)
    assert answers(), execution.told()
    found: dict[str, Any] = json.loads(answers()[0])
    return found


def _put(cloud: Cloud, source: str, detail_type: str, detail: Any) -> None:
    """Put an event as the service does."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    answer = cloud.client("events").put_events(Entries=[entry])
    assert not answer["FailedEntryCount"], answer["Entries"]
