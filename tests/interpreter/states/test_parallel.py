"""Parallel: all branches on the same input, their outputs in the order of the branches."""

from __future__ import annotations

from asl_engine.interpreter.commands import CancelTask, ScheduleTask
from asl_engine.interpreter.events import TaskFailed, TaskSucceeded
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    NOON,
    attempt_at,
    catcher,
    fail,
    jsonata,
    machine,
    only,
    parallel,
    pass_,
    state,
    task,
)


def test_branches_run_side_by_side_and_outputs_keep_their_order() -> None:
    run = Drive(only(parallel(machine({"A": task()}), machine({"B": task()}), machine({"C": task()}))), input=7)
    assert [type(command) for command in run.commands] == [ScheduleTask] * 3

    run.succeed("C", "c").succeed("A", "a").succeed("B", "b")
    assert run.succeeded_with(["a", "b", "c"])


def test_every_branch_gets_the_parameters() -> None:
    fan = parallel(
        machine({"A": pass_()}), machine({"B": pass_()}), InputPath="$.in", Parameters={"n.$": "$.n", "c": 1}
    )

    assert Drive(only(fan), input={"in": {"n": 2}}).succeeded_with([{"n": 2, "c": 1}] * 2)


def test_every_branch_gets_the_jsonata_arguments() -> None:
    fan = parallel(
        machine({"A": pass_()}), Arguments={"n": "{% $states.input + 1 %}"}, Output="{% $states.result[0].n %}"
    )

    assert Drive(jsonata(fan), input=1).succeeded_with(2)


def test_the_result_is_shaped_like_that_of_a_task() -> None:
    fan = parallel(
        machine({"A": pass_(Result=1)}),
        machine({"B": pass_(Result=2)}),
        ResultSelector={"second.$": "$[1]"},
        ResultPath="$.fan",
        OutputPath="$.fan.second",
    )

    assert Drive(only(fan), input={"order": 7}).succeeded_with(2)


def test_branches_that_need_nothing_from_outside_run_in_one_advance() -> None:
    run = Drive(only(parallel(machine({"A": pass_()}), machine({"B": pass_()}))))

    assert len(run.outcomes) == 1
    assert [(event.type, event.previous_event_id) for event in run.history[1:]] == [
        ("ParallelStateEntered", 0),
        ("ParallelStateStarted", 2),
        ("PassStateEntered", 3),
        ("PassStateExited", 4),
        ("PassStateEntered", 3),
        ("PassStateExited", 6),
        ("ParallelStateSucceeded", 7),
        ("ParallelStateExited", 7),
        ("ExecutionSucceeded", 9),
    ]


def test_a_failed_branch_cancels_exactly_the_attempts_that_run() -> None:
    branches = [
        machine({"Done": task()}),
        machine({"Broken": task()}),
        machine({"Running": task()}),
        machine({"Held": state("Wait", Seconds=60)}),
    ]
    run = Drive(only(parallel(*branches)), at=NOON)
    frame_id, attempt = run.open_attempt("Running")
    run.succeed("Done").fail("Broken", "E", "c")

    assert run.commands == [CancelTask(frame_id, attempt)]
    assert run.failed_with("E", "c")


def test_what_a_failed_branch_ends_is_told_in_history() -> None:
    run = Drive(only(parallel(machine({"Broken": task()}), machine({"Held": state("Wait", Seconds=60)}))))
    run.fail("Broken", "E")

    assert run.event_types[-4:] == [
        "TaskStateAborted",
        "WaitStateAborted",
        "ParallelStateFailed",
        "ExecutionFailed",
    ]


def test_branches_that_had_not_begun_when_a_sibling_failed_never_begin() -> None:
    fan = parallel(machine({"No": fail()}), machine({"Later": task()}), Catch=[catcher("Mend")], Next="Mend")
    run = Drive(machine({"Fan": fan, "Mend": pass_()}))

    assert run.path == ["Fan", "No", "Mend"]
    assert run.commands == []


def test_a_catch_of_the_parallel_takes_the_error_of_a_branch() -> None:
    fan = parallel(
        machine({"A": task()}), machine({"B": task()}), Catch=[catcher("Mend", "E", ResultPath="$.error")], Next="Mend"
    )
    run = Drive(machine({"Fan": fan, "Mend": pass_()}), input={"order": 7}).fail("B", "E", "why")

    assert run.succeeded_with({"order": 7, "error": {"Error": "E", "Cause": "why"}})


