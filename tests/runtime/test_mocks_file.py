"""Loading a mocks file: both formats, and every way in which one can be wrong."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asl_engine.errors import TasksFileError
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.mocks import ScriptedTasks
from asl_engine.runtime.mocks_file import load_mocks_file, read_script
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskResult
from tests.runtime.task_calls import CALLBACK, NOON, perform, task_call

MOCK_CONFIG: dict[str, Any] = {
    "StateMachines": {
        "orders": {
            "TestCases": {
                "paid": {"Charge": "ChargeTwice"},
                "declined": {"Charge": "Declined"},
            }
        },
        "returns": {"TestCases": {"only": {"Refund": "Declined"}}},
    },
    "MockedResponses": {
        "ChargeTwice": {
            "0": {"Throw": {"Error": "Busy", "Cause": "wait"}},
            "1-2": {"Return": {"StatusCode": 200, "Payload": {"try": "again"}}},
            "3": {"Return": {"StatusCode": 200, "Payload": {"paid": True}}},
        },
        "Declined": {"0": {"Throw": {"Error": "Declined", "Cause": "no money"}}},
    },
}


def written(directory: Path, content: Any, name: str = "mocks.json") -> Path:
    file = directory / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def answered(tasks: ScriptedTasks, *, retry_count: int = 0, wait_id: int = 3, state: str = "Charge") -> TaskResult:
    return perform(tasks, task_call(state=state, retry_count=retry_count, wait_id=wait_id), VirtualClock(NOON))


def refusal(file: Path, **names: str | None) -> str:
    with pytest.raises(TasksFileError) as raised:
        load_mocks_file(file, VirtualClock(NOON), **names)
    message = str(raised.value)
    assert message.startswith(f"{file}: ")
    return message.removeprefix(f"{file}: ")


def test_a_list_of_answers_is_given_attempt_by_attempt(tmp_path: Path) -> None:
    content = {"Charge": [{"Throw": {"Error": "Busy"}}, {"Return": {"paid": True}}]}
    tasks = load_mocks_file(written(tmp_path, content), VirtualClock(NOON))
    assert answered(tasks) == Failed("Busy", "")
    assert answered(tasks, retry_count=1) == Succeeded({"paid": True})


def test_cases_choose_by_the_arguments(tmp_path: Path) -> None:
    content = {
        "Charge": [{"When": {"amount": 1}, "Attempts": [{"Return": "small"}]}, {"Attempts": [{"Return": "big"}]}]
    }
    clock = VirtualClock(NOON)
    tasks = load_mocks_file(written(tmp_path, content), clock)
    assert perform(tasks, task_call(arguments={"amount": 1}), clock) == Succeeded("small")
    assert perform(tasks, task_call(arguments={"amount": 2}), clock) == Succeeded("big")


def test_an_answer_may_be_none_at_all(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    tasks = load_mocks_file(written(tmp_path, {"sqs:sendMessage": [{"Never": True}]}), clock)
    assert perform(tasks, task_call(CALLBACK), clock) == Submitted({})


def test_yaml_says_the_same_as_json(tmp_path: Path) -> None:
    text = "Charge:\n  - Return: {paid: true, n: 1.5}\n    AfterSeconds: 0.5\n    Heartbeats: 0.2\n"
    clock = VirtualClock(NOON)
    tasks = load_mocks_file(written(tmp_path, text, "mocks.yaml"), clock)
    beats: list[int] = []
    result = perform(tasks, task_call(heartbeat=lambda: beats.append(clock.now() - NOON)), clock)
    assert result == Succeeded({"paid": True, "n": 1.5})
    assert (beats, clock.now() - NOON) == ([200, 400], 500)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "/: expected an object, found []"),
        ({"Charge": {}}, "/Charge: expected a list of answers, or of cases with When and Attempts, found {}"),
        ({"Charge": []}, "/Charge: expected a list of answers, or of cases with When and Attempts, found []"),
        ({"Charge": [7]}, "/Charge/0: expected an object, found 7"),
        ({"Charge": [{}]}, '/Charge/0: expected exactly one of "Return", "Throw" and "Never", found {}'),
        ({"a/b": [{"Return": 1, "Never": True}]}, '/a~1b/0: expected exactly one of "Return", "Throw" and "Never"'),
        ({"Charge": [{"Never": False}]}, "/Charge/0/Never: expected true, found false"),
        ({"Charge": [{"Retrun": 1}]}, "/Charge/0/Retrun: unknown field; the fields are Return, Throw, Never"),
        ({"Charge": [{"Throw": "Busy"}]}, '/Charge/0/Throw: expected {"Error": …, "Cause": …}, found "Busy"'),
        ({"Charge": [{"Throw": {}}]}, '/Charge/0/Throw: expected {"Error": …, "Cause": …}, found {}'),
        ({"Charge": [{"Throw": {"Error": 1}}]}, "/Charge/0/Throw/Error: expected a string, found 1"),
        ({"Charge": [{"Throw": {"Error": "E", "Cause": {}}}]}, "/Charge/0/Throw/Cause: expected a string, found {}"),
        ({"Charge": [{"Throw": {"Error": "E", "Code": 1}}]}, "/Charge/0/Throw/Code: unknown field"),
        (
            {"Charge": [{"Return": 1, "AfterSeconds": -1}]},
            "/Charge/0/AfterSeconds: expected a number of seconds, 0 or more",
        ),
        ({"Charge": [{"Return": 1, "AfterSeconds": True}]}, "/Charge/0/AfterSeconds: expected a number of seconds"),
        ({"Charge": [{"Return": 1, "Heartbeats": 0}]}, "/Charge/0/Heartbeats: expected a number of seconds above 0"),
        ({"Charge": [{"When": {}}]}, "/Charge/0: expected a case with Attempts"),
        ({"Charge": [{"When": {}, "Attempts": []}]}, "/Charge/0/Attempts: expected a list of answers, found []"),
        ({"Charge": [{"When": {}, "Attempts": [{"Return": 1}]}, {"Return": 1}]}, "/Charge/1/Return: unknown field"),
    ],
)
def test_a_wrong_script_is_told_with_its_place(tmp_path: Path, content: Any, problem: str) -> None:
    assert refusal(written(tmp_path, content)).startswith(problem)


def test_a_long_value_is_shown_in_short(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, {"Charge": {"a": "x" * 500}}))
    assert len(message) < 200
    assert 'found object {"a":"xxx' in message


def test_python_values_are_read_as_a_file_is() -> None:
    clock = VirtualClock(NOON)
    tasks = ScriptedTasks(read_script({"Charge": ({"Return": (1, 2)}, {"Throw": {"Error": "Busy"}})}), clock)
    assert answered(tasks) == Succeeded([1, 2])
    assert answered(tasks, retry_count=1) == Failed("Busy", "")


@pytest.mark.parametrize(
    ("mocks", "problem"),
    [
        ({"Charge": [{"Return": {1}}]}, "mocks: Unable to marshal response: Object of type set"),
        ({"Charge": {"Return": 1}}, "mocks: /Charge: expected a list of answers"),
    ],
)
def test_wrong_python_values_are_told_with_their_place(mocks: Any, problem: str) -> None:
    with pytest.raises(TasksFileError, match=re.escape(problem)):
        read_script(mocks)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.json")


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


def test_text_that_is_no_json_is_placed(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, '{"Charge": [\n}')).startswith("invalid JSON at line 2, column 1")


def test_text_that_is_no_yaml_is_placed(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, "a: [\n", "mocks.yaml"))
    assert message.startswith("invalid YAML at line 2, column 1: ")


def test_yaml_is_read_as_definitions_are(tmp_path: Path) -> None:
    """A date stays the text that JSON would hold, and `on` is a name like any other."""
    file = written(tmp_path, "Charge: [{Return: {on: 2024-01-01}}]", "mocks.yaml")
    assert answered(load_mocks_file(file, VirtualClock(NOON))) == Succeeded({"on": "2024-01-01"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Charge: [{Return: .nan}]", "invalid YAML"),
        ("Charge: &a [*a]", "invalid YAML"),
        ("[" * 600 + "]" * 600, "nested"),
    ],
)
def test_what_yaml_has_beyond_json_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in refusal(written(tmp_path, text, "mocks.yml"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.sampled_from(["mocks.json", "mocks.yaml"]))
def test_any_text_loads_or_is_refused_with_our_error(tmp_path: Path, text: str, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(TasksFileError):
        load_mocks_file(file, VirtualClock(NOON))


def test_a_test_case_of_step_functions_local_answers_by_the_count_of_calls(tmp_path: Path) -> None:
    tasks = load_mocks_file(
        written(tmp_path, MOCK_CONFIG), VirtualClock(NOON), state_machine_name="orders", mock_test_case="paid"
    )
    again = Succeeded({"StatusCode": 200, "Payload": {"try": "again"}})
    paid = Succeeded({"StatusCode": 200, "Payload": {"paid": True}})
    results = [answered(tasks, wait_id=n) for n in (1, 5, 9, 13, 17)]
    assert results == [Failed("Busy", "wait"), again, again, paid, paid]


def test_the_only_machine_of_a_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    only = {**MOCK_CONFIG, "StateMachines": {"orders": MOCK_CONFIG["StateMachines"]["orders"]}}
    file = written(tmp_path, only)
    tasks = load_mocks_file(file, VirtualClock(NOON), state_machine_name="definition", mock_test_case="declined")
    assert answered(tasks) == Failed("Declined", "no money")


def test_a_state_that_the_test_case_leaves_out_is_not_mocked(tmp_path: Path) -> None:
    tasks = load_mocks_file(written(tmp_path, MOCK_CONFIG), VirtualClock(NOON), state_machine_name="returns")
    assert tasks.handles(task_call(state="Refund"))
    assert not tasks.handles(task_call(state="Charge"))


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ({}, "/StateMachines: choose a state machine; the file has: orders, returns"),
        (
            {"state_machine_name": "order"},
            '/StateMachines: no state machine is named "order"; the file has: orders, returns',
        ),
        (
            {"state_machine_name": "orders", "mock_state_machine": "order"},
            '/StateMachines: no state machine is named "order"; the file has: orders, returns',
        ),
        (
            {"state_machine_name": "orders"},
            "/StateMachines/orders/TestCases: choose a test case; the file has: declined, paid",
        ),
        (
            {"state_machine_name": "orders", "mock_test_case": "free"},
            '/StateMachines/orders/TestCases: no test case is named "free"; the file has: declined, paid',
        ),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path, names: dict[str, str], problem: str) -> None:
    what = "state-machine" if "state machine" in problem else "test-case"
    way_out = f"choose with --mock-{what}, in Python with mock_{what.replace('-', '_')}="
    assert refusal(written(tmp_path, MOCK_CONFIG), **names) == f"{problem}; {way_out}"


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ({}, '/StateMachines/m/TestCases/c/S: no mocked response is named "R"; the file has: none'),
        ({"R": {}}, '/MockedResponses/R: expected answers for attempts from "0" on without a gap'),
        ({"R": {"1": {"Return": 1}}}, '/MockedResponses/R: expected answers for attempts from "0" on without a gap'),
        ({"R": {"0": {"Return": 1}, "2-3": {"Return": 1}}}, "/MockedResponses/R: expected answers for attempts"),
        ({"R": {"first": {"Return": 1}}}, '/MockedResponses/R/first: "first" is no attempt such as "0"'),
        ({"R": {"3-1": {"Return": 1}}}, '/MockedResponses/R/3-1: "3-1" is no attempt such as "0"'),
        ({"R": {"0-99999999999": {"Return": 1}}}, '/MockedResponses/R/0-99999999999: "0-99999999999" is no attempt'),
        ({"R": {"0": {"Never": True}}}, "/MockedResponses/R/0/Never: unknown field; the fields are Return, Throw"),
        ({"R": {"0": {}}}, "/MockedResponses/R/0: expected exactly one of"),
    ],
)
def test_a_wrong_mocked_response_is_told_with_its_place(tmp_path: Path, responses: Any, problem: str) -> None:
    content = {"StateMachines": {"m": {"TestCases": {"c": {"S": "R"}}}}, "MockedResponses": responses}
    assert refusal(written(tmp_path, content)).startswith(problem)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"StateMachines": {}}, '/: expected "MockedResponses"'),
        ({"MockedResponses": {}}, '/: expected "StateMachines"'),
        ({"StateMachines": {}, "MockedResponses": {}, "Extra": 1}, "/Extra: unknown field"),
        ({"StateMachines": {"m": {}}, "MockedResponses": {}}, '/StateMachines/m: expected "TestCases"'),
        ({"StateMachines": {}, "MockedResponses": {}}, "/StateMachines: choose a state machine; the file has: none"),
    ],
)
def test_a_wrong_mock_config_is_told_with_its_place(tmp_path: Path, content: Any, problem: str) -> None:
    assert refusal(written(tmp_path, content)).startswith(problem)


@pytest.mark.parametrize(("option", "what"), [("mock_test_case", "test case"), ("mock_state_machine", "state machine")])
def test_a_choice_out_of_a_file_without_any_is_refused(tmp_path: Path, option: str, what: str) -> None:
    message = refusal(written(tmp_path, {"Charge": [{"Return": 1}]}), **{option: "paid"})
    assert message == f'there is no {what} "paid": these mocks have no StateMachines'


def test_a_choice_goes_before_the_name_and_is_checked_where_there_is_only_one(tmp_path: Path) -> None:
    tasks = load_mocks_file(
        written(tmp_path, MOCK_CONFIG), VirtualClock(NOON), state_machine_name="orders", mock_state_machine="returns"
    )
    assert tasks.handles(task_call(state="Refund"))
    only = {**MOCK_CONFIG, "StateMachines": {"orders": MOCK_CONFIG["StateMachines"]["orders"]}}
    assert 'no state machine is named "order"' in refusal(written(tmp_path, only), mock_state_machine="order")
