"""SageMaker: a name is an idempotency key, and only what bears the attempt's tag is ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from asl_engine.integrations import sagemaker
from asl_engine.integrations.aws_calls import AwsCalls
from asl_engine.integrations.aws_jobs import AwsJobs, attempt_key
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.jobs import JobLink, JobLinks, MemoryJobLinks
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult
from tests.integrations.aws_services import FakeService, Fault, Refused, jobs_of, sagemaker_service, serving
from tests.runtime.task_calls import task_call

TRAINING = "arn:aws:states:::sagemaker:createTrainingJob.sync"
MODEL = "arn:aws:states:::sagemaker:createModel"
UPDATE = "arn:aws:states:::sagemaker:updateEndpoint"
REQUIRED: dict[str, dict[str, Any]] = {
    "TrainingJob": {
        "RoleArn": "arn:aws:iam::123456789012:role/training",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    },
    "TransformJob": {
        "ModelName": "model",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    },
    "ProcessingJob": {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": "arn:aws:iam::123456789012:role/processing",
    },
    "HyperParameterTuningJob": {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        }
    },
}

T = TypeVar("T")


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(sagemaker_service("TrainingJob")) as running:
        yield running


async def _at_once(_seconds: float) -> None:
    """Pause without taking time."""


def asking(service: FakeService, ask: Callable[[AwsJobs, AwsCalls], Awaitable[T]], links: JobLinks | None = None) -> T:
    """Ask a process of its own: it remembers nothing but the links."""

    async def asked() -> T:
        clients = AwsClients(endpoint_url=service.url, environ={})
        jobs = AwsJobs(clients, sagemaker.JOBS, links, pause=_at_once)
        try:
            return await ask(jobs, AwsCalls(clients, jobs))
        finally:
            await jobs.close()

    return asyncio.run(asked())


def submit(service: FakeService, call: TaskCall, links: JobLinks | None = None) -> TaskResult:
    return asking(service, lambda jobs, _calls: jobs.submit(call), links)


def look(service: FakeService, call: TaskCall) -> TaskResult | None:
    return asking(service, lambda jobs, _calls: jobs.look(call))


def stop(service: FakeService, call: TaskCall) -> str | None:
    return asking(service, lambda jobs, _calls: jobs.stop(call))


def perform(service: FakeService, call: TaskCall) -> TaskResult:
    return asking(service, lambda _jobs, calls: calls.perform(call))


def training(name: str = "Train-1", **fields: Any) -> TaskCall:
    return task_call(TRAINING, {"TrainingJobName": name, **REQUIRED["TrainingJob"]}, **fields)


@pytest.mark.parametrize("noun", REQUIRED)
def test_each_kind_of_job_is_created_described_and_stopped(noun: str) -> None:
    with serving(sagemaker_service(noun)) as service:
        call = task_call(f"arn:aws:states:::sagemaker:create{noun}.sync", {f"{noun}Name": "Night-1", **REQUIRED[noun]})
        assert isinstance(submit(service, call), Submitted)
        tag = {"Key": "asl-attempt", "Value": attempt_key(call)}
        assert service.asked(f"create{noun}".lower()) == [
            {f"{noun}Name": "Night-1", **REQUIRED[noun], "Tags": [tag]},
        ]
        assert look(service, call) is None
        assert stop(service, call) is None
        assert jobs_of(service)["Night-1"][f"{noun}Status"] == "Stopping"
        jobs_of(service)["Night-1"][f"{noun}Status"] = "Completed"
        result = look(service, call)
        assert isinstance(result, Succeeded)
        assert isinstance(result.output, dict)
        assert result.output[f"{noun}Name"] == "Night-1"
        assert result.output["CreationTime"] == 1_700_000_000_500, "milliseconds, as the AWS SDK for Java 1 has it"


def test_the_definitions_tags_are_kept(service: FakeService) -> None:
    tags: list[JsonValue] = [{"Key": "team", "Value": "ml"}]
    call = task_call(TRAINING, {"TrainingJobName": "t", **REQUIRED["TrainingJob"], "Tags": tags})
    submit(service, call)
    assert service.asked("createtrainingjob")[0]["Tags"] == [*tags, {"Key": "asl-attempt", "Value": attempt_key(call)}]


def test_a_job_without_a_name_is_named_after_its_attempt(service: FakeService) -> None:
    call = task_call(TRAINING, REQUIRED["TrainingJob"])
    submit(service, call)
    assert list(jobs_of(service)) == [attempt_key(call)]


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_did_not_complete_fails_with_its_description(service: FakeService, status: str) -> None:
    submit(service, training())
    jobs_of(service)["Train-1"] |= {"TrainingJobStatus": status, "FailureReason": "AlgorithmError: exit code 1"}
    result = look(service, training())
    assert isinstance(result, Failed)
    assert result.error == "States.TaskFailed"
    assert json.loads(result.cause)["FailureReason"] == "AlgorithmError: exit code 1"


def test_an_attempt_that_is_submitted_again_adopts_its_job(service: FakeService) -> None:
    submit(service, training())
    again = submit(service, training())
    assert again == Submitted({"TrainingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:trainingjob/train-1"})
    assert len(jobs_of(service)) == 1


def test_a_job_whose_creation_was_not_answered_is_adopted(service: FakeService) -> None:
    service.faults.append(Fault("createtrainingjob", None, before=False))
    assert isinstance(submit(service, training()), Submitted)
    assert len(service.asked("createtrainingjob")) == 2
    assert len(jobs_of(service)) == 1


def test_a_name_that_another_attempt_took_is_refused(service: FakeService) -> None:
    """Retry begins another attempt: only what bears this one's tag is its own. So does AWS."""
    submit(service, training(wait_id=3))
    other = training(wait_id=8)
    assert submit(service, other) == Failed(
        "SageMaker.ResourceInUseException",
        "Job name must be unique within an AWS account: Train-1 (Service: AmazonSageMaker; Status Code: 400; "
        "Error Code: ResourceInUse; Request ID: request-1; Proxy: null)",
    )
    assert look(service, other) is None
    assert stop(service, other) is None
    assert not service.asked("stoptrainingjob"), "nobody stops what is not theirs"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ResourceLimitExceeded", "SageMaker.ResourceLimitExceededException"),
        ("ValidationException", "SageMaker.AmazonSageMakerException"),
    ],
)
def test_what_sagemaker_refuses_is_named_as_step_functions_names_it(service: FakeService, code: str, name: str) -> None:
    service.faults.append(Fault("createtrainingjob", Refused(400, code, "no")))
    assert submit(service, training()) == Failed(
        name,
        f"no (Service: AmazonSageMaker; Status Code: 400; Error Code: {code}; Request ID: request-1; Proxy: null)",
    )


