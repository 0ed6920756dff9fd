"""Fail: ends its branch with the error that it names."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.json_value import JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import fail, jsonata, machine, only, parallel, pass_, state


def test_fail_ends_the_execution_with_error_and_cause() -> None:
    run = Drive(only(fail("Order.Refused", "too late")))

    assert run.failed_with("Order.Refused", "too late")
    assert run.event_types == ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]
    assert run.history[-1].details == {"error": "Order.Refused", "cause": "too late"}
    assert run.history[-1].previous_event_id == 2


def test_a_fail_without_error_or_cause_leaves_both_out() -> None:
    run = Drive(only(state("Fail")))

    assert run.status is ExecutionStatus.FAILED
    assert (run.execution.error, run.execution.cause) == (None, None)
    assert run.history[-1].details == {}


def test_paths_and_intrinsics_can_give_error_and_cause() -> None:
    definition = only(state("Fail", ErrorPath="$.error", CausePath="States.Format('order {}', $.order)"))

    assert Drive(definition, input={"error": "E", "order": 7}).failed_with("E", "order 7")


def test_jsonata_can_give_error_and_cause() -> None:
    definition = jsonata(state("Fail", Error="{% $states.input.error %}", Cause="{% 'order ' & $states.input.order %}"))

    assert Drive(definition, input={"error": "E", "order": 7}).failed_with("E", "order 7")


def test_a_path_that_reaches_nothing_is_a_runtime_error_that_shows_the_input() -> None:
    run = Drive(only(state("Fail", ErrorPath="$.missing")), input={"a": 1})

    assert run.failed_with(
        "States.Runtime",
        "An error occurred while executing the state 'Only' (entered at the event id #2). The JSONPath '$.missing' "
        "specified for the field 'ErrorPath' could not be found in the input '{\"a\":1}'",
    )


@pytest.mark.parametrize("value", [5, True, None, ["E"], {"Error": "E"}])
def test_a_path_to_what_is_no_string_is_a_runtime_error(value: JsonValue) -> None:
    run = Drive(only(state("Fail", CausePath="$.cause")), input={"cause": value})

    assert run.failed_with("States.Runtime")
    assert "The CausePath field refers to a value that is not a string: $.cause == " in str(run.execution.cause)


def test_a_catch_around_a_fail_receives_empty_texts_for_what_it_leaves_out() -> None:
    fan = parallel(
        machine({"Stop": state("Fail")}), Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Mend"}], Next="Mend"
    )

    assert Drive(machine({"Fan": fan, "Mend": pass_()})).succeeded_with({"Error": "", "Cause": ""})
