"""Amazon SageMaker: jobs that are trained, transformed, processed or tuned, and models and endpoints.

Names are unique in an account and region, so a name is an idempotency key: what was created under it and bears the
attempt's tag is ours. Creating with a tag needs sagemaker:AddTags, telling whose it is needs sagemaker:ListTags.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from asl_engine.integrations.aws_errors import (
    ErrorNames,
    OptimizedNames,
    call_errors,
    error_code,
    error_message,
    is_transient,
)
from asl_engine.integrations.aws_jobs import ATTEMPT_TAG, Job, JobState, Started, attempt_key
from asl_engine.integrations.aws_values import Moments, request_of, require, result_of
from asl_engine.integrations.sdk_metadata import with_metadata
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import Resource
from asl_engine.runtime.tasks import TaskCall

NAMES: Final = OptimizedNames(prefix="SageMaker", service="AmazonSageMaker", base="AmazonSageMakerException")
_STATES: Final = {
    "Completed": JobState.SUCCEEDED,
    "Failed": JobState.FAILED,
    "Stopped": JobState.FAILED,
    "Stopping": JobState.STOPPING,
    "Deleting": JobState.STOPPING,
    "DeleteFailed": JobState.FAILED,
}
_ENDED: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED})
_EXISTS: Final = re.compile(r"already exist", re.IGNORECASE)
_UNKNOWN: Final = re.compile(r"not found|not exist|could not find", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Creations:
    """What `sagemaker:create…` makes of one kind, as `noun` says in the API: TrainingJob, Model, …"""

    noun: str

    @property
    def action(self) -> str:
        """The action of the Resource."""
        return f"create{self.noun}"

    async def create(self, client: Any, call: TaskCall) -> Started:
        """Create it, or adopt what this attempt created before. Raises UnusableArguments."""
        operation = client.meta.service_model.operation_model(f"Create{self.noun}")
        request = self._request(client, call)
        try:
            answer = await self._call(client, "create", **request)
        except call_errors() as error:
            created = await self._found(client, call, error) if _exists(error) else None
            if created is None:
                raise
            return Started(job_key=self.key(request), output={f"{self.noun}Arn": created[f"{self.noun}Arn"]})
        output = with_metadata(result_of(answer, operation.output_shape, Moments.MILLISECONDS), answer)
        return Started(job_key=self.key(request), output=output)

    def key(self, named: Mapping[str, Any]) -> str:
        """The key that goes with the name: ARNs have it in small letters."""
        return f"sagemaker/{self.noun}/{named[f'{self.noun}Name']}"

    async def find(self, client: Any, call: TaskCall) -> Mapping[str, Any] | None:
        """What bears the name, described, if this attempt created it. Raises UnusableArguments."""
        described = await self.description(client, self._request(client, call)[f"{self.noun}Name"])
        if described is None:
            return None
        ours = {"Key": ATTEMPT_TAG, "Value": attempt_key(call)}
        pages = client.get_paginator("list_tags").paginate(ResourceArn=described[f"{self.noun}Arn"])
        async for page in pages:
            if ours in page["Tags"]:
                return described
        return None

    async def _found(self, client: Any, call: TaskCall, refusal: Exception) -> Mapping[str, Any] | None:
        """What this attempt created. Whoever may not look is told what was refused in the first place."""
        try:
            return await self.find(client, call)
        except call_errors() as error:
            if is_transient(error):
                raise
            raise refusal from error

    async def description(self, client: Any, name: str) -> Mapping[str, Any] | None:
        """What bears the name; None if nothing does."""
        try:
            answer: Mapping[str, Any] = await self._call(client, "describe", **{f"{self.noun}Name": name})
        except call_errors() as error:
            if error_code(error) == "ResourceNotFound" or _is_unknown(error):
                return None
            raise
        return answer

    async def stop(self, client: Any, name: str) -> None:
        """Ask for its end."""
        await self._call(client, "stop", **{f"{self.noun}Name": name})

    def _request(self, client: Any, call: TaskCall) -> dict[str, Any]:
        shape = client.meta.service_model.operation_model(f"Create{self.noun}").input_shape
        request, key = request_of(call.attempt.arguments, shape), attempt_key(call)
        request.setdefault(f"{self.noun}Name", key)
        require(request, shape)
        request["Tags"] = [*request.get("Tags", ()), {"Key": ATTEMPT_TAG, "Value": key}]
        return request

    async def _call(self, client: Any, verb: str, **request: Any) -> Any:
        from botocore import xform_name

        return await getattr(client, f"{verb}_{xform_name(self.noun)}")(**request)

    async def perform(self, client: Any, call: TaskCall) -> JsonObject:
        """Create it, and give what SageMaker answered."""
        return (await self.create(client, call)).output


class EndpointUpdates:
    """`sagemaker:updateEndpoint`, which SageMaker refuses to begin twice."""

    async def perform(self, client: Any, call: TaskCall) -> JsonObject:
        """Update the endpoint, unless the same update is under way. Raises UnusableArguments."""
        operation = client.meta.service_model.operation_model("UpdateEndpoint")
        request = request_of(call.attempt.arguments, operation.input_shape)
        require(request, operation.input_shape)
        try:
            answer = await client.update_endpoint(**request)
        except call_errors() as error:
            if "in-progress" not in error_message(error):
                raise
            endpoint = await client.describe_endpoint(EndpointName=request["EndpointName"])
            pending = endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
            if pending != request["EndpointConfigName"]:
                raise
            return {"EndpointArn": endpoint["EndpointArn"]}
        return with_metadata(result_of(answer, operation.output_shape, Moments.MILLISECONDS), answer)


class SageMakerJobs:
    """A `JobService` for one kind of job. `kind` is as in its events: Training Job."""

    service = "sagemaker"
    names: ErrorNames = NAMES

    def __init__(self, noun: str, kind: str) -> None:
        self._creations, self._noun = Creations(noun), noun
        self.detail_type = f"SageMaker {kind} State Change"

    def starts(self, resource: Resource) -> bool:
        """Whether it creates such a job."""
        return (resource.service, resource.action) == ("sagemaker", self._creations.action)

    async def start(self, client: Any, call: TaskCall) -> Started:
        """See `Creations.create`."""
        return await self._creations.create(client, call)

    async def find(self, client: Any, call: TaskCall) -> str | None:
        """See `Creations.find`."""
        created = await self._creations.find(client, call)
        return None if created is None else self._creations.key(created)

    async def describe(self, client: Any, job_key: str) -> Job | None:
        """The job, with everything that Describe says of it."""
        answer = await self._creations.description(client, _name(job_key))
        if answer is None:
            return None
        shape = client.meta.service_model.operation_model(f"Describe{self._noun}").output_shape
        return Job(
            state=_STATES.get(answer[f"{self._noun}Status"], JobState.RUNNING),
            description=result_of(answer, shape, Moments.MILLISECONDS),
        )

    async def stop(self, client: Any, job_key: str) -> None:
        """Ask for the job's end; SageMaker gives it two minutes."""
        await self._creations.stop(client, _name(job_key))

    def ended_job(self, detail: JsonObject) -> str | None:
        """The job of a state change to its end."""
        status = detail.get(f"{self._noun}Status")
        is_over = isinstance(status, str) and _STATES.get(status) in _ENDED
        return self._creations.key(detail) if is_over and f"{self._noun}Name" in detail else None


JOBS: Final = (
    SageMakerJobs("TrainingJob", "Training Job"),
    SageMakerJobs("TransformJob", "Transform Job"),
    SageMakerJobs("ProcessingJob", "Processing Job"),
    SageMakerJobs("HyperParameterTuningJob", "HyperParameter Tuning Job"),
)

# What SageMaker refuses to do twice, by action.
ADOPTED: Final[Mapping[str, Creations | EndpointUpdates]] = {
    **{creation.action: creation for creation in map(Creations, ("Model", "EndpointConfig", "Endpoint"))},
    "updateEndpoint": EndpointUpdates(),
}


def _name(job_key: str) -> str:
    return job_key.rpartition("/")[2]


def _exists(error: Exception) -> bool:
    return error_code(error) == "ResourceInUse" or bool(_EXISTS.search(error_message(error)))


def _is_unknown(error: Exception) -> bool:
    return error_code(error) == "ValidationException" and bool(_UNKNOWN.search(error_message(error)))
