from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from asl_engine.store.memory import MemoryStore
from tests.api.services import MACHINE, Caller, asking, passing, service, story

START = "arn:aws:states:::states:startExecution"
CHILD = MACHINE.replace("orders", "child")
CHILD_EXECUTION = CHILD.replace(":stateMachine:", ":execution:")
ACTIVITY = MACHINE.replace(":stateMachine:orders", ":activity:review")


async def parent(call: Caller, pattern: str, child: dict[str, Any], **parameters: Any) -> str:
    """Start an execution whose only Task starts the child; its ARN."""
    await call("CreateActivity", name="review")
    await call.create(child, name="child")
    await call.create(asking(START + pattern, Parameters={"StateMachineArn": CHILD, **parameters}))
    return str((await call("StartExecution", stateMachineArn=MACHINE))["executionArn"])


async def output_of(call: Caller, arn: str) -> dict[str, Any]:
    shown = await call.ended(arn)
    assert shown["status"] == "SUCCEEDED", shown
    output: dict[str, Any] = json.loads(shown["output"])
    return output


@story
async def test_a_start_is_answered_with_the_arn(call: Caller) -> None:
    output = await output_of(call, await parent(call, "", passing(), Name="c", Input={"a": 1}))

    assert output["ExecutionArn"] == f"{CHILD_EXECUTION}:c"
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert (await call("DescribeExecution", executionArn=f"{CHILD_EXECUTION}:c"))["input"] == '{"a":1}'


@story
async def test_a_child_that_is_waited_for_gives_its_description(call: Caller) -> None:
    arn = await parent(call, ".sync", passing(), Name="c", Input={"a": 1})
    output = await output_of(call, arn)
    history = (await call("GetExecutionHistory", executionArn=arn))["events"]

    assert (output["Status"], output["Name"], output["Output"]) == ("SUCCEEDED", "c", '{"a":1}')
    assert output["InputDetails"] == {"Included": True}
    assert [event["type"] for event in history][2:6] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


@story
async def test_the_second_form_gives_input_and_output_as_values(call: Caller) -> None:
    output = await output_of(call, await parent(call, ".sync:2", passing(), Input={"a": 1}))
    assert (output["Input"], output["Output"]) == ({"a": 1}, {"a": 1})


@story
async def test_a_child_that_fails_fails_the_task(call: Caller) -> None:
    failing = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Refused", "Cause": "late"}}}
    shown = await call.ended(await parent(call, ".sync", failing))

    assert (shown["status"], shown["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(shown["cause"])
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Refused", "late")


@story
async def test_virtual_time_passes_while_a_child_is_waited_for(call: Caller) -> None:
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 31_536_000, "End": True}}}
    output = await output_of(call, await parent(call, ".sync", wait))
    assert output["StopDate"] - output["StartDate"] == 31_536_000_000


@story
async def test_an_error_of_the_api_is_the_error_of_the_task(call: Caller) -> None:
    await call.create(asking(START, Parameters={"StateMachineArn": CHILD}))
    shown = await call.ended((await call("StartExecution", stateMachineArn=MACHINE))["executionArn"])

    assert shown["error"] == "StepFunctions.StateMachineDoesNotExistException"
    assert shown["cause"].startswith(
        f"State Machine Does Not Exist: '{CHILD}' (Service: AWSStepFunctions; Status Code: 400; "
    )


@story
async def test_every_operation_is_a_task_by_the_sdk_integration(call: Caller) -> None:
    described = asking("arn:aws:states:::aws-sdk:sfn:describeStateMachine", Parameters={"StateMachineArn": MACHINE})
    await call.create(described)
    output = await output_of(call, (await call("StartExecution", stateMachineArn=MACHINE))["executionArn"])

    assert (output["Name"], output["CreationDate"]) == ("orders", "2023-11-14T22:13:20.000Z")

    forged = asking("arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", Parameters={"TaskToken": "forged", "Output": "x"})
    await call.create(forged, name="forger")
    arn = (await call("StartExecution", stateMachineArn=MACHINE.replace("orders", "forger")))["executionArn"]
    shown = await call.ended(arn)
    assert shown["error"] == "Sfn.InvalidTokenException"
    assert shown["cause"].startswith("Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: ")


@story
async def test_a_child_whose_parent_is_stopped_is_stopped_too(call: Caller) -> None:
    arn = await parent(call, ".sync", asking(ACTIVITY), Name="c")
    await call("GetActivityTask", activityArn=ACTIVITY)  # the child is under way

    await call("StopExecution", executionArn=arn)
    child = call.service.host.live(f"{CHILD_EXECUTION}:c")
    if child is not None:
        await child.ended

    assert (await call("DescribeExecution", executionArn=f"{CHILD_EXECUTION}:c"))["status"] == "ABORTED"


@pytest.mark.parametrize("parameters", [{}, {"Name": "c"}])
def test_after_a_restart_the_same_child_is_waited_for(parameters: dict[str, Any]) -> None:
    """Whether its end came before or after the restart, and whoever named it."""

    async def run() -> None:
        store = MemoryStore()
        first = Caller(service(store))
        arn = await parent(first, ".sync", asking(ACTIVITY), **parameters)
        task = await first("GetActivityTask", activityArn=ACTIVITY)
        await first.service.host.close()

        again = Caller(service(store))
        again.service.resources = first.service.resources
        for summary in reversed(await store.executions()):
            await again.service.host.take_up(summary.arn)
        await again("SendTaskSuccess", taskToken=task["taskToken"], output='"reviewed"')

        assert (await output_of(again, arn))["Output"] == '"reviewed"'
        assert len(await store.executions()) == 2
        await again.service.host.close()

    asyncio.run(asyncio.wait_for(run(), 20))
