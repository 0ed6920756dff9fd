"""Batch jobs: started once for each attempt whatever goes wrong, and shown as Step Functions shows them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError

from asl_engine.integrations.aws_jobs import AwsJobs, attempt_key
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.integrations.batch import BatchJobs
from asl_engine.runtime.jobs import Completion, JobLink, JobLinks, MemoryJobLinks
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult
from tests.integrations.aws_services import FakeService, Fault, Refused, batch_service, jobs_of, serving
from tests.runtime.task_calls import NOON, task_call

CHANGE = "Batch Job State Change"
SYNC = "arn:aws:states:::batch:submitJob.sync"
QUEUE = {"JobName": "nightly", "JobQueue": "queue", "JobDefinition": "definition"}
INTERNAL = Refused(500, "ServerException", "try later")
THROTTLED = Refused(429, "TooManyRequestsException", "slow down")

T = TypeVar("T")


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(batch_service()) as running:
        yield running


class Pauses(list[float]):
    """Pauses that take no time."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def asking(
    service: FakeService,
    ask: Callable[[AwsJobs], Awaitable[T]],
    links: JobLinks | None = None,
    pauses: Pauses | None = None,
) -> T:
    """Ask a process of its own: it remembers nothing but the links."""

    async def asked() -> T:
        clients = AwsClients(endpoint_url=service.url, environ={})
        jobs = AwsJobs(clients, (BatchJobs(),), links, pause=pauses if pauses is not None else Pauses())
        try:
            return await ask(jobs)
        finally:
            await jobs.close()

    return asyncio.run(asked())


def submit(
    service: FakeService, call: TaskCall, links: JobLinks | None = None, pauses: Pauses | None = None
) -> TaskResult:
    return asking(service, lambda jobs: jobs.submit(call), links, pauses)


def look(
    service: FakeService, call: TaskCall, links: JobLinks | None = None, pauses: Pauses | None = None
) -> TaskResult | None:
    return asking(service, lambda jobs: jobs.look(call), links, pauses)


def stop(service: FakeService, call: TaskCall, links: JobLinks | None = None) -> str | None:
    return asking(service, lambda jobs: jobs.stop(call), links)


def completed(
    service: FakeService, detail: dict[str, Any], links: JobLinks, detail_type: str = CHANGE
) -> Completion | None:
    return asking(service, lambda jobs: jobs.completed(detail_type, detail), links)


def job(arguments: Any = None, **fields: Any) -> TaskCall:
    return task_call(SYNC, {**QUEUE, **(arguments or {})}, **fields)


def submitted(call: TaskCall) -> TaskCall:
    return replace(call, attempt=replace(call.attempt, submitted=True))


def test_a_job_is_submitted_with_all_that_the_definition_gives(service: FakeService) -> None:
    given = {
        "Parameters": {"inputFile": "a"},
        "ContainerOverrides": {
            "Environment": [{"Name": "MODE", "Value": "fast"}],
            "ResourceRequirements": [{"Type": "GPU", "Value": "4"}],
        },
        "ArrayProperties": {"Size": 10},
        "DependsOn": [{"JobId": "job-0", "Type": "SEQUENTIAL"}],
        "RetryStrategy": {"Attempts": 2, "EvaluateOnExit": [{"OnExitCode": "1", "Action": "RETRY"}]},
        "Timeout": {"AttemptDurationSeconds": 60},
        "Tags": {"team": "ml"},
    }
    call = job(given)
    result = submit(service, call)
    assert service.asked("submitjob") == [
        {
            "jobName": "nightly",
            "jobQueue": "queue",
            "jobDefinition": "definition",
            "parameters": {"inputFile": "a"},
            "containerOverrides": {
                "environment": [{"name": "MODE", "value": "fast"}],
                "resourceRequirements": [{"type": "GPU", "value": "4"}],
            },
            "arrayProperties": {"size": 10},
            "dependsOn": [{"jobId": "job-0", "type": "SEQUENTIAL"}],
            "retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onExitCode": "1", "action": "RETRY"}]},
            "timeout": {"attemptDurationSeconds": 60},
            "tags": {"team": "ml", "asl-attempt": attempt_key(call)},
        }
    ]
    assert isinstance(result, Submitted)
    assert isinstance(result.output, dict)
    assert {name: result.output[name] for name in ("JobArn", "JobId", "JobName")} == {
        "JobArn": "arn:aws:batch:eu-west-1:123456789012:job/job-1",
        "JobId": "job-1",
        "JobName": "nightly",
    }
    assert result.output["SdkResponseMetadata"] == {"RequestId": "request-1"}