def test_a_stop_that_fails_is_tried_again_and_then_reported(service: FakeService) -> None:
    submit(service, training())
    service.faults += [Fault("stoptrainingjob", Refused(500, "InternalFailure", "try later"))] * 4
    assert stop(service, training()) == "try later"
    service.operations["stoptrainingjob"] = lambda _request: {}
    assert stop(service, training()) == "sagemaker/TrainingJob/Train-1 was told to stop, and still runs"


def test_an_event_leads_to_the_attempt_by_the_jobs_name(service: FakeService) -> None:
    links = MemoryJobLinks()
    submit(service, training(), links)
    detail = {"TrainingJobName": "Train-1", "TrainingJobStatus": "Completed"}

    def completed(detail: dict[str, Any]) -> Any:
        change = "SageMaker Training Job State Change"
        return asking(service, lambda jobs, _calls: jobs.completed(change, detail), links)

    assert completed(detail) is None, "the job itself says that it still runs"
    jobs_of(service)["Train-1"]["TrainingJobStatus"] = "Completed"
    assert completed({**detail, "TrainingJobStatus": "InProgress"}) is None
    assert completed({**detail, "TrainingJobName": "another"}) is None
    completion = completed(detail)
    assert completion.link == JobLink.of(training())
    assert isinstance(completion.result, Succeeded)


