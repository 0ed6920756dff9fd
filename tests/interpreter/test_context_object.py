"""What a state reads of its surroundings: `$$` and `$states.context`."""

from __future__ import annotations

from dataclasses import replace

from asl_engine.interpreter.context_object import context_object
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    CALLBACK,
    NOON,
    arguments_at,
    attempt_at,
    each,
    jsonata,
    machine,
    only,
    parallel,
    pass_,
    retrier,
    state,
    task,
)

SHOW: JsonObject = {"context.$": "$$"}


def test_a_state_knows_its_execution_its_machine_and_itself() -> None:
    run = Drive(only(pass_(Parameters=SHOW)), input={"order": 7}, at=NOON, name="first")

    assert run.succeeded_with(
        {
            "context": {
                "Execution": {
                    "Id": "arn:aws:states:us-east-1:123456789012:execution:story:first",
                    "Input": {"order": 7},
                    "Name": "first",
                    "RoleArn": "arn:aws:iam::123456789012:role/story",
                    "StartTime": "2026-01-01T12:00:00.000Z",
                    "RedriveCount": 0,
                },
                "StateMachine": {
                    "Id": "arn:aws:states:us-east-1:123456789012:stateMachine:story",
                    "Name": "story",
                },
                "State": {"EnteredTime": "2026-01-01T12:00:00.000Z", "Name": "Only"},
            }
        }
    )


def test_the_time_of_entry_is_the_states_own_and_stays() -> None:
    definition = machine(
        {
            "Hold": state("Wait", Seconds=90, Next="Work"),
            "Work": task(Parameters={"at.$": "$$.State.EnteredTime"}, Retry=[retrier()]),
        }
    )
    run = Drive(definition, at=NOON).elapse(seconds=90)
    assert arguments_at(run, "Work") == {"at": "2026-01-01T12:01:30.000Z"}

    assert arguments_at(run.fail("Work", "E").elapse(seconds=1), "Work") == {"at": "2026-01-01T12:01:30.000Z"}


def test_jsonata_reads_the_same_object() -> None:
    run = Drive(jsonata(pass_(Output="{% $states.context.Execution.Input.order %}")), input={"order": 7})

    assert run.succeeded_with(7)


def test_only_a_task_has_a_retry_count() -> None:
    run = Drive(only(task(Parameters={"n.$": "$$.State.RetryCount"}, Retry=[retrier("A"), retrier("B")])))
    for count, error in enumerate(["A", "B", "A"]):
        assert arguments_at(run) == {"n": count}
        run.fail("Only", error).elapse(seconds=9)

    assert Drive(only(pass_(Parameters={"n.$": "$$.State.RetryCount"}))).failed_with("States.Runtime")


def test_a_token_is_there_only_while_an_attempt_is_made() -> None:
    run = Drive(
        jsonata(task(Arguments={"context": "{% $states.context %}"}, Output="{% $exists($states.context.Task) %}"))
    )
    arguments = arguments_at(run)

    assert isinstance(arguments, dict)
    assert isinstance(arguments["context"], dict)
    assert arguments["context"]["Task"] == {"Token": attempt_at(run).task_token}
    assert run.succeed("Only").succeeded_with(False)


def test_an_express_execution_cannot_be_redriven_and_counts_no_redrives() -> None:
    run = Drive(only(task()))
    express = replace(run.execution, arn="arn:aws:states:us-east-1:123456789012:express:story:first:1")
    shown = context_object(run.machine, express, express.frames, express.frames["0"], None)["Execution"]

    assert isinstance(shown, dict)
    assert "RedriveCount" not in shown
    assert shown["Id"] == express.arn


def test_the_token_of_one_branch_is_not_seen_in_the_next() -> None:
    fan = parallel(machine({"Work": task(Resource=CALLBACK)}), machine({"Look": pass_(Parameters=SHOW)}))
    output = Drive(only(fan)).details("PassStateExited")["output"]

    assert isinstance(output, dict)
    assert isinstance(output["context"], dict)
    assert "Task" not in output["context"]


def test_a_host_may_put_another_object_in_its_place() -> None:
    run = Drive(only(pass_(Parameters={"id.$": "$$.Any.Id"})), options=Options(context_object={"Any": {"Id": 5}}))

    assert run.succeeded_with({"id": 5})


def test_outside_of_a_map_there_is_no_item() -> None:
    fan = parallel(machine({"A": pass_(Parameters={"item.$": "$$.Map.Item.Value"})}))

    assert Drive(only(fan)).failed_with("States.Runtime")


def test_after_a_map_there_is_no_item_any_more() -> None:
    run = Drive(only(each(machine({"P": pass_()}), ResultSelector={"item.$": "$$.Map.Item.Value"})), input=[1])

    assert run.failed_with("States.Runtime")


def test_an_items_null_is_an_item() -> None:
    run = Drive(only(each(machine({"P": pass_(Parameters={"item.$": "$$.Map.Item"})}))), input=[None])

    assert run.succeeded_with([{"item": {"Index": 0, "Value": None}}])