def test_a_job_without_a_name_is_named_after_its_attempt(service: FakeService) -> None:
    call = task_call(SYNC, {"JobQueue": "queue", "JobDefinition": "definition"})
    submit(service, call)
    assert service.asked("submitjob")[0]["jobName"] == attempt_key(call)
    assert len(attempt_key(call)) == 32


def test_an_attempt_that_is_submitted_again_finds_its_job(service: FakeService) -> None:
    """The first process died before it could say so; the second knows nothing."""
    first = submit(service, job())
    again = submit(service, job())
    assert len(jobs_of(service)) == 1
    assert isinstance(first, Submitted)
    assert isinstance(first.output, dict)
    assert again == Submitted({name: first.output[name] for name in ("JobArn", "JobId", "JobName")})


def test_jobs_of_the_same_name_belong_to_their_own_attempts(service: FakeService) -> None:
    calls = [job(wait_id=wait_id) for wait_id in (3, 8, 13, 18, 23)]
    for call in calls:
        submit(service, call)
    jobs_of(service)["job-4"]["status"] = "SUCCEEDED"
    assert [look(service, call) is None for call in calls] == [
        True, True, True, False, True,
    ]  # fmt: skip
    assert len(jobs_of(service)) == 5


def test_jobs_older_than_the_state_are_not_even_read(service: FakeService) -> None:
    submit(service, job())
    submit(service, replace(job(wait_id=8), state_entered_at=NOON + 3_600_000))
    assert len(jobs_of(service)) == 2
    assert len(service.asked("describejobs")) == 2, "one look at each new job"


def test_a_job_of_an_execution_of_the_same_name_is_not_adopted(service: FakeService) -> None:
    """It ran before, in a store that was emptied since."""
    submit(service, replace(job(), execution_started_at=NOON))
    submit(service, replace(job(), execution_started_at=NOON + 1))
    assert len(jobs_of(service)) == 2


@pytest.mark.parametrize("error", [None, INTERNAL], ids=["connection", "500"])
@pytest.mark.parametrize("before", [True, False], ids=["lost request", "lost answer"])
def test_an_ambiguous_submit_starts_one_job(service: FakeService, error: Refused | None, before: bool) -> None:
    service.faults.append(Fault("submitjob", error, before))
    result = submit(service, job())
    assert isinstance(result, Submitted)
    assert len(jobs_of(service)) == 1
    assert len(service.asked("submitjob")) == (2 if before else 1)


def test_a_throttled_submit_is_tried_again_with_pauses(service: FakeService) -> None:
    service.faults += [Fault("submitjob", THROTTLED), Fault("listjobs", THROTTLED)]
    pauses = Pauses()
    assert isinstance(submit(service, job(), pauses=pauses), Submitted)
    assert pauses == [0.5, 2.0]
    assert len(jobs_of(service)) == 1


