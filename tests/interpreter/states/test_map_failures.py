"""Iterations that fail: what is tolerated, what is not, and what a failure takes with it."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import CancelTask
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import catcher, each, fail, machine, only, pass_, state, task

WORK: JsonObject = machine({"Work": task()})


def test_a_failed_iteration_fails_the_map_and_cancels_exactly_the_attempts_that_run() -> None:
    run = Drive(only(each(WORK, MaxConcurrency=3)), input=[0, 1, 2, 3]).succeed("Work", index=0)
    frames = [run.open_attempt("Work", index) for index in range(3)]
    run.fail("Work", "E", "why", index=1)

    assert run.commands == [CancelTask(*frames[0]), CancelTask(*frames[2])]
    assert run.failed_with("E", "why")


def test_a_failing_iteration_and_the_map_point_at_the_same_event() -> None:
    run = Drive(only(each(machine({"No": fail("E", "c")}))), input=[1])

    assert [(event.type, event.previous_event_id) for event in run.history[4:]] == [
        ("FailStateEntered", 4),
        ("MapIterationFailed", 5),
        ("MapStateFailed", 5),
        ("ExecutionFailed", 7),
    ]


def tolerant(**fields: JsonValue) -> JsonObject:
    refuse_odd = machine(
        {
            "Even": state("Choice", Choices=[{"Variable": "$", "NumericEquals": 0, "Next": "Yes"}], Default="No"),
            "Yes": pass_(),
            "No": fail("Odd", "cannot"),
        }
    )
    return each(refuse_odd, ItemsPath="$.list", **fields)


@pytest.mark.parametrize(
    ("fields", "failing", "passes"),
    [
        ({"ToleratedFailureCount": 2}, 2, True),
        ({"ToleratedFailureCount": 2}, 3, False),
        ({"ToleratedFailureCount": 0}, 1, False),
        ({"ToleratedFailurePercentage": 50}, 2, True),
        ({"ToleratedFailurePercentage": 49.9}, 2, False),
        ({"ToleratedFailurePercentage": 100}, 4, True),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, 2, False),
        ({"ToleratedFailureCount": 4, "ToleratedFailurePercentage": 25}, 2, False),
        ({"ToleratedFailureCountPath": "$.count"}, 3, True),
        ({"ToleratedFailurePercentagePath": "$.percentage"}, 3, True),
        ({"ToleratedFailurePercentagePath": "$.percentage"}, 4, False),
    ],
)
def test_failures_are_tolerated_up_to_both_thresholds(fields: JsonObject, failing: int, passes: bool) -> None:
    items: list[JsonValue] = [*[1] * failing, *[0] * (4 - failing)]
    run = Drive(only(tolerant(**fields)), input={"list": items, "count": 3, "percentage": 75.0})

    if passes:
        assert run.succeeded_with([0] * (4 - failing))
        assert run.event_types.count("MapIterationFailed") == failing
    else:
        assert run.failed_with("States.ExceedToleratedFailureThreshold")


def test_a_runtime_error_is_not_tolerated() -> None:
    broken = machine({"Bad": pass_(InputPath="$.missing")})
    run = Drive(only(each(broken, ToleratedFailurePercentage=100)), input=[{}, {}])

    assert run.failed_with("States.Runtime")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ToleratedFailureCount", -1, "ToleratedFailureCount cannot be negative."),
        ("ToleratedFailurePercentage", 100.5, "ToleratedFailurePercentage must be between 0 and 100."),
        ("ToleratedFailurePercentage", -0.1, "ToleratedFailurePercentage must be between 0 and 100."),
        ("ToleratedFailurePercentage", "x", 'refers to value "x" which is not a valid float: $.n'),
        ("ToleratedFailureCount", [1], 'refers to value "[1]" which is not a valid integer: $.n'),
    ],
)
def test_a_threshold_that_makes_no_sense_is_a_runtime_error(field: str, value: JsonValue, says: str) -> None:
    run = Drive(only(tolerant(**{f"{field}Path": "$.n"})), input={"list": [0], "n": value})

    assert run.failed_with("States.Runtime")
    assert says in str(run.execution.cause)


def test_a_catch_takes_an_exceeded_threshold() -> None:
    rule = catcher("Mend", "States.ExceedToleratedFailureThreshold")
    run = Drive(
        machine({"Each": tolerant(ToleratedFailureCount=0, Catch=[rule], Next="Mend"), "Mend": pass_()}),
        input={"list": [1]},
    )

    assert run.path[-1] == "Mend"
