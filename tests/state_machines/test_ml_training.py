"""The ML training pipeline ends, for each of its inputs, as cases.json beside it says."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

import asl_engine
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.task_context import TaskContext
from asl_engine.testing import Asl
from tests.approvals.office import Office, heading_of

MACHINE = Path(__file__).parents[2] / "state_machines" / "ml-training"
DEFINITION = json.loads((MACHINE / "definition.asl.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = json.loads((MACHINE / "cases.json").read_text(encoding="utf-8"))
ATTEMPT_FAILED = {"LambdaFunctionFailed", "LambdaFunctionTimedOut", "TaskFailed", "TaskTimedOut"}
ONE_DAY = 24 * 60 * 60 * 1000


def run(case: dict[str, Any]) -> asl_engine.ExecutionResult:
    """Run the case's input to its end under virtual time."""
    execution_input = json.loads((MACHINE / "inputs" / case["input"]).read_text(encoding="utf-8"))
    tasks = runpy.run_path(str(MACHINE / "tasks.py"))["TASKS"]
    return asl_engine.run(DEFINITION, execution_input, tasks=tasks, clock="virtual")


def detail(event: HistoryEvent, name: str) -> object:
    """One member of an event's details."""
    return (event.details or {}).get(name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["input"].removesuffix(".json"))
def test_an_input_ends_as_its_case_says(case: dict[str, Any]) -> None:
    result = run(case)

    assert result.status == case["status"]
    assert result.output == case.get("output")
    assert (result.error, result.cause) == (case.get("error"), case.get("cause"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["input"].removesuffix(".json"))
def test_an_execution_enters_the_states_of_its_case_in_order(case: dict[str, Any]) -> None:
    assert run(case).path == case["path"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["input"].removesuffix(".json"))
def test_only_the_attempts_of_its_case_fail(case: dict[str, Any]) -> None:
    """Which errors are retried, how often, and which never: a retry too many or too few shows here."""
    failed = [detail(event, "error") for event in run(case).events if event.type in ATTEMPT_FAILED]

    assert sorted(map(str, failed)) == sorted(case.get("failed_attempts", []))


def test_every_input_file_has_a_case() -> None:
    assert sorted(case["input"] for case in CASES) == sorted(path.name for path in (MACHINE / "inputs").iterdir())


def test_an_approval_that_never_comes_is_given_up_after_a_day() -> None:
    case = next(case for case in CASES if case["input"] == "approval-timed-out.json")
    events = run(case).events
    asked = next(event for event in events if detail(event, "name") == "RequestApproval")
    timed_out = next(event for event in events if event.type == "TaskTimedOut")

    assert timed_out.timestamp - asked.timestamp == ONE_DAY


@pytest.mark.parametrize(
    ("choice", "fields", "heading", "outcome"),
    [
        ("approve", {}, "Decided: Approve", {"outcome": "deployed", "approved_by": "ml-lead@example.com"}),
        ("reject", {"reason": "too slow"}, "Decided: Reject", {"outcome": "rejected", "reason": "too slow"}),
    ],
)
def test_the_real_notifier_takes_its_payload_and_its_own_decision_is_understood(
    choice: str, fields: dict[str, str], heading: str, outcome: JsonObject, asl: Asl
) -> None:
    office = Office()
    machine = asl.load(MACHINE / "definition.asl.json")
    for name, function in runpy.run_path(str(MACHINE / "tasks.py"))["TASKS"].items():
        machine.task(name, function)

    async def notify(event: JsonValue, context: TaskContext) -> JsonObject:
        office.time = context._clock.now()
        return await office.notifier.handle(event)

    machine.task("asl-engine-notifier", notify)
    execution = machine.start(json.loads((MACHINE / "inputs" / "approved.json").read_text(encoding="utf-8")))
    execution.advance(hours=1)
    assert heading_of(office.answer(office.link("ml-lead@example.com"), choice, **fields)) == heading
    ((_, error, answer),) = office.tasks.answers
    if error:
        execution.send_task_failure("RequestApproval", error, json.dumps(answer))
    else:
        execution.send_task_success("RequestApproval", answer)

    output: Any = execution.output
    assert outcome.items() <= output.items()