def test_a_job_that_is_not_waited_for_is_started_once_all_the_same(service: FakeService) -> None:
    call = task_call(TRAINING.removesuffix(".sync"), {"TrainingJobName": "t", **REQUIRED["TrainingJob"]})
    first, again = perform(service, call), perform(service, call)
    assert isinstance(first, Succeeded)
    assert isinstance(first.output, dict)
    assert first.output["SdkResponseMetadata"] == {"RequestId": "request-1"}
    assert again == Succeeded({"TrainingJobArn": first.output["TrainingJobArn"]})


def _model_service() -> FakeService:
    service = sagemaker_service("Model")
    create = service.operations["createmodel"]

    def create_or_refuse(request: dict[str, Any]) -> dict[str, Any]:
        try:
            return create(request)
        except Refused as refused:
            raise Refused(400, "ValidationException", "Cannot create already existing model") from refused

    service.operations["createmodel"] = create_or_refuse
    return service


def test_a_model_that_this_attempt_created_before_is_adopted() -> None:
    with serving(_model_service()) as service:
        call = task_call(MODEL, {"ModelName": "churn", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r"})
        first = perform(service, call)
        assert isinstance(first, Succeeded)
        assert isinstance(first.output, dict)
        assert perform(service, call) == Succeeded({"ModelArn": first.output["ModelArn"]})
        other = task_call(MODEL, {"ModelName": "churn"}, wait_id=8)
        result = perform(service, other)
        assert isinstance(result, Failed)
        assert (result.error, result.cause[:36]) == (
            "SageMaker.AmazonSageMakerException",
            "Cannot create already existing model",
        )


def test_whoever_may_not_look_is_told_what_was_refused(service: FakeService) -> None:
    submit(service, training())
    service.faults.append(Fault("listtags", Refused(403, "AccessDeniedException", "no sagemaker:ListTags")))
    refused = submit(service, training())
    assert isinstance(refused, Failed)
    assert refused.error == "SageMaker.ResourceInUseException"


def test_tags_are_added_to_what_is_there() -> None:
    tags: list[dict[str, str]] = []

    def add(request: dict[str, Any]) -> dict[str, Any]:
        tags.extend(request["Tags"])
        return {"Tags": tags}

    arguments: JsonObject = {
        "ResourceArn": "arn:aws:sagemaker:eu-west-1:1:model/m",
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    with serving(FakeService({"addtags": add})) as running:
        result = perform(running, task_call("arn:aws:states:::sagemaker:addTags", arguments))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert result.output["Tags"] == arguments["Tags"]


def test_an_endpoint_update_that_is_under_way_is_not_begun_twice() -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/e"
    pending: list[str] = []

    def update(request: dict[str, Any]) -> dict[str, Any]:
        if pending:
            raise Refused(400, "ValidationException", 'Cannot update in-progress endpoint "e".')
        pending.append(request["EndpointConfigName"])
        return {"EndpointArn": arn}

    def describe(_request: dict[str, Any]) -> dict[str, Any]:
        return {"EndpointArn": arn, "PendingDeploymentSummary": {"EndpointConfigName": pending[0]}}

    with serving(FakeService({"updateendpoint": update, "describeendpoint": describe})) as service:
        call = task_call(UPDATE, {"EndpointName": "e", "EndpointConfigName": "two"})
        assert isinstance(perform(service, call), Succeeded)
        assert perform(service, call) == Succeeded({"EndpointArn": arn})
        other = perform(service, task_call(UPDATE, {"EndpointName": "e", "EndpointConfigName": "three"}))
        assert isinstance(other, Failed)
        assert other.error == "SageMaker.AmazonSageMakerException"
