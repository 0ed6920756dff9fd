"""The Task states of the workloads, and who performs them: nobody, after the time that it would have taken.

Results look as AWS answers them, with the metadata that Step Functions keeps of a response.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.jobs import JobLink, JobLinks
from asl_engine.runtime.tasks import Submitted, Succeeded, TaskCall, TaskResult
from benchmarks.cost.payloads import new_uuid, order
from benchmarks.workloads import State

FUNCTION: Final = "arn:aws:lambda:us-east-1:123456789012:function:process-order"
_DAY_SECONDS: Final = 86_400
_DATE: Final = "Wed, 25 Nov 2026 08:30:00 GMT"

Completed = Callable[[TaskCall, Any], None]


def lambda_task() -> State:
    """A function by `lambda:invoke`, as the console writes it; its payload goes on."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": FUNCTION, "Payload.$": "$"},
        "OutputPath": "$.Payload",
    }


def service_task() -> State:
    """A request to another service by an optimized integration, whose answer has metadata."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:orders", "Message.$": "$"},
    }


def sdk_task() -> State:
    """A request by an SDK integration, whose answer has none."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Parameters": {"Bucket": "orders", "Key": "order.json", "Body.$": "$"},
    }


def callback_task() -> State:
    """A task that somebody answers with its token, within a day."""
    message = {"token.$": "$$.Task.Token", "order.$": "$"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/asks", "MessageBody": message},
        "TimeoutSeconds": _DAY_SECONDS,
    }


def job_task() -> State:
    """A job that is waited for, within a day."""
    parameters = {"JobName": "report", "JobQueue": "reports", "JobDefinition": "report:3", "Parameters": {"day": "25"}}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::batch:submitJob.sync",
        "Parameters": parameters,
        "TimeoutSeconds": _DAY_SECONDS,
    }


class TimedTasks:
    """Performs tasks that are awaited, each for a time drawn around `seconds`, and takes those answered by token.

    `answer` is told of the latter: it brings the result later.
    """

    def __init__(
        self, clock: Clock, chance: Random, seconds: float, payload: Callable[[Random], Any], answer: Completed
    ) -> None:
        self._clock, self._chance, self._seconds = clock, chance, seconds
        self._payload, self._answer = payload, answer

    def handles(self, _call: TaskCall) -> bool:
        """All but jobs, which are asked first."""
        return True

    async def perform(self, call: TaskCall) -> TaskResult:
        """Take half to one and a half of the time that tasks take."""
        milliseconds = round(1000 * self._seconds * (0.5 + self._chance.random()))
        if call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            self._answer(call, order(self._chance, 256))
            return Submitted(_answered({"MessageId": new_uuid(self._chance)}, self._chance))
        if milliseconds:
            await self._clock.sleep_until(self._clock.now() + milliseconds)
        return Succeeded(self._output(call))

    async def close(self) -> None:
        """Nothing was opened."""

    def _output(self, call: TaskCall) -> Any:
        if call.is_lambda_invoke:
            response = {"ExecutedVersion": "$LATEST", "Payload": self._payload(self._chance), "StatusCode": 200}
            return _answered(response, self._chance)
        if call.function_name:
            return self._payload(self._chance)
        if call.resource.service == "aws-sdk":
            return {"ETag": f'"{self._chance.getrandbits(128):032x}"', "ServerSideEncryption": "AES256"}
        return _answered({"MessageId": new_uuid(self._chance)}, self._chance)


class TimedJobs:
    """Starts jobs; `answer` is told of each and brings its end later. One that is looked at still runs."""

    def __init__(self, chance: Random, answer: Completed, links: JobLinks) -> None:
        self._chance, self._answer, self._links = chance, answer, links

    def handles(self, call: TaskCall) -> bool:
        """Those that are waited for."""
        return call.resource.pattern is IntegrationPattern.SYNC

    async def submit(self, call: TaskCall) -> TaskResult:
        """As SubmitJob answers."""
        job_id = new_uuid(self._chance)
        arn = f"arn:aws:batch:us-east-1:123456789012:job/{job_id}"
        await self._links.put(job_key(call), JobLink.of(call))
        self._answer(call, _description(job_id, arn))
        return Submitted(_answered({"JobArn": arn, "JobId": job_id, "JobName": "report"}, self._chance))

    async def look(self, _call: TaskCall) -> TaskResult | None:
        """It runs."""
        return None

    async def stop(self, _call: TaskCall) -> str | None:
        """It stops."""
        return None

    async def close(self) -> None:
        """Nothing was opened."""


def job_key(call: TaskCall) -> str:
    """What names the job of a call for ever."""
    return f"batch/{call.idempotency_key}"


def _answered(output: dict[str, Any], chance: Random) -> dict[str, Any]:
    """An answer with its metadata."""
    request_id = new_uuid(chance)
    headers = {
        "Connection": "keep-alive",
        "Content-Length": str(chance.randrange(500, 2000)),
        "Content-Type": "application/json",
        "Date": _DATE,
        "X-Amzn-Trace-Id": f"root=1-{chance.getrandbits(32):08x}-{chance.getrandbits(96):024x};sampled=0",
        "x-amzn-RequestId": request_id,
    }
    metadata = {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": headers,
        "HttpStatusCode": 200,
    }
    return {**output, "SdkHttpMetadata": metadata, "SdkResponseMetadata": {"RequestId": request_id}}


def _description(job_id: str, arn: str) -> dict[str, Any]:
    """What DescribeJobs says of a job that is over: about 1 KB."""
    return {
        "Attempts": [{"Container": {"ExitCode": 0, "LogStreamName": f"report/default/{job_id}"}, "StoppedAt": 1}],
        "Container": {
            "Command": ["report", "--day", "25"],
            "Environment": [{"Name": "STAGE", "Value": "production"}],
            "ExitCode": 0,
            "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/report:3",
            "JobRoleArn": "arn:aws:iam::123456789012:role/report",
            "ResourceRequirements": [{"Type": "VCPU", "Value": "4"}, {"Type": "MEMORY", "Value": "16384"}],
        },
        "JobArn": arn,
        "JobDefinition": "arn:aws:batch:us-east-1:123456789012:job-definition/report:3",
        "JobId": job_id,
        "JobName": "report",
        "JobQueue": "arn:aws:batch:us-east-1:123456789012:job-queue/reports",
        "Parameters": {"day": "25"},
        "Status": "SUCCEEDED",
    }
