from __future__ import annotations

from typing import Any

import pytest

import asl_engine
from asl_engine.cli.progress import Happening, Kind, Progress
from asl_engine.errors import TaskError
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.language.parser import compile_definition


class Task:
    """Fails with the listed errors, one for each call, then works."""

    def __init__(self, *errors: str) -> None:
        self._errors = list(errors)

    def __call__(self, event: Any, _context: Any) -> Any:
        if self._errors:
            raise TaskError(self._errors.pop(0), "why")
        return event


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work", "End": True, **fields}


def follow(definition: dict[str, Any], work: Task | None = None, given: Any = None) -> tuple[Progress, list[Happening]]:
    """Run a machine, and follow its history."""
    events = asl_engine.run(definition, given, tasks={"work": work or Task()}).events
    progress = Progress(compile_definition(definition))
    happenings = [progress.follow(event) for event in events]
    return progress, [one for one in happenings if one is not None]


def test_a_state_has_one_row_in_the_order_of_first_entry() -> None:
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}
    progress, happenings = follow({"StartAt": "A", "States": states})

    assert [(row.name, row.entered, row.left) for row in progress.rows.values()] == [("A", 1, 1), ("B", 1, 1)]
    assert [one.kind for one in happenings] == [Kind.ENTERED, Kind.LEFT, Kind.ENTERED, Kind.LEFT]


def test_each_failed_attempt_is_told_with_its_number() -> None:
    retried = task(Retry=[{"ErrorEquals": ["Busy"]}])
    progress, happenings = follow({"StartAt": "T", "States": {"T": retried}}, Task("Busy", "Busy"))
    failures = [one for one in happenings if one.kind is Kind.FAILED]

    assert [(one.attempt, one.error, one.cause) for one in failures] == [(1, "Busy", "why"), (2, "Busy", "why")]
    assert progress.rows["T"].attempts == 3
    assert progress.rows["T"].error is None


def test_an_error_that_a_catch_took_is_told_when_the_state_is_left() -> None:
    caught = task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}])
    states = {"T": caught, "Done": {"Type": "Succeed"}}
    progress, happenings = follow({"StartAt": "T", "States": states}, Task("Broken"))

    assert [one.error for one in happenings if one.kind is Kind.LEFT] == ["Broken", ""]
    assert progress.rows["T"].error == "Broken"


def test_an_error_that_ended_the_execution_stays_with_its_state() -> None:
    progress, _ = follow({"StartAt": "T", "States": {"T": task()}}, Task("Broken"))

    assert progress.rows["T"].is_open
    assert progress.rows["T"].error == "Broken"


@pytest.mark.parametrize("items", [0, 1, 5])
def test_a_map_counts_its_iterations_and_what_is_inside_of_it(items: int) -> None:
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": task()}}, "End": True}
    progress, happenings = follow({"StartAt": "Each", "States": {"Each": each}}, given=list(range(items)))
    row = progress.rows["Each"]

    assert (row.iterations, row.iterations_done, row.iterations_failed) == (items, items, 0)
    assert len([one for one in happenings if one.kind is Kind.ITERATION]) == items
    if items:
        inner = progress.rows["T"]
        assert (inner.entered, inner.left, inner.depth) == (items, items, 1)


def test_a_map_counts_failures_that_it_tolerates() -> None:
    processor = {"StartAt": "T", "States": {"T": task()}}
    each = {"Type": "Map", "ItemProcessor": processor, "ToleratedFailureCount": 1, "End": True}
    progress, _ = follow({"StartAt": "Each", "States": {"Each": each}}, Task("Broken"), given=[1, 2, 3])
    row = progress.rows["Each"]

    assert (row.iterations_done, row.iterations_failed) == (2, 1)


def test_a_map_that_is_retried_counts_anew() -> None:
    processor = {"StartAt": "T", "States": {"T": task()}}
    each = {"Type": "Map", "ItemProcessor": processor, "Retry": [{"ErrorEquals": ["Broken"]}], "End": True}
    progress, _ = follow({"StartAt": "Each", "States": {"Each": each}}, Task("Broken"), given=[1, 2])

    assert (progress.rows["Each"].iterations, progress.rows["Each"].iterations_done) == (2, 2)


def test_a_map_that_is_retried_after_an_iteration_succeeded_counts_anew() -> None:
    machine = compile_definition(
        {
            "StartAt": "Each",
            "States": {
                "Each": {"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": task()}}, "End": True}
            },
        }
    )
    progress = Progress(machine)
    events: list[tuple[str, int, dict[str, Any]]] = [
        ("MapStateEntered", 0, {"name": "Each"}),
        ("MapStateStarted", 1, {"length": 2}),
        ("TaskStateEntered", 2, {"name": "T"}),
        ("TaskStateEntered", 2, {"name": "T"}),
        ("TaskStateExited", 3, {"name": "T"}),
        ("MapIterationSucceeded", 5, {"name": "Each", "index": 0}),
        ("LambdaFunctionFailed", 4, {"error": "Broken"}),
        ("MapStateStarted", 7, {"length": 2}),
    ]
    for number, (event_type, previous, details) in enumerate(events, start=1):
        progress.follow(HistoryEvent(number, previous, event_type, 0, details))

    assert (progress.rows["Each"].iterations_done, progress.rows["T"].iterations) == (0, 0)


def test_branches_of_a_parallel_are_one_deeper() -> None:
    branches = [{"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}} for name in ("L", "R")]
    progress, _ = follow({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}})

    assert {row.name: row.depth for row in progress.rows.values()} == {"P": 0, "L": 1, "R": 1}