def test_a_submit_is_not_tried_again_for_an_attempt_that_is_over(service: FakeService) -> None:
    service.faults.append(Fault("submitjob", THROTTLED))
    pauses = Pauses()
    result = submit(service, replace(job(), is_over=lambda: bool(pauses)), pauses=pauses)
    assert isinstance(result, Failed)
    assert pauses == [0.5]
    assert len(service.asked("submitjob")) == 1
    assert not jobs_of(service)


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        (400, "ClientException", "Batch.ClientException"),
        (500, "ServerException", "Batch.ServerException"),
        (403, "AccessDeniedException", "Batch.AWSBatchException"),
        (429, "TooManyRequestsException", "Batch.AWSBatchException"),
    ],
)
def test_what_batch_refuses_is_named_as_step_functions_names_it(
    service: FakeService, status: int, code: str, name: str
) -> None:
    service.faults += [Fault("submitjob", Refused(status, code, "Job queue not found"))] * 4
    assert submit(service, job()) == Failed(
        name,
        f"Job queue not found (Service: AWSBatch; Status Code: {status}; Error Code: {code}; "
        "Request ID: request-1; Proxy: null)",
    )
    assert not jobs_of(service)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"Queue": "q"}, 'The field "Queue" is not supported by Step Functions'),
        ({"ContainerOverrides": {"Cpu": 4}}, 'The field "ContainerOverrides.Cpu" is not supported by Step Functions'),
        ({"ArrayProperties": {"Size": "10"}}, 'The value for the field "ArrayProperties.Size" must be an INTEGER'),
        ({"DependsOn": {}}, 'The value for the field "DependsOn" must be an ARRAY'),
        ({"JobQueue": None}, 'The field "JobQueue" is required but was missing'),
    ],
)
def test_arguments_that_make_no_request_say_why(service: FakeService, arguments: Any, problem: str) -> None:
    result = submit(service, job(arguments))
    assert isinstance(result, Failed)
    assert result.error == "States.Runtime"
    assert result.cause.endswith(f"could not be used to start the Task: [{problem}]")
    assert not service.requests
    assert stop(service, job(arguments)) is None, "nothing was started"


def test_a_job_that_succeeds_gives_its_description(service: FakeService) -> None:
    submit(service, job())
    assert look(service, submitted(job())) is None
    jobs_of(service)["job-1"] |= {
        "status": "SUCCEEDED",
        "container": {"exitCode": 0, "environment": [{"name": "MODE", "value": "fast"}]},
        "parameters": {"inputFile": "a"},
    }
    result = look(service, submitted(job()))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert result.output["Container"] == {"ExitCode": 0, "Environment": [{"Name": "MODE", "Value": "fast"}]}
    assert result.output["Parameters"] == {"inputFile": "a"}, "the keys of a map are the user's"
    assert (result.output["Status"], result.output["CreatedAt"]) == ("SUCCEEDED", 1_700_000_000_000)


def test_a_job_that_fails_gives_its_description_as_cause(service: FakeService) -> None:
    submit(service, job())
    jobs_of(service)["job-1"] |= {"status": "FAILED", "statusReason": "Essential container in task exited"}
    result = look(service, job())
    assert isinstance(result, Failed)
    assert result.error == "States.TaskFailed"
    assert json.loads(result.cause)["StatusReason"] == "Essential container in task exited"


def test_a_job_that_ends_at_once_has_ended_when_submit_returns(service: FakeService) -> None:
    """Its event may have come before the link that would lead it here."""
    begin = service.operations["submitjob"]

    def begin_and_end(request: dict[str, Any]) -> dict[str, Any]:
        answer = begin(request)
        jobs_of(service)["job-1"]["status"] = "SUCCEEDED"
        return answer

    service.operations["submitjob"] = begin_and_end
    assert isinstance(submit(service, job()), Succeeded)


@pytest.mark.parametrize("error", [None, INTERNAL, THROTTLED], ids=["connection", "500", "throttled"])
def test_a_look_that_learns_nothing_says_that_the_job_runs(service: FakeService, error: Refused | None) -> None:
    submit(service, job())
    service.faults.append(Fault("listjobs", error))
    assert look(service, submitted(job())) is None


def test_a_look_that_is_forbidden_says_so_and_nothing_of_the_job(service: FakeService) -> None:
    submit(service, job())
    service.faults.append(Fault("describejobs", Refused(403, "AccessDeniedException", "no batch:DescribeJobs")))
    with pytest.raises(ClientError, match="no batch:DescribeJobs"):
        look(service, submitted(job()))


