"""The engine as a function."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import asl_engine
from asl_engine.errors import InvalidDefinition, InvalidJson, TasksFileError
from asl_engine.json_value import JsonObject, JsonValue

DOUBLE = "arn:aws:lambda:us-east-1:123456789012:function:double"


def machine(**states: JsonValue) -> JsonObject:
    return {"StartAt": next(iter(states)), "States": dict(states)}


def doubling() -> JsonObject:
    return machine(Double={"Type": "Task", "Resource": DOUBLE, "End": True})


def test_a_machine_runs_to_its_end_with_python_tasks() -> None:
    result = asl_engine.run(doubling(), {"n": 21}, tasks={"double": lambda event: event["n"] * 2})
    assert (result.status, result.output, result.path) == ("SUCCEEDED", 42, ["Double"])
    assert [event["type"] for event in result.history][-1] == "ExecutionSucceeded"


MOCK_CONFIG = {
    "StateMachines": {
        "order": {"TestCases": {"Happy": {"Ask": "Good"}, "Sad": {"Ask": "Bad"}}},
        "refund": {"TestCases": {"Happy": {"Ask": "Bad"}}},
    },
    "MockedResponses": {"Good": {"0": {"Return": "yes"}}, "Bad": {"0": {"Throw": {"Error": "No"}}}},
}


def test_a_test_case_of_step_functions_local_is_chosen_by_machine_and_case(tmp_path: Path) -> None:
    definition = machine(Ask={"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True})
    file = tmp_path / "MockConfigFile.json"
    file.write_text(json.dumps(MOCK_CONFIG), encoding="utf-8")

    happy = asl_engine.run(definition, mocks=file, mock_state_machine="order", mock_test_case="Happy")
    refund = asl_engine.run(definition, mocks=file, mock_state_machine="refund")

    assert (happy.output, refund.error) == ("yes", "No")
    with pytest.raises(TasksFileError, match="in Python with mock_state_machine="):
        asl_engine.run(definition, mocks=file)
    with pytest.raises(TypeError, match="name the file with mocks="):
        asl_engine.run(definition, mock_test_case="Happy")


def test_a_machine_runs_with_scripted_mocks() -> None:
    definition = doubling()
    result = asl_engine.run(definition, {}, mocks={"Double": [{"Throw": {"Error": "Busy", "Cause": "later"}}]})
    assert (result.status, result.error, result.cause) == ("FAILED", "Busy", "later")


def test_a_wait_of_a_year_ends_at_once_and_history_carries_the_modelled_times() -> None:
    result = asl_engine.run(machine(Hold={"Type": "Wait", "Seconds": 31_536_000, "End": True}))
    first, *_, last = [event.timestamp for event in result.events]
    assert last - first == 31_536_000_000


def test_an_execution_that_only_a_callback_can_move_is_returned_as_it_stands() -> None:
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    result = asl_engine.run(
        machine(Ask={"Type": "Task", "Resource": resource, "End": True}), mocks={"Ask": [{"Never": True}]}
    )
    assert result.status == "RUNNING"


def test_a_sqlite_store_keeps_the_run(tmp_path: Path) -> None:
    file = tmp_path / "runs.sqlite"
    result = asl_engine.run(machine(A={"Type": "Pass", "End": True}), {"x": 1}, store=f"sqlite:{file}", name="kept")
    assert (result.name, file.exists()) == ("kept", True)


def test_it_may_be_called_inside_a_running_event_loop() -> None:
    """As a notebook does."""

    async def cell() -> str:
        return asl_engine.run(machine(A={"Type": "Pass", "End": True})).status

    assert asyncio.run(cell()) == "SUCCEEDED"


def test_a_broken_definition_tells_every_problem() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        asl_engine.run(machine(A={"Type": "Pass", "Next": "Nowhere"}, B={"Type": "Nap", "End": True}))
    assert len(caught.value.diagnostics) >= 2


def test_an_input_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidJson):
        asl_engine.run(machine(A={"Type": "Pass", "End": True}), {"x": float("nan")})


def test_a_tasks_file_that_does_not_exist_is_named() -> None:
    with pytest.raises(TasksFileError, match=r"absent\.py"):
        asl_engine.run(doubling(), tasks="absent.py")


def test_a_clock_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r'no clock is called \'reel\': it must be "virtual" or "real"'):
        asl_engine.run(machine(Done={"Type": "Succeed"}), clock="reel")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"definition": 5},
            "a definition is a parsed document, a JSON text, a StateMachine or the path of a file, not int",
        ),
        ({"definition": None}, "not NoneType"),
        ({"tasks": [1]}, "`tasks` maps names to functions, or is the path of a file, not list"),
        ({"mocks": 1}, "`mocks` maps names to answers, or is the path of a file, not int"),
    ],
)
def test_an_argument_of_another_kind_is_named(arguments: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        asl_engine.run(**{"definition": machine(A={"Type": "Succeed"}), **arguments})
