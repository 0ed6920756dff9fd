"""Choice: goes where the first rule that holds points."""

from __future__ import annotations

import pytest

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import machine, pass_, state


def by_size(**fields: JsonValue) -> JsonObject:
    rules: list[JsonValue] = [
        {"Variable": "$.n", "NumericGreaterThan": 100, "Next": "Large"},
        {"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Medium"},
    ]
    states: JsonObject = {
        "Size": state("Choice", Choices=rules, **fields),
        "Large": pass_(),
        "Medium": pass_(),
        "Small": pass_(),
    }
    if "Default" not in fields:
        states["Medium"], states["Small"] = pass_(Next="Small"), pass_()
    return machine(states)


@pytest.mark.parametrize(("n", "target"), [(101, "Large"), (100, "Medium"), (11, "Medium"), (10, "Small")])
def test_the_first_rule_that_holds_decides_and_default_takes_the_rest(n: int, target: str) -> None:
    run = Drive(by_size(Default="Small"), input={"n": n})

    assert run.path == ["Size", target]
    assert run.succeeded_with({"n": n})


def test_no_rule_and_no_default_is_no_choice_matched() -> None:
    run = Drive(by_size(), input={"n": 1})

    assert run.failed_with(
        "States.NoChoiceMatched",
        "An error occurred while executing the state 'Size' (entered at the event id #2). Failed to transition out of "
        "the state. The state does not point to a next state.",
    )


def test_a_variable_that_is_missing_is_a_runtime_error() -> None:
    run = Drive(by_size(Default="Small"), input={})

    assert run.failed_with("States.Runtime")
    assert "'Size' (entered at the event id #2). Invalid path '$.n'" in str(run.execution.cause)


def test_input_path_and_output_path_apply_around_the_rules() -> None:
    definition = by_size(Default="Small", InputPath="$.order", OutputPath="$.n")

    assert Drive(definition, input={"order": {"n": 50}, "n": 1}).succeeded_with(50)


def jsonata_choice(**fields: JsonValue) -> JsonObject:
    rule: JsonObject = {
        "Condition": "{% $states.input.n > 10 %}",
        "Next": "End",
        "Assign": {"by": "rule"},
        "Output": {"n": "{% $states.input.n %}", "by": "rule"},
    }
    return machine(
        {
            "Size": state("Choice", Choices=[rule], Default="End", **fields),
            "End": pass_(Output={"was": "{% $states.input %}", "by": "{% $by %}"}),
        },
        QueryLanguage="JSONata",
    )


def test_assign_and_output_of_the_rule_that_holds_apply() -> None:
    definition = jsonata_choice(Assign={"by": "default"}, Output={"by": "default"})

    assert Drive(definition, input={"n": 11}).succeeded_with({"was": {"n": 11, "by": "rule"}, "by": "rule"})


def test_assign_and_output_of_the_state_apply_when_the_default_is_taken() -> None:
    definition = jsonata_choice(Assign={"by": "default"}, Output={"by": "default"})

    assert Drive(definition, input={"n": 10}).succeeded_with({"was": {"by": "default"}, "by": "default"})


def test_a_condition_that_is_no_boolean_is_a_query_evaluation_error() -> None:
    rule: JsonObject = {"Condition": "{% $states.input.n %}", "Next": "End"}
    definition = machine(
        {"Size": state("Choice", Choices=[rule], Default="End"), "End": pass_()}, QueryLanguage="JSONata"
    )
    run = Drive(definition, input={"n": 1})

    assert run.failed_with("States.QueryEvaluationError")
    assert run.event_types == ["ExecutionStarted", "ChoiceStateEntered", "EvaluationFailed", "ExecutionFailed"]


def test_a_choice_can_loop_until_a_rule_lets_it_out() -> None:
    definition = machine(
        {
            "Count": pass_(Parameters={"n.$": "States.MathAdd($.n, 1)"}, Next="Enough"),
            "Enough": state(
                "Choice", Choices=[{"Variable": "$.n", "NumericEquals": 4, "Next": "Done"}], Default="Count"
            ),
            "Done": state("Succeed"),
        }
    )
    run = Drive(definition, input={"n": 0})

    assert run.succeeded_with({"n": 4})
    assert run.path.count("Count") == 4
