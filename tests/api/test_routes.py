from __future__ import annotations

from collections import Counter

import pytest

from asl_engine.api.routes import choose
from asl_engine.errors import InvalidArn
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.runtime.mocks import Answer, Case
from asl_engine.runtime.tasks import Failed, Succeeded
from tests.api.services import MACHINE, NOON, Caller, asking, story, tell

INVOKE = "arn:aws:states:::lambda:invoke"
CHILD = "arn:aws:states:::states:startExecution.sync:2"


def test_a_hundred_draws_fall_as_the_weights_say() -> None:
    routes = [{"stateMachineVersionArn": "one", "weight": 70}, {"stateMachineVersionArn": "two", "weight": 30}]
    assert Counter(choose(routes, draw) for draw in range(100)) == {"one": 70, "two": 30}


def test_a_weight_of_nothing_gets_nothing() -> None:
    routes = [{"stateMachineVersionArn": "one", "weight": 0}, {"stateMachineVersionArn": "two", "weight": 100}]
    assert {choose(routes, draw) for draw in range(100)} == {"two"}


def mocked() -> MockedTestCases:
    """Two test cases of the machine `orders`."""
    paid, declined = Answer(result=Succeeded("paid")), Answer(result=Failed("Declined", "no money"))
    cases = {"paid": {"Ask": [Case(answers=[paid])]}, "declined": {"Ask": [Case(answers=[declined])]}}
    return MockedTestCases({"orders": cases}, VirtualClock(NOON), None)


async def told_of_test_cases(call: Caller) -> None:
    await call.create(asking(INVOKE, Parameters={"FunctionName": "charge"}))
    paid = await call("StartExecution", stateMachineArn=f"{MACHINE}#paid")
    declined = await call("StartExecution", stateMachineArn=f"{MACHINE}#declined", name="declined")
    shown = await call.ended(paid["executionArn"])

    assert (shown["status"], shown["output"], shown["stateMachineArn"]) == ("SUCCEEDED", '"paid"', MACHINE)
    assert (await call.ended(declined["executionArn"]))["error"] == "Declined"
    known = 'no test case is named "free"; the mocks file has: declined, paid'
    with pytest.raises(InvalidArn, match=known):
        await call("StartExecution", stateMachineArn=f"{MACHINE}#free")
    assert len((await call("ListExecutions", stateMachineArn=MACHINE))["executions"]) == 2
    with pytest.raises(InvalidArn):
        await call("DescribeStateMachine", stateMachineArn=f"{MACHINE}#paid")


def test_an_execution_is_mocked_by_the_test_case_behind_the_arn() -> None:
    tell(told_of_test_cases, test_cases=mocked())


async def told_of_children(call: Caller) -> None:
    await call.create(asking(INVOKE, Parameters={"FunctionName": "charge"}))
    parent = asking(CHILD, Parameters={"StateMachineArn": f"{MACHINE}#paid"})
    await call.create(parent, name="parents")
    await call.create(asking(INVOKE, Parameters={"FunctionName": "charge"}), name="fast", type="EXPRESS")
    arn = (await call("StartExecution", stateMachineArn=MACHINE.replace("orders", "parents")))["executionArn"]

    assert '"Output":"paid"' in (await call.ended(arn))["output"]
    with pytest.raises(InvalidArn, match='no state machine is named "fast"'):
        await call("StartSyncExecution", stateMachineArn=MACHINE.replace("orders", "fast") + "#paid")


def test_so_is_a_child_and_an_express_execution() -> None:
    tell(told_of_children, test_cases=mocked())


@story
async def test_without_test_cases_such_an_arn_is_none(call: Caller) -> None:
    await call.create()
    with pytest.raises(InvalidArn, match="Invalid ARN"):
        await call("StartExecution", stateMachineArn=f"{MACHINE}#paid")
