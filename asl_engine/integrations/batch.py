"""AWS Batch: `batch:submitJob`.

SubmitJob has no client token, and names are not unique. So each job bears its attempt's key as a tag, and before a job
is submitted it is looked for: by its name, then by its tag. Creating a job with a tag needs batch:TagResource.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from asl_engine.integrations.aws_errors import ErrorNames, OptimizedNames
from asl_engine.integrations.aws_jobs import ATTEMPT_TAG, Job, JobState, Started, attempt_key
from asl_engine.integrations.aws_values import Moments, request_of, require, result_of
from asl_engine.integrations.sdk_metadata import with_metadata
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import Resource
from asl_engine.runtime.tasks import TaskCall

NAMES: Final = OptimizedNames(prefix="Batch", service="AWSBatch", base="AWSBatchException")
_STATES: Final = {"SUCCEEDED": JobState.SUCCEEDED, "FAILED": JobState.FAILED}
# Batch stamps jobs by its own clock, we the state by ours.
_SKEW_MILLISECONDS: Final = 15 * 60 * 1000
_DESCRIBED_MAX: Final = 100


class BatchJobs:
    """A `JobService`."""

    service = "batch"
    detail_type = "Batch Job State Change"
    names: ErrorNames = NAMES

    def starts(self, resource: Resource) -> bool:
        """Whether it is `batch:submitJob`."""
        return (resource.service, resource.action) == ("batch", "submitJob")

    async def start(self, client: Any, call: TaskCall) -> Started:
        """Submit the job unless it was submitted. Raises UnusableArguments."""
        request = _request(client, call)
        job = await _find(client, request, call.state_entered_at)
        shape = client.meta.service_model.operation_model("SubmitJob").output_shape
        if job is not None:
            return Started(job_key=_key(job["jobId"]), output=result_of(job, shape, Moments.MILLISECONDS))
        answer = await client.submit_job(**request)
        output = with_metadata(result_of(answer, shape, Moments.MILLISECONDS), answer)
        return Started(job_key=_key(answer["jobId"]), output=output)

    async def find(self, client: Any, call: TaskCall) -> str | None:
        """The job of that name that bears the attempt's tag, among all that Batch still lists."""
        job = await _find(client, _request(client, call), call.state_entered_at)
        return None if job is None else _key(job["jobId"])

    async def describe(self, client: Any, job_key: str) -> Job | None:
        """The job, with everything that DescribeJobs says of it."""
        answer = await client.describe_jobs(jobs=[_job_id(job_key)])
        if not answer["jobs"]:
            return None
        job = answer["jobs"][0]
        description = result_of(job, client.meta.service_model.shape_for("JobDetail"), Moments.MILLISECONDS)
        return Job(state=_state(job), description=description)

    async def stop(self, client: Any, job_key: str) -> None:
        """Terminate the job, also one that has not begun."""
        await client.terminate_job(jobId=_job_id(job_key), reason="The task's result no longer counts")

    def ended_job(self, detail: JsonObject) -> str | None:
        """The job of a Batch Job State Change to SUCCEEDED or FAILED."""
        job_id = detail.get("jobId")
        return _key(job_id) if isinstance(job_id, str) and detail.get("status") in _STATES else None


def _request(client: Any, call: TaskCall) -> dict[str, Any]:
    shape = client.meta.service_model.operation_model("SubmitJob").input_shape
    request, key = request_of(call.attempt.arguments, shape), attempt_key(call)
    request.setdefault("jobName", key)
    require(request, shape)
    request["tags"] = {**request.get("tags", {}), ATTEMPT_TAG: key}
    return request


async def _find(client: Any, request: Mapping[str, Any], state_entered_at: int) -> Mapping[str, Any] | None:
    name, earliest = request["jobName"], state_entered_at - _SKEW_MILLISECONDS
    filters = [{"name": "JOB_NAME", "values": [name]}]
    pages = client.get_paginator("list_jobs").paginate(jobQueue=request["jobQueue"], filters=filters)
    async for page in pages:
        # The filter takes capital letters for small ones.
        ids = [
            job["jobId"]
            for job in page["jobSummaryList"]
            if job["jobName"] == name and job.get("createdAt", earliest) >= earliest
        ]
        job = await _tagged(client, ids, request["tags"][ATTEMPT_TAG])
        if job is not None:
            return job
    return None


async def _tagged(client: Any, job_ids: Sequence[str], key: str) -> Mapping[str, Any] | None:
    for start in range(0, len(job_ids), _DESCRIBED_MAX):
        answer = await client.describe_jobs(jobs=list(job_ids[start : start + _DESCRIBED_MAX]))
        for job in answer["jobs"]:
            if job.get("tags", {}).get(ATTEMPT_TAG) == key:
                found: Mapping[str, Any] = job
                return found
    return None


def _state(job: Mapping[str, Any]) -> JobState:
    stops = job.get("isTerminated") or job.get("isCancelled")
    return _STATES.get(job["status"], JobState.STOPPING if stops else JobState.RUNNING)


def _key(job_id: str) -> str:
    return f"batch/{job_id}"


def _job_id(job_key: str) -> str:
    return job_key.removeprefix("batch/")
