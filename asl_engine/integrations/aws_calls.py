"""Tasks that are one call of a service's operation: optimized integrations and `aws-sdk:service:action`.

The service is asked once for each attempt; whether to ask again is for the state's Retry to say. Only what the service
would refuse to do twice is found again after a crash: see `batch` and `sagemaker`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from asl_engine.integrations import sagemaker
from asl_engine.integrations.aws_errors import call_errors
from asl_engine.integrations.aws_jobs import AwsJobs
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.integrations.aws_values import UnusableArguments, request_of, require, result_of, unusable
from asl_engine.integrations.sdk_metadata import with_metadata
from asl_engine.integrations.services import Operation, operation_of
from asl_engine.json_value import JsonObject, dump_json
from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

_CREDENTIALS: Final = "Credentials is not supported: the engine calls services with its own identity only"

_QUEUE_URL: Final = re.compile(r"https://sqs\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/")


class AwsCalls:
    """A `TaskPerformer`. Jobs that are not waited for are started by `jobs`."""

    def __init__(self, clients: AwsClients, jobs: AwsJobs) -> None:
        self._clients, self._jobs = clients, jobs

    def handles(self, call: TaskCall) -> bool:
        """Whether the resource is an operation of a service that can be reached."""
        operation = operation_of(call.resource)
        return operation is not None and self._clients.reaches(operation.service)

    async def perform(self, call: TaskCall) -> TaskResult:
        """Call the operation once."""
        operation = operation_of(call.resource)
        assert operation is not None, "the performer handles the call"
        if call.attempt.credentials is not None and not self._clients.is_local(operation.service):
            return Failed("States.Runtime", _CREDENTIALS)
        output = await self._output(operation, call)
        if isinstance(output, Failed):
            return output
        waits = call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN
        return Submitted(output) if waits else Succeeded(output)

    async def close(self) -> None:
        """Let go of connections."""
        await self._clients.close()

    async def _output(self, operation: Operation, call: TaskCall) -> JsonObject | Failed:
        if self._jobs.starts(call):
            started = await self._jobs.start(call)
            return started if isinstance(started, Failed) else started.output
        model = operation.model()
        if model is None:
            return Failed("States.Runtime", f"{operation.service} has no operation {call.resource.action}")
        try:
            return await self._called(operation, model, call)
        except UnusableArguments as error:
            return unusable(call, error)
        except call_errors() as error:
            return operation.names.failure(error, model.service_model)

    async def _called(self, operation: Operation, model: Any, call: TaskCall) -> JsonObject | Failed:
        client = await self._clients.client(operation.service, _region(call))
        adopted = sagemaker.ADOPTED.get(call.resource.action) if call.resource.service == "sagemaker" else None
        if adopted is not None:
            return await adopted.perform(client, call)
        request = _request(call, model)
        answer = await _call(client, model, request)
        await _read_streams(answer)
        output = result_of(answer, model.output_shape, operation.moments)
        if call.resource.service == "events" and output.get("FailedEntryCount"):
            return Failed("EventBridge.FailedEntry", dump_json(output))
        return with_metadata(output, answer) if operation.has_metadata else output


def _region(call: TaskCall) -> str | None:
    """The region that the URL of a queue names: Step Functions sends to the URL's host. None: the configured one."""
    arguments = call.attempt.arguments
    url = arguments.get("QueueUrl") if call.resource.service == "sqs" and isinstance(arguments, dict) else None
    queue = _QUEUE_URL.match(url) if isinstance(url, str) else None
    return None if queue is None else queue["region"]


def _request(call: TaskCall, model: Any) -> dict[str, Any]:
    request = request_of(call.attempt.arguments, model.input_shape)
    if model.service_model.protocol.startswith("rest"):  # what is missing from a path cannot be left to the service
        require(request, model.input_shape)
    if call.resource.service == "events":
        for entry in request.get("Entries", ()):
            # https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
            entry["Resources"] = [*entry.get("Resources", ()), call.execution_arn, _machine_arn(call)]
    return request


def _machine_arn(call: TaskCall) -> str:
    prefix, _, name = call.execution_arn.replace(":execution:", ":stateMachine:", 1).partition(":stateMachine:")
    return f"{prefix}:stateMachine:{name.partition(':')[0]}"


async def _call(client: Any, model: Any, request: Mapping[str, Any]) -> Any:
    from botocore import xform_name

    return await getattr(client, xform_name(model.name))(**request)


async def _read_streams(answer: dict[str, Any]) -> None:
    for name, value in answer.items():
        if hasattr(value, "read"):
            async with value as body:
                answer[name] = await body.read()