def test_results_of_a_fan_that_was_left_are_ignored() -> None:
    fan = parallel(machine({"A": task()}), machine({"B": task()}), Catch=[catcher("Mend")], Next="Mend")
    run = Drive(machine({"Fan": fan, "Mend": task()}))
    frame_id, attempt = run.open_attempt("A")
    run.fail("B", "E").feed(TaskSucceeded(frame_id, attempt.wait_id, 1))

    assert run.execution.ignored_events == 1
    assert attempt_at(run, "Mend").arguments == {"Error": "E", "Cause": ""}


def test_two_branches_that_fail_in_one_advance_fail_the_parallel_once() -> None:
    run = Drive(only(parallel(machine({"A": task()}), machine({"B": task()}))))
    events = [TaskFailed(*_ids(run, name), name, None) for name in ("A", "B")]
    run.feed(*events)

    assert run.failed_with("A")
    assert run.event_types.count("ParallelStateFailed") == 1
    assert run.execution.ignored_events == 1


def test_an_error_inside_nested_fans_is_caught_at_the_outermost() -> None:
    """What fails inside ends everything up to the Catch that takes it, and nothing beside it."""
    inner = parallel(machine({"Deep": task()}), machine({"Beside": task()}))
    middle = parallel(machine({"Inner": inner}), machine({"Cousin": task()}))
    outer = parallel(
        machine({"Middle": {**middle, "Catch": [catcher("Mend", "E")]}, "Mend": pass_()}), machine({"Far": task()})
    )
    run = Drive(only(outer)).fail("Deep", "E", "deep")
    cancelled = [command.attempt.state_name for command in run.commands if isinstance(command, CancelTask)]

    assert sorted(cancelled) == ["Beside", "Cousin"]
    assert run.succeed("Far", "far").succeeded_with([{"Error": "E", "Cause": "deep"}, "far"])


def test_a_catch_that_names_another_error_lets_it_pass() -> None:
    inner = parallel(machine({"Deep": task()}), Catch=[catcher("Inside", "Other")], Next="Inside")
    outer = parallel(machine({"Inner": inner, "Inside": pass_()}), Catch=[catcher("Mend", "E")], Next="Mend")
    run = Drive(machine({"Outer": outer, "Mend": pass_()})).fail("Deep", "E")

    assert run.path == ["Outer", "Inner", "Deep", "Mend"]


# Variables


def test_branches_see_outer_variables_and_keep_their_own() -> None:
    fan = parallel(
        machine({"A": pass_(Assign={"own": 1}, Next="A2"), "A2": pass_(Output="{% $outer + $own %}")}),
        machine({"B": pass_(Assign={"mine": 10}, Next="B2"), "B2": pass_(Output="{% $outer + $mine %}")}),
        Next="After",
    )
    definition = machine(
        {"Set": pass_(Assign={"outer": 100}, Next="Fan"), "Fan": fan, "After": pass_(Output=["{% $outer %}"])},
        QueryLanguage="JSONata",
    )
    run = Drive(definition)

    assert run.details("ParallelStateExited")["output"] == [101, 110]
    assert run.succeeded_with([100])
    assert run.of_type("PassStateExited")[-1].details == {"name": "After", "output": [100]}


def test_a_parallel_assigns_from_the_results_of_its_branches() -> None:
    fan = parallel(machine({"A": pass_(Output=5)}), Assign={"total": "{% $states.result[0] * 2 %}"}, Next="After")
    definition = machine({"Fan": fan, "After": pass_(Output="{% $total %}")}, QueryLanguage="JSONata")

    assert Drive(definition).succeeded_with(10)


def test_an_output_that_cannot_be_built_fails_the_parallel_after_its_branches() -> None:
    fan = parallel(machine({"A": pass_()}), Output="{% $states.result.a + 'x' %}", Catch=[catcher("Mend")], Next="Mend")
    run = Drive(machine({"Fan": fan, "Mend": pass_(Output=1)}, QueryLanguage="JSONata"))

    assert run.event_types[-6:-3] == ["EvaluationFailed", "ParallelStateFailed", "ParallelStateExited"]
    assert run.succeeded_with(1)


def _ids(run: Drive, name: str) -> tuple[str, int]:
    frame_id, attempt = run.open_attempt(name)
    return frame_id, attempt.wait_id
