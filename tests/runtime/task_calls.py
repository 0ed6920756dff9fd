"""Task calls as the runner makes them, and a host that performs one under virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from asl_engine.interpreter.execution import TaskAttempt
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.resource import parse_resource
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.tasks import TaskCall, TaskPerformer, TaskResult

NOON = 1_700_000_000_000
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:charge"
INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"


def task_call(
    resource: str = FUNCTION_ARN,
    arguments: JsonValue = None,
    *,
    state: str = "Charge",
    retry_count: int = 0,
    wait_id: int = 3,
    timeout_at: int | None = None,
    credentials: JsonObject | None = None,
    heartbeat: Callable[[], None] = lambda: None,
) -> TaskCall:
    """A call of one attempt in an execution named "run"."""
    parsed = parse_resource(resource)
    attempt = TaskAttempt(
        wait_id=wait_id,
        state_name=state,
        resource=resource,
        arguments=arguments,
        retry_count=retry_count,
        task_token="token",
        timeout_at=timeout_at,
        credentials=credentials,
    )
    return TaskCall(
        execution_arn="arn:aws:states:eu-west-1:123456789012:execution:orders:run",
        execution_name="run",
        state_machine_name="orders",
        frame_id="0",
        resource=parsed,
        attempt=attempt,
        heartbeat=heartbeat,
    )


def perform(performer: TaskPerformer, call: TaskCall, clock: VirtualClock) -> TaskResult:
    """Perform one call on a loop of its own."""
    return asyncio.run(performed(performer, call, clock))


async def performed(performer: TaskPerformer, call: TaskCall, clock: VirtualClock) -> TaskResult:
    """Perform one call as a host does: it is at work until the call returns."""
    clock.begin()
    try:
        return await performer.perform(call)
    finally:
        clock.end()
