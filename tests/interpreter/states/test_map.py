"""Map: the processor once per item, at most MaxConcurrency at a time, outputs in the order of the items."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import ScheduleTask
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    catcher,
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

WORK: JsonObject = machine({"Work": task()})


def running(run: Drive) -> list[JsonValue]:
    """The arguments of the attempts at "Work" that are open."""
    return [attempt.arguments for _, attempt in run.open_attempts("Work")]


# Items


def test_outputs_keep_the_order_of_the_items() -> None:
    run = Drive(only(each(WORK)), input=["a", "b", "c"])
    run.succeed("Work", "C", index=2).succeed("Work", "A", index=0).succeed("Work", "B")

    assert run.succeeded_with(["A", "B", "C"])


def test_no_items_are_no_iterations() -> None:
    run = Drive(only(each(WORK)), input=[])

    assert run.succeeded_with([])
    assert [event.type for event in run.history[1:-1]] == [
        "MapStateEntered",
        "MapStateStarted",
        "MapStateSucceeded",
        "MapStateExited",
    ]


def test_items_path_names_the_array_and_result_path_takes_the_outputs() -> None:
    given = each(machine({"P": pass_()}), InputPath="$.in", ItemsPath="$.list", ResultPath="$.out")
    run = Drive(only(given), input={"in": {"list": [1, 2]}})

    assert run.succeeded_with({"in": {"list": [1, 2]}, "out": [1, 2]})


@pytest.mark.parametrize("value", [{}, None, 5, "abc"])
def test_items_that_are_no_array_are_a_runtime_error(value: JsonValue) -> None:
    run = Drive(only(each(WORK, ItemsPath="$.list")), input={"list": value})

    assert run.failed_with("States.Runtime")
    assert str(run.execution.cause).endswith('Reference path "$.list" must point to array.')
    assert run.event_types[-2:] == ["MapStateEntered", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"Items": "{% $states.input %}"}, "Expected 'array', but was 'string' for value: \"abc\""),
        ({"Items": {"not": "a list"}}, 'Map state input must be an array but was: {"not":"a list"}'),
        ({}, 'Map state input must be an array but was: "abc"'),
    ],
)
def test_jsonata_items_that_are_no_array_are_a_query_evaluation_error(fields: JsonObject, says: str) -> None:
    run = Drive(jsonata(each(WORK, **fields)), input="abc")

    assert run.failed_with("States.QueryEvaluationError")
    assert str(run.execution.cause).endswith(says)


def test_jsonata_items_may_be_computed_or_the_input_itself() -> None:
    double = machine({"P": pass_(Output="{% $states.input * 2 %}")})

    assert Drive(jsonata(each(double, Items="{% [1..3] %}"))).succeeded_with([2, 4, 6])
    assert Drive(jsonata(each(double)), input=[4]).succeeded_with([8])


def test_item_selector_builds_each_input_from_the_maps_own_and_the_item() -> None:
    selector: JsonObject = {"order.$": "$.order", "n.$": "$$.Map.Item.Index", "item.$": "$$.Map.Item.Value"}
    run = Drive(
        only(each(machine({"P": pass_()}), ItemsPath="$.list", ItemSelector=selector)),
        input={"order": 7, "list": ["x", "y"]},
    )

    assert run.succeeded_with([{"order": 7, "n": 0, "item": "x"}, {"order": 7, "n": 1, "item": "y"}])


def test_a_jsonata_item_selector_sees_the_input_and_the_item() -> None:
    selector: JsonObject = {"of": "{% $states.input.order %}", "item": "{% $states.context.Map.Item.Value %}"}
    definition = jsonata(each(machine({"P": pass_()}), Items="{% $states.input.list %}", ItemSelector=selector))

    assert Drive(definition, input={"order": 7, "list": [1]}).succeeded_with([{"of": 7, "item": 1}])


def test_the_selector_of_a_later_iteration_sees_the_same_input() -> None:
    """It is evaluated when the iteration starts, which may be long after the Map was entered."""
    selector: JsonObject = {"order.$": "$.order", "item.$": "$$.Map.Item.Value"}
    run = Drive(
        only(each(WORK, ItemsPath="$.list", ItemSelector=selector, MaxConcurrency=1)),
        input={"order": 7, "list": [1, 2]},
    )
    run.succeed("Work", "first")

    assert running(run) == [{"order": 7, "item": 2}]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_selector_that_fails_fails_the_map_and_ends_what_runs(failing: int) -> None:
    """Also when it is evaluated only because another iteration has ended."""
    selector = "{% $states.context.Map.Item.Value < 2 ? {'ok': true} : $error('no') %}"
    definition = machine(
        {
            "Each": each(WORK, ItemSelector=selector, MaxConcurrency=2, Catch=[catcher("Mend")], Next="Mend"),
            "Mend": pass_(Output="mended"),
        },
        QueryLanguage="JSONata",
    )
    items: list[JsonValue] = [*[1] * failing, 2]
    run = Drive(definition, input=items)
    if failing == 2:
        run.succeed("Work")

    assert run.succeeded_with("mended")
    assert run.event_types.count("MapStateFailed") == 1


def test_iterations_with_the_older_names_of_fields_run_alike() -> None:
    older = state("Map", Iterator=machine({"P": pass_()}), Parameters={"item.$": "$$.Map.Item.Value"})

    assert Drive(only(older), input=[1]).succeeded_with([{"item": 1}])


# Concurrency


def test_max_concurrency_bounds_the_iterations_that_run_and_the_next_starts_when_one_ends() -> None:
    run = Drive(only(each(WORK, MaxConcurrency=2)), input=[0, 1, 2, 3])
    assert running(run) == [0, 1]

    run.succeed("Work", "one", index=1)
    assert running(run) == [0, 2]
    assert len([command for command in run.commands if isinstance(command, ScheduleTask)]) == 1

    run.succeed("Work", "zero").succeed("Work", "two").succeed("Work", "three")
    assert run.succeeded_with(["zero", "one", "two", "three"])


def test_iterations_start_in_the_order_of_the_items() -> None:
    run = Drive(only(each(machine({"P": pass_()}), MaxConcurrency=1)), input=["a", "b", "c"])

    assert [(event.details or {})["index"] for event in run.of_type("MapIterationStarted")] == [0, 1, 2]
    assert [event.type for event in run.history[3:7]] == [
        "MapIterationStarted",
        "PassStateEntered",
        "PassStateExited",
        "MapIterationSucceeded",
    ]


def test_forty_iterations_run_at_once_where_nothing_bounds_them() -> None:
    """The cap of AWS for inline Maps, which a larger MaxConcurrency does not lift."""
    for fields in ({}, {"MaxConcurrency": 0}, {"MaxConcurrency": 1000}):
        assert len(running(Drive(only(each(WORK, **fields)), input=list(range(50))))) == 40


def test_max_concurrency_can_come_from_a_path_or_an_expression() -> None:
    path = only(each(WORK, ItemsPath="$.list", MaxConcurrencyPath="$.most"))
    assert len(running(Drive(path, input={"list": [1, 2, 3], "most": 2}))) == 2

    expression = jsonata(each(WORK, Items=[1, 2, 3], MaxConcurrency="{% $states.input %}"))
    assert len(running(Drive(expression, input=1))) == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (-1, "Expected non-negative integer for MaxConcurrency, got '-1' instead."),
        ("many", 'The MaxConcurrencyPath field refers to value "many" which is not a valid integer: $.n'),
        (1.5, 'The MaxConcurrencyPath field refers to value "1.5" which is not a valid integer: $.n'),
        (True, 'The MaxConcurrencyPath field refers to value "true" which is not a valid integer: $.n'),
    ],
)
def test_a_concurrency_that_is_no_natural_number_is_a_runtime_error(value: JsonValue, says: str) -> None:
    run = Drive(only(each(WORK, ItemsPath="$.list", MaxConcurrencyPath="$.n")), input={"list": [], "n": value})

    assert run.failed_with("States.Runtime")
    assert (
        run.execution.cause
        == f"An error occurred while executing the state 'Only' (entered at the event id #2). {says}"
    )
    assert [event.type for event in run.history] == ["ExecutionStarted", "MapStateEntered", "ExecutionFailed"]


@pytest.mark.parametrize("field", ["MaxConcurrency", "ToleratedFailureCount"])
def test_a_fraction_of_an_expression_is_a_query_evaluation_error(field: str) -> None:
    run = Drive(jsonata(each(WORK, Items=[1], **{field: "{% 1.5 %}"})), input={})

    assert run.failed_with("States.QueryEvaluationError")
    assert str(run.execution.cause).endswith(f"The {field} field must be a non-negative integer but was: 1.5")
    [told] = [event.details or {} for event in run.history if event.type == "EvaluationFailed"]
    assert told["location"] == field


def test_a_number_too_large_for_a_float_is_a_number() -> None:
    run = Drive(only(each(WORK, ItemsPath="$.list", MaxConcurrencyPath="$.n")), input={"list": [1], "n": 10**400})

    assert running(run) == [1]


# Nesting and variables


def test_maps_inside_parallels_inside_maps_gather_in_order() -> None:
    inner = each(machine({"Leaf": pass_(Parameters={"i.$": "$$.Map.Item.Index", "v.$": "$"})}))
    fan = parallel(machine({"Inner": inner}), machine({"Plain": pass_(Result="p")}))
    run = Drive(only(each(machine({"Fan": fan}))), input=[["a", "b"], []])

    assert run.succeeded_with([[[{"i": 0, "v": "a"}, {"i": 1, "v": "b"}], "p"], [[], "p"]])


def test_the_item_of_the_nearest_map_is_the_one_that_is_seen() -> None:
    """Inside a Parallel in an iteration it is still that iteration's, and after an inner Map it is the outer one's."""
    show: JsonObject = {"n.$": "$$.Map.Item.Index", "item.$": "$$.Map.Item.Value"}
    fan = parallel(machine({"Leaf": pass_(Parameters=show)}))
    inner = each(machine({"Fan": fan}), ItemsPath="$.list", Next="Outer")
    run = Drive(only(each(machine({"Inner": inner, "Outer": pass_(Parameters=show)}))), input=[{"list": ["x", "deep"]}])

    assert [event.details for event in run.of_type("PassStateExited")] == [
        {"name": "Leaf", "output": {"n": 0, "item": "x"}},
        {"name": "Leaf", "output": {"n": 1, "item": "deep"}},
        {"name": "Outer", "output": {"n": 0, "item": {"list": ["x", "deep"]}}},
    ]


def test_iterations_see_outer_variables_and_keep_their_own() -> None:
    body = machine(
        {
            "Set": pass_(Assign={"own": "{% $outer + $states.input %}"}, Next="Use"),
            "Use": pass_(Output="{% $own %}"),
        }
    )
    definition = machine(
        {
            "First": pass_(Assign={"outer": 10}, Next="Each"),
            "Each": each(body, Items=[1, 2], Next="After"),
            "After": pass_(Output={"outer": "{% $outer %}", "each": "{% $states.input %}"}),
        },
        QueryLanguage="JSONata",
    )

    assert Drive(definition).succeeded_with({"outer": 10, "each": [11, 12]})


def test_retries_inside_an_iteration_are_its_own() -> None:
    run = Drive(only(each(machine({"Work": task(Retry=[retrier(MaxAttempts=1)])}))), input=[1, 2])
    run.fail("Work", "E", index=0).fail("Work", "E", index=0).elapse(seconds=1)

    assert running(run) == [1, 2]
    assert run.succeed("Work", "a").succeed("Work", "b").succeeded_with(["a", "b"])


def test_an_empty_map_in_an_endless_loop_leaves_nothing_behind() -> None:
    """What runs next is listed once, however often a Map is through as soon as it starts."""
    loop = machine(
        {
            "Each": each(WORK, ItemsPath="$.list", ResultPath=None, Next="Again"),
            "Again": state(
                "Choice", Choices=[{"Variable": "$.stop", "IsPresent": True, "Next": "End"}], Default="Each"
            ),
            "End": pass_(),
        }
    )
    run = Drive(loop, input={"list": []})
    for _ in range(3):
        run.feed()
        assert run.execution.ready == ("0",)


def test_a_map_that_is_through_holds_its_items_no_longer() -> None:
    definition = machine({"Each": each(WORK, ItemsPath="$.list", Next="After"), "After": task()})
    run = Drive(definition, input={"list": [1]}).succeed("Work")

    (frame,) = run.frames_at("After")
    assert (frame.items, frame.items_input) == (None, None)
    assert list(run.execution.frames) == ["0"]


def test_an_iteration_that_ends_touches_the_map_itself_and_the_next_iteration_and_no_other() -> None:
    """What it touches is what a record costs: with all frames, a Map would cost the square of its items."""
    run = Drive(only(each(WORK, MaxConcurrency=1)), input=list(range(100)))
    for _ in range(50):
        run.succeed("Work")
    touched = run.outcomes[-1].touched
    assert len(touched) == 3
    assert "0" in touched
