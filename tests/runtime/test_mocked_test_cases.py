"""Test cases of Step Functions Local, one for each execution."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import TasksFileError
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.runtime.mocks import ScriptedTasks
from asl_engine.runtime.mocks_file import load_servers_mocks
from asl_engine.runtime.tasks import Failed, Succeeded, TaskResult
from tests.runtime.task_calls import NOON, perform, task_call
from tests.runtime.test_mocks_file import MOCK_CONFIG, written

ONE_CASE: dict[str, Any] = {
    "StateMachines": {"orders": {"TestCases": {"declined": {"Charge": "Declined"}}}},
    "MockedResponses": {"Declined": MOCK_CONFIG["MockedResponses"]["Declined"]},
}
DECLINED = Failed("Declined", "no money")


def loaded(file: Path, **choices: str) -> MockedTestCases:
    mocks = load_servers_mocks(file, VirtualClock(NOON), **choices)
    assert isinstance(mocks, MockedTestCases)
    return mocks


def answered(mocks: MockedTestCases, execution_arn: str, **call: Any) -> TaskResult | None:
    made = replace(task_call(**call), execution_arn=execution_arn)
    return perform(mocks, made, VirtualClock(NOON)) if mocks.handles(made) else None


def test_each_execution_is_mocked_by_its_own_test_case(tmp_path: Path) -> None:
    mocks = loaded(written(tmp_path, MOCK_CONFIG))
    mocks.choose("one", "orders", "paid")
    mocks.choose("two", "orders", "declined")
    mocks.choose("three", "returns", "only")

    assert answered(mocks, "one") == Failed("Busy", "wait")
    assert answered(mocks, "two") == DECLINED
    assert answered(mocks, "one", wait_id=5) == Succeeded({"StatusCode": 200, "Payload": {"try": "again"}})
    assert answered(mocks, "three") is None
    assert answered(mocks, "three", state="Refund") == DECLINED
    assert answered(mocks, "another") is None


def test_the_first_choice_of_an_execution_stands(tmp_path: Path) -> None:
    mocks = loaded(written(tmp_path, MOCK_CONFIG))
    mocks.choose("one", "orders", "declined")
    mocks.choose("one", "orders", "paid")
    assert answered(mocks, "one") == DECLINED


def test_what_the_options_choose_is_for_executions_that_choose_nothing(tmp_path: Path) -> None:
    mocks = loaded(written(tmp_path, MOCK_CONFIG), mock_state_machine="orders", mock_test_case="declined")
    mocks.choose("one", "orders", "paid")
    assert answered(mocks, "one") == Failed("Busy", "wait")
    assert answered(mocks, "another") == DECLINED


def test_the_only_test_case_of_a_file_is_for_all_executions(tmp_path: Path) -> None:
    assert answered(loaded(written(tmp_path, ONE_CASE)), "any") == DECLINED


@pytest.mark.parametrize(
    ("machine", "case", "problem"),
    [
        ("orders", "free", 'no test case is named "free"; the mocks file has: declined, paid'),
        ("orders", "", 'no test case is named ""; the mocks file has: declined, paid'),
        ("order", "paid", 'no state machine is named "order"; the mocks file has: orders, returns'),
    ],
)
def test_an_unknown_choice_is_answered_with_what_there_is(
    tmp_path: Path, machine: str, case: str, problem: str
) -> None:
    with pytest.raises(TasksFileError) as raised:
        loaded(written(tmp_path, MOCK_CONFIG)).choose("one", machine, case)
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"StateMachines": {}}, '/: expected "MockedResponses"'),
        ({**MOCK_CONFIG, "MockedResponses": {}}, "/StateMachines/orders/TestCases/paid/Charge: no mocked response"),
        ({"StateMachines": {"orders": {}}, "MockedResponses": {}}, '/StateMachines/orders: expected "TestCases"'),
    ],
)
def test_every_test_case_is_checked_before_anything_runs(tmp_path: Path, content: Any, problem: str) -> None:
    with pytest.raises(TasksFileError, match=problem):
        loaded(written(tmp_path, content))


def test_our_own_mocks_have_no_test_cases(tmp_path: Path) -> None:
    file = written(tmp_path, {"Charge": [{"Return": 1}]})
    assert isinstance(load_servers_mocks(file, VirtualClock(NOON)), ScriptedTasks)
    with pytest.raises(TasksFileError, match='there is no test case "paid"'):
        load_servers_mocks(file, VirtualClock(NOON), mock_test_case="paid")
