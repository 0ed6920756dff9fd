"""Map in DISTRIBUTED mode: a Map Run, whose iterations are executions with histories of their own."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import CancelTask
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    CALLBACK,
    NOON,
    catcher,
    each,
    fail,
    jsonata,
    machine,
    only,
    parallel,
    pass_,
    retrier,
    state,
    task,
)


def run_of(processor: JsonObject, **fields: JsonValue) -> JsonObject:
    """A Map state that runs its iterations as executions."""
    return each({**processor, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}, **fields)


WORK: JsonObject = machine({"Work": task()})


def test_the_history_of_the_iterations_stays_out_of_the_parents() -> None:
    run = Drive(only(run_of(machine({"P": pass_(Next="Q"), "Q": pass_()}))), input=[1, 2])

    assert run.succeeded_with([1, 2])
    assert [(event.type, event.previous_event_id) for event in run.history[1:]] == [
        ("MapStateEntered", 0),
        ("MapStateStarted", 2),
        ("MapRunStarted", 3),
        ("MapRunSucceeded", 4),
        ("MapStateSucceeded", 5),
        ("MapStateExited", 4),
        ("ExecutionSucceeded", 7),
    ]


@pytest.mark.parametrize(("fields", "name"), [({}, "Only"), ({"Label": "Sales"}, "Sales")])
def test_a_map_run_has_an_arn_with_its_label_or_the_states_name(fields: JsonObject, name: str) -> None:
    run = Drive(only(run_of(WORK, **fields)), input=[])
    arn = run.details("MapRunStarted")["mapRunArn"]

    assert isinstance(arn, str)
    assert arn.startswith(f"arn:aws:states:us-east-1:123456789012:mapRun:story/{name}:")
    assert Drive(run.machine, input=[]).details("MapRunStarted")["mapRunArn"] == arn
    assert Drive(run.machine, input=[], seed="other").details("MapRunStarted")["mapRunArn"] != arn


def test_outputs_keep_the_order_of_the_items() -> None:
    run = Drive(only(run_of(WORK)), input=["a", "b"])
    run.succeed("Work", "B", index=1).succeed("Work", "A")

    assert run.succeeded_with(["A", "B"])


def test_more_than_forty_iterations_may_run_at_once() -> None:
    assert len(Drive(only(run_of(WORK)), input=list(range(50))).open_attempts("Work")) == 50
    assert len(Drive(only(run_of(WORK, MaxConcurrency=7)), input=list(range(50))).open_attempts("Work")) == 7


def test_tasks_inside_are_retried_and_time_out_as_anywhere() -> None:
    work = task(Resource=CALLBACK, TimeoutSeconds=5, Retry=[retrier("States.Timeout", IntervalSeconds=2)])
    run = Drive(only(run_of(machine({"Work": work}))), input=[1, 2], at=NOON)
    tokens = {attempt.task_token for _, attempt in run.open_attempts("Work")}
    run.succeed("Work", "one").elapse(seconds=7)
    tokens |= {attempt.task_token for _, attempt in run.open_attempts("Work")}

    assert len(tokens) == 3
    assert run.succeed("Work", "two").succeeded_with(["one", "two"])


def test_fans_and_maps_inside_gather_as_anywhere() -> None:
    inner = each(machine({"Leaf": task()}))
    body = machine({"Fan": parallel(machine({"Inner": inner}), machine({"Hold": state("Wait", Seconds=1)}))})
    run = Drive(only(run_of(body)), input=[["x"], ["y", "z"]])
    for output in ("X", "Y", "Z"):
        run.succeed("Leaf", output)

    assert run.elapse(seconds=1).succeeded_with([[["X"], ["x"]], [["Y", "Z"], ["y", "z"]]])
    assert len(run.history) == 8


def test_a_retry_of_a_fan_inside_asks_for_its_work_again() -> None:
    fan = parallel(machine({"A": task()}), machine({"B": task()}), Retry=[retrier(MaxAttempts=1)])
    run = Drive(only(run_of(machine({"Fan": fan}))), input=[1])
    run.succeed("A", "lost").fail("B", "E").elapse(seconds=1).succeed("B", "b").succeed("A", "a")

    assert run.succeeded_with([["a", "b"]])


def test_an_iteration_that_fails_ends_the_run_and_cancels_the_others() -> None:
    run = Drive(only(run_of(WORK)), input=[1, 2])
    other = run.open_attempt("Work", 1)
    run.fail("Work", "E", "why")

    assert run.event_types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    assert run.commands == [CancelTask(*other)]


def test_failures_within_the_threshold_are_left_out_of_the_result() -> None:
    run = Drive(only(run_of(WORK, ToleratedFailurePercentage=50)), input=[1, 2])

    assert run.fail("Work", "E").succeed("Work", "ok").succeeded_with(["ok"])
    assert "MapIterationFailed" not in run.event_types


def test_failures_beyond_the_threshold_can_be_caught() -> None:
    rule = catcher("Mend", "States.ExceedToleratedFailureThreshold")
    body = run_of(machine({"No": fail()}), ToleratedFailureCount=1, Catch=[rule], Next="Mend")
    run = Drive(machine({"Each": body, "Mend": pass_()}), input=[1, 2])

    assert run.path == ["Each", "Mend"]
    assert run.details("MapRunFailed")["error"] == "States.ExceedToleratedFailureThreshold"


def test_an_expression_that_fails_inside_can_be_retried_inside() -> None:
    body = machine({"Work": task(Arguments="{% $states.input.gone %}", Retry=[retrier(MaxAttempts=2)])})
    run = Drive(jsonata(run_of(body)), input=[{}])

    assert run.elapse(seconds=1).is_running
    assert run.elapse(seconds=2).status == "FAILED"
    assert "EvaluationFailed" not in run.event_types


def test_an_error_inside_counts_the_events_of_its_own_execution() -> None:
    body = machine({"First": pass_(Next="Second"), "Second": pass_(OutputPath="$.gone")})
    run = Drive(only(run_of(body)), input=[{}, {}])

    assert "'Second' (entered at the event id #4)" in str(run.execution.cause)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ItemReader", {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}}),
        ("ItemBatcher", {"MaxItemsPerBatch": 2}),
        ("ResultWriter", {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}),
    ],
)
def test_what_the_engine_cannot_do_yet_fails_the_state_and_says_so(field: str, value: JsonValue) -> None:
    run = Drive(only(run_of(WORK, **{field: value})), input=[1])

    assert run.failed_with("States.Runtime")
    assert f"cannot run a Map with {field} yet" in str(run.execution.cause)
