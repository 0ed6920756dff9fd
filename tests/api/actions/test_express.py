from __future__ import annotations

import pytest

from asl_engine.errors import InvalidArn, InvalidExecutionInput, StateMachineTypeNotSupported
from tests.api.services import MACHINE, NOON, Caller, asking, story, tell

EXPRESS = MACHINE.replace(":stateMachine:", ":express:")


@story
async def test_an_express_workflow_answers_with_its_end(call: Caller) -> None:
    await call.create(type="EXPRESS")
    answer = await call("StartSyncExecution", stateMachineArn=MACHINE, name="first", input='{"a": 1}')

    assert answer.pop("executionArn").startswith(f"{EXPRESS}:first:")
    assert answer == {
        "stateMachineArn": MACHINE,
        "name": "first",
        "startDate": NOON / 1000,
        "stopDate": NOON / 1000,
        "status": "SUCCEEDED",
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100},
    }


@story
async def test_a_failure_is_an_answer_too(call: Caller) -> None:
    await call.create({"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "E"}}}, type="EXPRESS")
    answer = await call("StartSyncExecution", stateMachineArn=MACHINE)

    assert (answer["status"], answer["error"]) == ("FAILED", "E")
    assert "output" not in answer
    assert "cause" not in answer


@story
async def test_it_ends_after_five_minutes(call: Caller) -> None:
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    await call.create(wait, type="EXPRESS")
    answer = await call("StartSyncExecution", stateMachineArn=MACHINE)

    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")
    assert answer["stopDate"] - answer["startDate"] == 300
    assert answer["billingDetails"]["billedDurationInMilliseconds"] == 300_000


@story
async def test_the_names_of_express_executions_may_be_used_again(call: Caller) -> None:
    await call.create(type="EXPRESS")
    first, second = [
        (await call("StartExecution", stateMachineArn=MACHINE, name="same"))["executionArn"] for _ in range(2)
    ]
    assert first != second


@story
async def test_an_express_execution_cannot_be_looked_at_afterwards(call: Caller) -> None:
    await call.create(type="EXPRESS")
    arn = (await call("StartExecution", stateMachineArn=MACHINE))["executionArn"]
    for operation in ("DescribeExecution", "GetExecutionHistory", "StopExecution"):
        with pytest.raises(InvalidArn, match="not valid in this context: express'"):
            await call(operation, executionArn=arn)


@story
async def test_a_standard_workflow_does_not_answer_with_its_end(call: Caller) -> None:
    await call.create()
    with pytest.raises(StateMachineTypeNotSupported, match="not supported by this type of state machine"):
        await call("StartSyncExecution", stateMachineArn=MACHINE)


@story
async def test_its_context_object_knows_no_redrive(call: Caller) -> None:
    shown = {"Type": "Pass", "Parameters": {"e.$": "$$.Execution"}, "End": True}
    await call.create({"StartAt": "Show", "States": {"Show": shown}}, type="EXPRESS")
    assert "RedriveCount" not in (await call("StartSyncExecution", stateMachineArn=MACHINE))["output"]


@story
async def test_an_input_that_is_no_json_is_refused(call: Caller) -> None:
    await call.create(type="EXPRESS")
    with pytest.raises(InvalidExecutionInput):
        await call("StartSyncExecution", stateMachineArn=MACHINE, input="{")


def test_nothing_of_it_is_kept() -> None:
    async def run(call: Caller) -> None:
        await call.create(asking("arn:aws:lambda:eu-west-1:123456789012:function:charge"), type="EXPRESS")
        answer = await call("StartSyncExecution", stateMachineArn=MACHINE)

        assert answer["output"] == "7"
        assert await call.service.executions.executions() == []

    tell(run, tasks={"charge": lambda _event: 7})


@story
async def test_metadata_comes_without_payloads(call: Caller) -> None:
    await call.create(type="EXPRESS")
    answer = await call("StartSyncExecution", stateMachineArn=MACHINE, includedData="METADATA_ONLY")
    assert not {"input", "output"} & answer.keys()
    assert answer["inputDetails"] == answer["outputDetails"] == {"included": False}