def test_a_service_that_cannot_be_reached_says_nothing_of_the_job() -> None:
    nowhere = FakeService({}, url="http://127.0.0.1:9")
    assert look(nowhere, submitted(job())) is None


def test_an_answer_that_cannot_be_read_may_have_submitted_the_job(service: FakeService) -> None:
    service.faults.append(Fault("submitjob", b'{"jobName": "\xff\xfe"}', before=False))
    assert isinstance(submit(service, job()), Submitted)
    assert list(jobs_of(service)) == ["job-1"], "it was looked for before it was asked for again"


def test_a_job_that_batch_has_forgotten_fails_after_a_while(service: FakeService) -> None:
    pauses = Pauses()
    result = look(service, submitted(job()), pauses=pauses)
    assert result == Failed("States.TaskFailed", "batch does not know the job of this attempt any more")
    assert len(pauses) == 3
    assert look(service, job()) is None, "it was perhaps never submitted"


def test_stopping_terminates_the_job_and_makes_sure_of_it(service: FakeService) -> None:
    submit(service, job())
    assert stop(service, submitted(job())) is None
    assert jobs_of(service)["job-1"]["isTerminated"]
    assert stop(service, submitted(job())) is None
    assert len(service.asked("terminatejob")) == 1, "a job that stops needs no more"


def test_stopping_what_never_began_or_is_over_does_nothing(service: FakeService) -> None:
    assert stop(service, job()) is None
    submit(service, job())
    jobs_of(service)["job-1"]["status"] = "FAILED"
    assert stop(service, job()) is None
    assert not service.asked("terminatejob")


def test_a_job_that_does_not_stop_is_reported(service: FakeService) -> None:
    submit(service, job())
    service.operations["terminatejob"] = lambda _request: {}
    reason = stop(service, job())
    assert reason == "batch/job-1 was told to stop, and still runs"


def test_a_stop_that_fails_is_tried_again_and_then_reported(service: FakeService) -> None:
    submit(service, job())
    service.faults += [Fault("terminatejob", INTERNAL)] * 4
    assert stop(service, job()) == "try later"
    assert stop(service, job()) is None
    service.faults.append(Fault("listjobs", Refused(403, "AccessDeniedException", "no batch:ListJobs")))
    assert stop(service, job()) == "no batch:ListJobs"


def test_a_link_spares_the_search(service: FakeService) -> None:
    links = MemoryJobLinks()
    submit(service, job(), links)
    searches = len(service.asked("listjobs"))
    look(service, job(), links)
    stop(service, job(), links)
    assert len(service.asked("listjobs")) == searches


def event(status: str, **fields: Any) -> dict[str, Any]:
    return {"jobId": "job-1", "jobName": "nightly", "status": status, **fields}


def test_an_event_leads_to_the_attempt_and_the_job_says_how_it_ended(service: FakeService) -> None:
    links = MemoryJobLinks()
    submit(service, job(), links)
    assert completed(service, event("RUNNING"), links) is None
    jobs_of(service)["job-1"]["status"] = "SUCCEEDED"
    completion = completed(service, event("SUCCEEDED"), links)
    assert completion is not None
    assert completion.link == JobLink.of(job())
    assert (completion.event.frame_id, completion.event.wait_id) == ("0", 3)
    assert completion.result == look(service, job(), links)


def test_an_event_that_came_too_late_or_for_somebody_else_means_nothing(service: FakeService) -> None:
    links = MemoryJobLinks()
    submit(service, job(), links)
    asked = len(service.requests)
    for detail_type, detail in (
        (CHANGE, event("FAILED", jobId="job-9")),
        ("Batch Job Queue Blocked", event("FAILED")),
        (CHANGE, {}),
    ):
        assert completed(service, detail, links, detail_type) is None
    assert len(service.requests) == asked
    # An attempt of the job failed, and Batch's own retry strategy has already begun another.
    assert completed(service, event("FAILED"), links) is None
