"""Pass: shapes data and leaves at once."""

from __future__ import annotations

from asl_engine.json_value import JsonObject
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import jsonata, machine, only, pass_


def test_pass_gives_its_input_on() -> None:
    assert Drive(only(pass_()), input={"order": 7}).succeeded_with({"order": 7})


def test_result_takes_the_place_of_the_input() -> None:
    assert Drive(only(pass_(Result=[1, "two", None])), input={"order": 7}).succeeded_with([1, "two", None])


def test_result_is_not_evaluated() -> None:
    """Result is data: what looks like a path or an intrinsic stays as it is written."""
    result: JsonObject = {"kept.$": "$.order", "text": "$.order", "call.$": "States.UUID()"}

    assert Drive(only(pass_(Result=result)), input={"order": 7}).succeeded_with(result)


def test_a_null_result_is_a_result() -> None:
    assert Drive(only(pass_(Result=None)), input={"order": 7}).succeeded_with(None)


def test_result_goes_where_result_path_says() -> None:
    run = Drive(only(pass_(Result=1.0, ResultPath="$.price.net")), input={"order": 7})

    assert run.succeeded_with({"order": 7, "price": {"net": 1.0}})


def test_parameters_are_built_from_the_part_that_input_path_selects() -> None:
    run = Drive(
        only(pass_(InputPath="$.order", Parameters={"id.$": "$.id", "fixed": True})), input={"order": {"id": 3}}
    )

    assert run.succeeded_with({"id": 3, "fixed": True})


def test_jsonata_output_is_the_output() -> None:
    assert Drive(jsonata(pass_(Output="{% $states.input.n + 1 %}")), input={"n": 1}).succeeded_with(2)


def test_a_chain_of_passes_runs_in_one_advance() -> None:
    """States that need nothing from outside cost no write of their own."""
    run = Drive(machine({"One": pass_(Next="Two"), "Two": pass_(Next="Three"), "Three": pass_()}))

    assert run.path == ["One", "Two", "Three"]
    assert len(run.outcomes) == 1
    assert run.commands == []


def test_events_follow_each_other_and_the_first_state_follows_nothing() -> None:
    run = Drive(machine({"One": pass_(Next="Two"), "Two": pass_()}))

    assert [(event.id, event.previous_event_id, event.type) for event in run.history] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "PassStateEntered"),
        (3, 2, "PassStateExited"),
        (4, 3, "PassStateEntered"),
        (5, 4, "PassStateExited"),
        (6, 5, "ExecutionSucceeded"),
    ]
