"""The order in which a state's fields shape its input and output, and what each of them sees."""

from __future__ import annotations

import pytest

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import arguments_at, catcher, jsonata, machine, only, pass_, state, task


def test_each_jsonpath_field_sees_what_the_one_before_it_made() -> None:
    """InputPath, Parameters, the work, ResultSelector, ResultPath, OutputPath."""
    definition = only(
        task(
            InputPath="$.a",
            Parameters={"p.$": "$.b"},
            ResultSelector={"r.$": "$.c"},
            ResultPath="$.a.out",
            OutputPath="$.a",
        )
    )
    run = Drive(definition, input={"a": {"b": 1}, "kept": False})

    assert arguments_at(run) == {"p": 1}
    assert run.succeed("Only", {"c": 2, "dropped": 3}).succeeded_with({"b": 1, "out": {"r": 2}})


def test_result_path_writes_into_the_raw_input_and_not_into_the_parameters() -> None:
    run = Drive(only(task(Parameters={"p": 1}, ResultPath="$.out")), input={"raw": True}).succeed("Only", 5)

    assert run.succeeded_with({"raw": True, "out": 5})


def test_result_path_null_throws_the_result_away() -> None:
    assert Drive(only(task(ResultPath=None)), input={"raw": True}).succeed("Only", 5).succeeded_with({"raw": True})


def test_input_path_null_gives_an_empty_object_to_the_work_and_keeps_the_raw_input() -> None:
    run = Drive(only(task(InputPath=None, ResultPath="$.out")), input={"raw": True})

    assert arguments_at(run) == {}
    assert run.succeed("Only", 5).succeeded_with({"raw": True, "out": 5})


def test_output_path_null_gives_an_empty_object() -> None:
    assert Drive(only(task(OutputPath=None))).succeed("Only", 5).succeeded_with({})


def test_result_path_into_what_is_no_object_is_an_error_of_its_own() -> None:
    run = Drive(only(task(ResultPath="$.out")), input="text").succeed("Only", 5)

    assert run.failed_with("States.ResultPathMatchFailure")


@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_a_path_that_reaches_nothing_names_the_state_and_the_event_that_entered_it(field: str) -> None:
    run = Drive(machine({"First": pass_(Next="Second"), "Second": pass_(**{field: "$.gone"})}), input={"a": 1})

    assert run.failed_with("States.Runtime")
    opening = "An error occurred while executing the state 'Second' (entered at the event id #4). "
    assert str(run.execution.cause).startswith(opening + "Invalid path '$.gone'")


# Assign


def test_assign_sees_the_result_in_jsonpath() -> None:
    """ResultSelector comes before it, ResultPath and OutputPath after it."""
    definition = machine(
        {
            "Only": task(
                ResultSelector={"n.$": "$.n"},
                Assign={"got.$": "$.n"},
                ResultPath=None,
                OutputPath="$.raw",
                Next="After",
            ),
            "After": pass_(Parameters={"got.$": "$got", "in.$": "$"}),
        }
    )

    assert Drive(definition, input={"raw": 1}).succeed("Only", {"n": 2}).succeeded_with({"got": 2, "in": 1})


def test_assign_and_output_see_the_variables_as_they_were() -> None:
    definition = machine(
        {
            "Set": pass_(Assign={"x": 1}, Next="Swap"),
            "Swap": pass_(Assign={"x": 2, "y": "{% $x %}"}, Output="{% $x %}", Next="End"),
            "End": pass_(Output=["{% $states.input %}", "{% $x %}", "{% $y %}"]),
        },
        QueryLanguage="JSONata",
    )

    assert Drive(definition).succeeded_with([1, 2, 1])


def test_what_was_assigned_is_told_in_history() -> None:
    run = Drive(jsonata(pass_(Assign={"x": 1, "y": {"deep": None}})))

    assert run.details("PassStateExited")["assignedVariables"] == {"x": 1, "y": {"deep": None}}


def test_variables_outlive_the_states_between() -> None:
    definition = machine(
        {
            "Set": pass_(Assign={"x": 1}, Next="Work"),
            "Work": task(Next="Hold"),
            "Hold": state("Wait", Seconds=1, Next="End"),
            "End": pass_(Parameters={"x.$": "$x"}),
        }
    )

    assert Drive(definition).succeed("Work").elapse(seconds=1).succeeded_with({"x": 1})


def test_jsonata_sees_input_result_and_no_result_before_there_is_one() -> None:
    definition = jsonata(
        task(
            Arguments={"result": "{% 'result' in $keys($states) %}"},
            Output={"in": "{% $states.input %}", "out": "{% $states.result %}"},
        )
    )
    run = Drive(definition, input=1)

    assert arguments_at(run) == {"result": False}
    assert run.succeed("Only", 2).succeeded_with({"in": 1, "out": 2})


def test_jsonata_without_output_gives_the_result_on() -> None:
    assert Drive(jsonata(task(Arguments={"a": 1})), input=1).succeed("Only", 2).succeeded_with(2)


def test_time_in_an_expression_is_the_time_of_the_advance() -> None:
    run = Drive(jsonata(task(Output="{% $millis() %}")), at=1_000).succeed("Only", at=61_000)

    assert run.succeeded_with(61_000)


# Catch


def caught(**rule: JsonValue) -> JsonObject:
    guarded = task(Parameters={"p": 1}, OutputPath="$.never", Catch=[catcher("Mend", **rule)], Next="Mend")
    return machine({"Only": guarded, "Mend": pass_()})


@pytest.mark.parametrize(
    ("rule", "output"),
    [
        ({}, {"Error": "E", "Cause": "c"}),
        ({"ResultPath": "$"}, {"Error": "E", "Cause": "c"}),
        ({"ResultPath": "$.error"}, {"raw": True, "error": {"Error": "E", "Cause": "c"}}),
        ({"ResultPath": None}, {"raw": True}),
    ],
)
def test_a_catch_places_the_error_in_the_raw_input(rule: JsonObject, output: JsonValue) -> None:
    """OutputPath does not apply: the state did not get that far."""
    assert Drive(caught(**rule), input={"raw": True}).fail("Only", "E", "c").succeeded_with(output)


def test_a_catch_assigns_from_the_error() -> None:
    guarded = task(Catch=[catcher("Mend", Assign={"why.$": "$.Cause"}, ResultPath=None)], Next="Mend")
    run = Drive(machine({"Only": guarded, "Mend": pass_(Parameters={"why.$": "$why"})})).fail("Only", "E", "c")

    assert run.succeeded_with({"why": "c"})


def test_a_jsonata_catch_sees_the_error_output_and_the_input() -> None:
    rule = catcher(
        "Mend",
        Assign={"error": "{% $states.errorOutput.Error %}"},
        Output={"in": "{% $states.input %}", "cause": "{% $states.errorOutput.Cause %}"},
    )
    definition = machine(
        {"Only": task(Catch=[rule], Next="Mend"), "Mend": pass_(Output=["{% $states.input %}", "{% $error %}"])},
        QueryLanguage="JSONata",
    )

    assert Drive(definition, input=1).fail("Only", "E", "c").succeeded_with([{"in": 1, "cause": "c"}, "E"])


def test_a_jsonata_catch_without_output_gives_the_error_output_on() -> None:
    definition = machine({"Only": task(Catch=[catcher("Mend")], Next="Mend"), "Mend": pass_()}, QueryLanguage="JSONata")

    assert Drive(definition).fail("Only", "E").succeeded_with({"Error": "E", "Cause": ""})
