"""The history events of a Task, which AWS names and fills differently for Lambda functions, activities and services."""

from __future__ import annotations

from asl_engine.interpreter.execution import Frame, TaskAttempt
from asl_engine.interpreter.failure import StatesError
from asl_engine.interpreter.step import Step
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Resource, ResourceType

_PREFIX = {
    ResourceType.LAMBDA_FUNCTION: "LambdaFunction",
    ResourceType.ACTIVITY: "Activity",
    ResourceType.SERVICE: "Task",
}


def scheduled(step: Step, frame: Frame, resource: Resource, attempt: TaskAttempt, timeout: int | None) -> None:
    """…Scheduled, and …Started where the work starts as soon as it is scheduled (an activity waits for a worker)."""
    details: JsonObject
    if resource.type is ResourceType.SERVICE:
        details = {
            **_named(resource),
            "region": step.execution.arn.split(":")[3],
            "parameters": attempt.arguments,
        }
    else:
        details = {"resource": resource.arn, "input": attempt.arguments}
    if timeout is not None:
        details["timeoutInSeconds"] = timeout
    if attempt.heartbeat_seconds is not None:
        details["heartbeatInSeconds"] = attempt.heartbeat_seconds
    if attempt.credentials is not None:
        details["taskCredentials"] = {"roleArn": attempt.credentials.get("RoleArn")}
    step.record(frame, _PREFIX[resource.type] + "Scheduled", details)
    if resource.type is ResourceType.LAMBDA_FUNCTION:
        step.record(frame, "LambdaFunctionStarted")
    elif resource.type is ResourceType.SERVICE:
        step.record(frame, "TaskStarted", _named(resource))


def submitted(step: Step, frame: Frame, resource: Resource, output: JsonValue) -> None:
    """TaskSubmitted."""
    step.record(frame, "TaskSubmitted", {**_named(resource), "output": output})


def activity_started(step: Step, frame: Frame, worker_name: str) -> None:
    """ActivityStarted."""
    step.record(frame, "ActivityStarted", {"workerName": worker_name} if worker_name else {})


def succeeded(step: Step, frame: Frame, resource: Resource, output: JsonValue) -> None:
    """…Succeeded."""
    step.record(frame, _PREFIX[resource.type] + "Succeeded", {**_named(resource), "output": output})


def failed(step: Step, frame: Frame, resource: Resource, error: StatesError) -> None:
    """…Failed."""
    step.record(frame, _PREFIX[resource.type] + "Failed", {**_named(resource), **error.details()})


def timed_out(step: Step, frame: Frame, resource: Resource, error: StatesError) -> None:
    """…TimedOut."""
    step.record(frame, _PREFIX[resource.type] + "TimedOut", {**_named(resource), **error.details()})


def _named(resource: Resource) -> JsonObject:
    if resource.type is not ResourceType.SERVICE:
        return {}
    return {"resourceType": resource.service, "resource": resource.action + resource.pattern}
