"""Tasks that are operations of this very API: `states:startExecution` in all its patterns, and `aws-sdk:sfn:…`.

A child is named after the attempt if the definition gives it no name, so that an attempt that is performed again after
a crash finds the child that it began. A child that a Task waits for (`.sync`) is stopped when the Task is over first.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, Final

from asl_engine.api.arns import read_state_machine_arn, without_test_case
from asl_engine.api.executions import description
from asl_engine.api.service import Answer, StepFunctions
from asl_engine.errors import ExecutionAlreadyExists, RequestError
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.json_value import JsonObject, JsonValue, dump_json, parse_json
from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

_SDK: Final = "aws-sdk:sfn"
_WAITED_FOR: Final = frozenset({IntegrationPattern.SYNC, IntegrationPattern.SYNC_2})


class NestedExecutions:
    """Performs such tasks on the service that it is attached to."""

    def __init__(self) -> None:
        self._service: StepFunctions | None = None
        self._stopping: set[asyncio.Task[bool]] = set()

    def attach(self, service: StepFunctions) -> None:
        """The service whose operations the tasks are."""
        self._service = service

    def handles(self, call: TaskCall) -> bool:
        """Whether the resource is an operation of Step Functions."""
        resource = call.resource
        return resource.service == _SDK or (resource.service, resource.action) == ("states", "startExecution")

    async def perform(self, call: TaskCall) -> TaskResult:
        """See `TaskPerformer.perform`."""
        assert self._service is not None, "attach comes first"
        try:
            if call.resource.service == _SDK:
                return await _call_operation(self._service, call)
            return await self._start(self._service, call)
        except RequestError as error:
            return failure_of(call, error)

    async def close(self) -> None:
        """Finish what was begun to be stopped."""
        await asyncio.gather(*self._stopping, return_exceptions=True)

    async def _start(self, service: StepFunctions, call: TaskCall) -> TaskResult:
        answer = await start_child(service, call)
        output = with_metadata(answer)
        if call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            return Submitted(output)
        if call.resource.pattern not in _WAITED_FOR:
            return Succeeded(output)
        call.submitted(output)
        return await self._follow(service, call, answer["executionArn"])

    async def _follow(self, service: StepFunctions, call: TaskCall, child_arn: str) -> TaskResult:
        """Wait for the child, which is no work: virtual time may pass."""
        service.clock.end()
        try:
            child = await service.host.until_ended(child_arn)
        except asyncio.CancelledError:
            if call.is_over():
                stopping = asyncio.get_running_loop().create_task(service.deliver(child_arn, StopRequested()))
                self._stopping.add(stopping)
                stopping.add_done_callback(self._stopping.discard)
            raise
        finally:
            service.clock.begin()
        return result_of(child, call.resource.pattern)


async def start_child(service: StepFunctions, call: TaskCall) -> Answer:
    """The answer of StartExecution, the same one whenever the attempt is performed. Raises RequestError."""
    try:
        return await service.call("StartExecution", _child_request(call))
    except ExecutionAlreadyExists:
        if "name" in _request(call) and not call.attempt.submitted:
            raise
        return await begun_before(service, call)


async def begun_before(service: StepFunctions, call: TaskCall) -> Answer:
    """The answer of StartExecution for a child that is there. Raises RequestError."""
    child = await service.execution(child_arn(call))
    return {"executionArn": child.arn, "startDate": child.started_at / 1000}


def child_arn(call: TaskCall) -> str:
    """The ARN of the child that the attempt starts. Raises InvalidArn."""
    request = _child_request(call)
    arn, _test_case = without_test_case(str(request.get("stateMachineArn", "")))
    machine = read_state_machine_arn(arn)
    return f"{machine.unqualified.replace(':stateMachine:', ':execution:', 1)}:{request['name']}"


def result_of(child: Execution, pattern: IntegrationPattern) -> Succeeded | Failed:
    """What a Task that waited for a child gets: its description; `.sync:2` has input and output as values."""
    output = _described(description(child), parsed=pattern is IntegrationPattern.SYNC_2)
    if child.status is ExecutionStatus.SUCCEEDED:
        return Succeeded(output)
    return Failed("States.TaskFailed", dump_json(output))


async def _call_operation(service: StepFunctions, call: TaskCall) -> TaskResult:
    action = call.resource.action
    answer = await service.call(action[:1].upper() + action[1:], _request(call))
    output = _capitalised(answer)
    if call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN:
        return Submitted(output)
    return Succeeded(output)


def _child_request(call: TaskCall) -> dict[str, Any]:
    """The request of StartExecution; a child without a name is named after the attempt."""
    return {"name": str(uuid.uuid5(uuid.NAMESPACE_URL, call.idempotency_key))} | _request(call)


def _request(call: TaskCall) -> dict[str, Any]:
    """The members as the API spells them. An Input that is a value becomes the text of it."""
    arguments = call.attempt.arguments
    given = arguments if isinstance(arguments, dict) else {}
    request: dict[str, Any] = {name[:1].lower() + name[1:]: value for name, value in given.items() if value is not None}
    for name in ("input", "output", "definition"):
        if name in request and (name == "input" or not isinstance(request[name], str)):
            value = request[name]
            request[name] = value if isinstance(value, str) else dump_json(value)
    return request


def failure_of(call: TaskCall, error: RequestError) -> Failed:
    """A refused request as the Task's failure."""
    name = error.code if error.code.endswith("Exception") else f"{error.code}Exception"
    request_id = uuid.uuid4()
    if call.resource.service == _SDK:
        return Failed(
            f"Sfn.{name}",
            f"{error} (Service: Sfn, Status Code: 400, Request ID: {request_id}) (SDK Attempt Count: 1)",
        )
    return Failed(
        f"StepFunctions.{name}",
        f"{error} (Service: AWSStepFunctions; Status Code: 400; Error Code: {error.code}; "
        f"Request ID: {request_id}; Proxy: null)",
    )


def with_metadata(answer: Mapping[str, Any]) -> JsonObject:
    """The answer of StartExecution as the Task gets it."""
    request_id = str(uuid.uuid4())
    headers: JsonObject = {
        "connection": "keep-alive",
        "Content-Length": str(len(dump_json(dict(answer)))),
        "Content-Type": "application/x-amz-json-1.0",
        "Date": formatdate(answer["startDate"], usegmt=True),
        "x-amzn-RequestId": request_id,
    }
    return {
        "ExecutionArn": answer["executionArn"],
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
        "StartDate": round(answer["startDate"] * 1000),
    }


def _described(answer: Mapping[str, Any], *, parsed: bool) -> JsonObject:
    """A child's description as the Task's result; `.sync:2` has its input and output as values."""
    shown: JsonObject = {name[:1].upper() + name[1:]: _inner(value) for name, value in answer.items()}
    for name in ("StartDate", "StopDate"):
        moment = shown.get(name)
        if isinstance(moment, float):
            shown[name] = round(moment * 1000)
    for name in ("Input", "Output"):
        text = shown.get(name)
        if parsed and isinstance(text, str):
            shown[name] = parse_json(text)
    return shown


def _capitalised(answer: Mapping[str, Any]) -> JsonObject:
    """An answer as the SDK integrations give it: names in Pascal case, moments as texts."""
    return {
        name[:1].upper() + name[1:]: format_timestamp(round(value * 1000))
        if name.endswith("Date") and isinstance(value, float)
        else _inner(value)
        for name, value in answer.items()
    }


def _inner(value: Any) -> JsonValue:
    if isinstance(value, dict):
        return _capitalised(value)
    if isinstance(value, list):
        return [_inner(member) for member in value]
    held: JsonValue = value
    return held
