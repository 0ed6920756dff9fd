"""How a frame leaves a state that failed: Catch in order, evaluation errors, and what their history looks like."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.events import TaskSucceeded, TimerFired
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import catcher, each, fail, jsonata, machine, only, parallel, pass_, state, task


def guarded(*rules: JsonObject) -> JsonObject:
    targets: JsonObject = {str(rule["Next"]): pass_() for rule in rules}
    return machine({"Only": task(Catch=list(rules), Next=next(iter(targets))), **targets})


def test_the_first_catch_that_names_the_error_takes_it() -> None:
    definition = guarded(catcher("A", "E1"), catcher("B", "E2", "E3"), catcher("C", "E2"), catcher("D"))

    for error, target in [("E1", "A"), ("E2", "B"), ("E3", "B"), ("Other", "D")]:
        assert Drive(definition).fail("Only", error).path == ["Only", target]


def test_an_error_that_no_catch_names_fails_the_execution() -> None:
    assert Drive(guarded(catcher("A", "E1"))).fail("Only", "E2").failed_with("E2")


def test_a_caught_task_is_left_like_one_that_succeeded() -> None:
    run = Drive(guarded(catcher("A"))).fail("Only", "E", "c")

    assert run.event_types[4:7] == ["LambdaFunctionFailed", "TaskStateExited", "PassStateEntered"]
    assert run.details("TaskStateExited") == {"name": "Only", "output": {"Error": "E", "Cause": "c"}}


@pytest.mark.parametrize("name", ["States.ALL", "States.Runtime", "States.TaskFailed"])
def test_no_catch_takes_a_runtime_error(name: str) -> None:
    broken = task(Parameters={"x.$": "$.gone"}, Catch=[catcher("Mend", name)], Next="Mend")
    run = Drive(machine({"Only": broken, "Mend": pass_()}))

    assert run.failed_with("States.Runtime")
    assert run.path == ["Only"]


def test_a_runtime_error_in_a_branch_passes_every_catch_around_it() -> None:
    inner = parallel(machine({"Bad": pass_(InputPath="$.gone")}), Catch=[catcher("Inside")], Next="Inside")
    outer = each(machine({"Inner": inner, "Inside": pass_()}), Catch=[catcher("Mend")], Next="Mend")
    run = Drive(machine({"Outer": outer, "Mend": pass_()}), input=[{}])

    assert run.failed_with("States.Runtime")
    assert "'Bad' (entered at the event id #7)" in str(run.execution.cause)


# Expressions that fail


def test_undefined_is_a_query_evaluation_error_with_an_event_of_its_own() -> None:
    run = Drive(jsonata(pass_(Output={"total": "{% $states.input.gone %}"})))

    cause = (
        "An error occurred while executing the state 'Only' (entered at the event id #2). The JSONata expression "
        "'$states.input.gone' specified for the field 'Output/total' returned nothing (undefined)."
    )
    assert run.failed_with("States.QueryEvaluationError", cause)
    assert run.event_types == ["ExecutionStarted", "PassStateEntered", "EvaluationFailed", "ExecutionFailed"]
    assert run.details("EvaluationFailed") == {
        "error": "States.QueryEvaluationError",
        "cause": cause,
        "location": "Output/total",
        "state": "Only",
    }


def test_an_evaluation_failure_follows_what_came_before_a_state_that_did_nothing_yet() -> None:
    definition = machine({"First": pass_(Next="Only"), "Only": pass_(Output="{% $gone %}")}, QueryLanguage="JSONata")
    run = Drive(definition)

    assert run.history[-2].type == "EvaluationFailed"
    assert run.history[-2].previous_event_id == 3


def test_an_evaluation_failure_of_a_task_that_worked_follows_its_result() -> None:
    run = Drive(jsonata(task(Output="{% $gone %}"))).succeed("Only")

    assert [event.type for event in run.history[4:6]] == ["LambdaFunctionSucceeded", "EvaluationFailed"]
    assert run.history[5].previous_event_id == 5


def test_an_evaluation_error_can_be_caught() -> None:
    rule = catcher("Mend", "States.QueryEvaluationError")
    broken = task(Arguments="{% $states.input.gone %}", Catch=[rule], Next="Mend")
    run = Drive(machine({"Only": broken, "Mend": pass_(Output="ok")}, QueryLanguage="JSONata"))

    assert run.succeeded_with("ok")
    assert run.commands == []


def test_a_catch_whose_own_expression_fails_ends_the_branch() -> None:
    """No rule of the state takes it, not even itself: it would for ever."""
    rules: list[JsonValue] = [catcher("Mend", "E", Output="{% $states.errorOutput.gone %}"), catcher("Mend")]
    run = Drive(machine({"Only": task(Catch=rules, Next="Mend"), "Mend": pass_()}, QueryLanguage="JSONata"))
    run.fail("Only", "E")

    assert run.failed_with("States.QueryEvaluationError")
    assert run.event_types[-2:] == ["EvaluationFailed", "ExecutionFailed"]


def test_a_jsonpath_catch_whose_path_reaches_nothing_ends_the_branch() -> None:
    rule = catcher("Mend", Assign={"x.$": "$.gone"})
    run = Drive(machine({"Only": task(Catch=[rule], Next="Mend"), "Mend": pass_()})).fail("Only", "E")

    assert run.failed_with("States.Runtime")
    assert "EvaluationFailed" not in run.event_types


def test_the_failure_of_an_inner_catch_can_be_caught_further_out() -> None:
    inner = task(Catch=[catcher("Never", Output="{% $gone %}")], Next="Never")
    outer = parallel(machine({"Inner": inner, "Never": pass_()}), Catch=[catcher("Mend")], Next="Mend")
    run = Drive(machine({"Outer": outer, "Mend": pass_(Output="ok")}, QueryLanguage="JSONata")).fail("Inner", "E")

    assert run.succeeded_with("ok")


def test_a_failed_map_inside_a_branch_tells_its_failure_at_each_level() -> None:
    definition = only(parallel(machine({"Each": each(machine({"No": fail("E", "c")}))})))
    run = Drive(definition, input=[1])

    assert run.event_types[-5:] == [
        "MapIterationFailed",
        "MapStateFailed",
        "MapStateAborted",
        "ParallelStateFailed",
        "ExecutionFailed",
    ]


def test_a_wait_whose_output_fails_long_after_its_entry_is_followed_by_the_failure() -> None:
    hold = state("Wait", Seconds=1, Output="{% $gone %}")
    definition = only(parallel(machine({"Hold": hold}), machine({"Work": task()})), QueryLanguage="JSONata")
    run = Drive(definition)
    frame_id, attempt = run.open_attempt("Work")
    (timer,) = run.timers
    run.feed(TaskSucceeded(frame_id, attempt.wait_id, 1), TimerFired(timer.frame_id, timer.wait_id), at=timer.at)

    assert run.failed_with("States.QueryEvaluationError")
    assert run.of_type("EvaluationFailed")[0].previous_event_id == timer.wait_id
