"""advance: whatever comes, however often, in whatever order, the execution is moved once by each thing."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import CancelTask, Continue, ScheduleTask, StartExecutionTimer
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    ExecutionTimerFired,
    StopRequested,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    NOON,
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

SPIN: JsonObject = machine(
    {
        "Spin": pass_(Next="Spun"),
        "Spun": state("Choice", Choices=[{"Variable": "$.x", "IsPresent": True, "Next": "Out"}], Default="Spin"),
        "Out": pass_(),
    }
)


def of_every_kind(frame_id: str, wait_id: int) -> list[Event]:
    """Everything that could be said about a wait."""
    return [
        TaskSubmitted(frame_id, wait_id, {}),
        ActivityStarted(frame_id, wait_id, "w"),
        TaskHeartbeat(frame_id, wait_id),
        TimerFired(frame_id, wait_id),
        TaskSucceeded(frame_id, wait_id, {}),
        TaskFailed(frame_id, wait_id, "E", None),
    ]


# The bound on one advance


def test_an_advance_that_did_enough_returns_and_asks_to_be_called_again() -> None:
    chain: JsonObject = {f"S{i}": pass_(Next=f"S{i + 1}") for i in range(9)}
    run = Drive(machine({**chain, "S9": pass_()}), options=Options(advance_history_events_max=8))
    assert run.is_running
    assert run.commands == [Continue()]
    assert 8 <= len(run.history) <= 10

    while run.is_running:
        assert run.commands == [Continue()]
        run.feed()
    assert run.succeeded_with({})
    assert run.path == [f"S{i}" for i in range(10)]
    assert run.commands == []


@pytest.mark.parametrize("bound", [1, 2, 5, 11])
def test_the_bound_changes_neither_the_history_nor_the_end(bound: int) -> None:
    body = machine({"P": pass_(Next="Q"), "Q": pass_(Parameters={"i.$": "$$.Map.Item.Index"})})
    definition = only(each(machine({"Fan": parallel(body, machine({"R": pass_()}))})))
    items: list[JsonValue] = [1, 2, 3]
    whole = Drive(definition, input=items)
    pieces = Drive(definition, input=items, options=Options(advance_history_events_max=bound))
    while pieces.is_running:
        pieces.feed()

    assert pieces.execution.output == whole.execution.output
    assert sorted(pieces.event_types) == sorted(whole.event_types)


def test_an_event_can_come_between_two_halves_of_an_advance() -> None:
    run = Drive(SPIN, options=Options(advance_history_events_max=20)).feed().stop("Enough", "of this")

    assert run.status is ExecutionStatus.ABORTED
    assert run.commands == []


def test_a_branch_that_never_ends_does_not_starve_its_sibling() -> None:
    run = Drive(only(parallel(SPIN, machine({"Sibling": task()}))), options=Options(advance_history_events_max=10))
    for _ in range(5):
        run.feed()

    assert run.open_attempts("Sibling")


# Events that are not for now


def test_whatever_is_said_about_a_wait_that_never_was_is_ignored() -> None:
    run = Drive(only(task(TimeoutSeconds=5)))
    events = [*of_every_kind("0", 99), *of_every_kind("0/3.0", 3), *of_every_kind("nobody", 3)]
    run.feed(*events)

    assert run.open_attempts("Only")
    assert run.execution.ignored_events == len(events)


def test_a_task_event_for_a_wait_state_is_ignored() -> None:
    run = Drive(only(state("Wait", Seconds=5)))
    run.feed(*(event for event in of_every_kind("0", 2) if not isinstance(event, TimerFired)))

    assert run.is_running
    assert run.execution.ignored_events == 5


def test_an_event_for_a_frame_that_waits_for_its_children_is_ignored() -> None:
    run = Drive(only(parallel(machine({"A": task()})))).feed(*of_every_kind("0", 3))

    assert run.execution.ignored_events == 6


def test_the_first_of_two_contradicting_results_wins() -> None:
    run = Drive(machine({"Only": task(Next="Next"), "Next": task()}))
    frame_id, attempt = run.open_attempt("Only")
    run.feed(TaskSucceeded(frame_id, attempt.wait_id, 1), TaskFailed(frame_id, attempt.wait_id, "E", None))

    assert run.open_attempts("Next")
    assert run.execution.ignored_events == 1


def test_results_that_arrive_together_are_one_advance() -> None:
    run = Drive(only(each(machine({"Work": task()}))), input=[1, 2, 3])
    attempts = run.open_attempts("Work")
    run.feed(*(TaskSucceeded(frame_id, attempt.wait_id, index) for index, (frame_id, attempt) in enumerate(attempts)))

    assert run.succeeded_with([0, 1, 2])
    assert len(run.outcomes) == 2


def test_no_event_at_all_changes_nothing() -> None:
    run = Drive(only(task())).feed()

    assert run.outcomes[-1].history == ()
    assert run.commands == []


def test_outcomes_name_the_events_they_consumed_and_what_was_before() -> None:
    run = Drive(only(task()), at=NOON)
    assert run.outcomes[0].before is None
    before = run.execution
    run.succeed("Only", at=NOON + 5)

    assert run.outcomes[1].before is before
    assert run.outcomes[1].at == NOON + 5
    assert run.outcomes[1].events == tuple(run.events)
    assert [outcome.execution.sequence for outcome in run.outcomes] == [0, 1]


def test_frames_that_an_advance_did_not_touch_are_the_same_objects() -> None:
    """So a record carries only what changed."""
    run = Drive(only(parallel(machine({"A": task(Next="A2"), "A2": task()}), machine({"B": task()}))))
    (untouched,) = run.frames_at("B")
    run.succeed("A")

    assert run.outcomes[-1].execution.frames[untouched.id] is untouched


# Stopping


def test_a_stop_aborts_and_cancels_everything_that_runs() -> None:
    hold, retried = state("Wait", Seconds=9), task(Retry=[retrier()])
    fan = parallel(machine({"A": task()}), machine({"W": hold}), machine({"R": retried}))
    run = Drive(only(fan), at=NOON).fail("R", "E")
    frame_id, attempt = run.open_attempt("A")
    run.stop("Operator", "wrong order")

    assert run.status is ExecutionStatus.ABORTED
    assert (run.execution.error, run.execution.cause) == ("Operator", "wrong order")
    assert run.commands == [CancelTask(frame_id, attempt)]
    assert run.event_types[-5:] == [
        "TaskStateAborted",
        "WaitStateAborted",
        "TaskStateAborted",
        "ParallelStateAborted",
        "ExecutionAborted",
    ]


def test_a_stop_needs_no_reason() -> None:
    run = Drive(only(task())).stop()

    assert run.status is ExecutionStatus.ABORTED
    assert run.history[-1].details == {}


def test_a_result_after_a_stop_is_ignored() -> None:
    run = Drive(only(task()))
    frame_id, attempt = run.open_attempt("Only")
    run.feed(StopRequested(), TaskSucceeded(frame_id, attempt.wait_id, 1))

    assert run.status is ExecutionStatus.ABORTED
    assert run.execution.ignored_events == 1


def test_an_execution_that_is_over_keeps_its_end_whatever_comes() -> None:
    run = Drive(only(task()), at=NOON).succeed("Only", {"n": 1}, at=NOON + 1_000)
    run.feed(StopRequested("E"), *of_every_kind("0", 3), ExecutionTimerFired(), at=NOON + 9_000)

    assert run.succeeded_with({"n": 1})
    assert run.execution.stopped_at == NOON + 1_000
    assert run.execution.ignored_events == 8


# The execution's own timeout


def test_an_execution_times_out_as_a_whole() -> None:
    run = Drive(only(task(), TimeoutSeconds=60), at=NOON)
    assert run.commands[0] == StartExecutionTimer(NOON + 60_000)
    frame_id, attempt = run.open_attempt("Only")
    run.feed(ExecutionTimerFired(), at=NOON + 60_000)

    assert run.status is ExecutionStatus.TIMED_OUT
    assert run.execution.error == "States.Timeout"
    assert run.commands == [CancelTask(frame_id, attempt)]
    assert run.event_types[-2:] == ["TaskStateAborted", "ExecutionTimedOut"]


def test_no_catch_takes_the_executions_timeout() -> None:
    guarded = task(Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Mend"}], Next="Mend")
    run = Drive(machine({"Only": guarded, "Mend": pass_()}, TimeoutSeconds=60), at=NOON)

    assert run.feed(ExecutionTimerFired(), at=NOON + 60_000).status is ExecutionStatus.TIMED_OUT


def test_an_execution_timer_that_fires_early_is_asked_for_again() -> None:
    run = Drive(only(task(), TimeoutSeconds=60), at=NOON).feed(ExecutionTimerFired(), at=NOON + 59_999)

    assert run.is_running
    assert run.commands == [StartExecutionTimer(NOON + 60_000)]


def test_an_execution_timer_without_a_timeout_is_ignored() -> None:
    run = Drive(only(task())).feed(ExecutionTimerFired(), at=NOON)

    assert run.is_running
    assert run.execution.ignored_events == 1


# Chance


def test_chance_is_the_same_for_the_same_seed_and_differs_between_advances() -> None:
    definition = machine(
        {"A": pass_(Output="{% $uuid() %}", Next="B"), "B": task(Output=["{% $states.input %}", "{% $uuid() %}"])},
        QueryLanguage="JSONata",
    )
    outputs = [Drive(definition, seed=seed).succeed("B").execution.output for seed in ("s", "s", "t")]

    assert outputs[0] == outputs[1] != outputs[2]
    assert isinstance(outputs[0], list)
    assert outputs[0][0] != outputs[0][1]


def test_a_command_is_recognisable_for_ever() -> None:
    """Execution, frame and wait name one attempt: no two attempts share them."""
    run = Drive(only(each(machine({"Work": task(Retry=[retrier()])}), Retry=[retrier()])), input=[1, 2])
    for _ in range(3):
        run.fail("Work", "E").elapse(seconds=9)
    names = [(each.frame_id, each.attempt.wait_id) for each in run.all_commands if isinstance(each, ScheduleTask)]

    assert len(names) == len(set(names)) == 5


def test_a_jsonata_error_of_a_wait_that_is_over_fails_the_execution() -> None:
    run = Drive(jsonata(state("Wait", Seconds=1, Output="{% $gone %}"))).elapse(seconds=1)

    assert run.failed_with("States.QueryEvaluationError")
