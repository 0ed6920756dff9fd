"""Retry: which rule counts, how often, and after which pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.interpreter.retry import delay_milliseconds
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import JitterStrategy, Retrier
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    NOON,
    arguments_at,
    attempt_at,
    catcher,
    each,
    fail,
    jsonata,
    machine,
    only,
    parallel,
    pass_,
    retrier,
    task,
    waits,
)


def pauses(rule: JsonObject, failures: int, *, seed: str = "seed", error: str = "E") -> list[int]:
    """The pauses between attempts that all fail, in milliseconds; shorter than asked for when attempts run out."""
    run = Drive(only(task(Retry=[rule])), at=NOON, seed=seed)
    found = []
    for _ in range(failures):
        run.fail("Only", error)
        if not run.is_running:
            break
        found += waits(run)
        run.elapse(seconds=found[-1] / 1000)
    return found


# How often and how long


def test_by_default_there_are_three_retries_after_one_two_and_four_seconds() -> None:
    assert pauses(retrier(), 9) == [1_000, 2_000, 4_000]


def test_the_interval_grows_by_the_backoff_rate() -> None:
    assert pauses(retrier(IntervalSeconds=2, BackoffRate=1.5, MaxAttempts=4), 9) == [2_000, 3_000, 4_500, 6_750]


def test_max_delay_seconds_bounds_the_pause() -> None:
    rule = retrier(IntervalSeconds=3, BackoffRate=3, MaxDelaySeconds=10, MaxAttempts=4)

    assert pauses(rule, 9) == [3_000, 9_000, 10_000, 10_000]


def test_max_attempts_zero_never_retries() -> None:
    run = Drive(only(task(Retry=[retrier("E", MaxAttempts=0), retrier()]))).fail("Only", "E")

    assert run.failed_with("E")


def test_full_jitter_draws_from_zero_to_the_pause_and_draws_the_same_again() -> None:
    rule = retrier(IntervalSeconds=10, BackoffRate=1, MaxAttempts=50, JitterStrategy="FULL")
    drawn = pauses(rule, 50)

    assert len(drawn) == 50
    assert all(0 <= pause < 10_000 for pause in drawn)
    assert len(set(drawn)) > 40
    assert min(drawn) < 2_000
    assert max(drawn) > 8_000
    assert drawn == pauses(rule, 50)
    assert drawn != pauses(rule, 50, seed="another")


def test_a_backoff_that_no_number_holds_is_a_long_pause_and_no_error() -> None:
    rule = Retrier(error_equals=("States.ALL",), backoff_rate=1e300, max_attempts=9)

    assert delay_milliseconds(rule, 5, lambda: 0.5) == 31_622_400_000


@given(
    st.integers(1, 10**6), st.floats(1, 10), st.integers(0, 10**4), st.none() | st.integers(1, 10**6), st.floats(0, 1)
)
def test_a_pause_is_never_negative_nor_longer_than_the_bound(
    interval: int, rate: float, retries: int, bound: int | None, drawn: float
) -> None:
    for strategy in JitterStrategy:
        rule = Retrier(
            error_equals=("E",),
            interval_seconds=interval,
            backoff_rate=rate,
            max_delay_seconds=bound,
            jitter_strategy=strategy,
        )
        assert 0 <= delay_milliseconds(rule, retries, lambda: drawn) <= (bound or 31_622_400) * 1000


# What is counted


def test_each_rule_counts_its_own_retries() -> None:
    run = Drive(only(task(Retry=[retrier("A", MaxAttempts=2), retrier("B", MaxAttempts=1)])))
    for error in ("A", "B", "A"):
        run.fail("Only", error).elapse(seconds=10)
        assert run.is_running

    assert attempt_at(run).retry_count == 3
    assert run.fail("Only", "A").failed_with("A")


def test_the_first_rule_that_names_the_error_decides_even_when_it_is_used_up() -> None:
    run = Drive(only(task(Retry=[retrier("A", MaxAttempts=1), retrier("States.ALL", MaxAttempts=5)])))
    run.fail("Only", "A").elapse(seconds=10)

    assert run.fail("Only", "A").failed_with("A")


def test_retries_are_counted_afresh_when_the_state_is_entered_again() -> None:
    looping = machine(
        {
            "Try": task(Retry=[retrier(MaxAttempts=1)], Catch=[catcher("Again")], Next="Done"),
            "Again": pass_(Next="Try"),
            "Done": pass_(),
        }
    )
    run = Drive(looping)
    for _ in range(3):
        assert attempt_at(run, "Try").retry_count == 0
        run.fail("Try", "E").elapse(seconds=1)
        assert attempt_at(run, "Try").retry_count == 1
        run.fail("Try", "E")

    assert run.path == ["Try", "Again"] * 3 + ["Try"]


def test_a_state_that_leads_to_itself_counts_afresh_too() -> None:
    definition = machine(
        {
            "Try": task(Retry=[retrier(MaxAttempts=1)], Catch=[catcher("Try")], Next="Done"),
            "Done": pass_(),
        }
    )
    run = Drive(definition).fail("Try", "E").elapse(seconds=1).fail("Try", "E")

    assert attempt_at(run, "Try").retry_count == 0


def test_retry_comes_before_catch() -> None:
    guarded = task(Retry=[retrier(MaxAttempts=1)], Catch=[catcher("Mend")], Next="Mend")
    definition = machine({"Try": guarded, "Mend": pass_()})
    run = Drive(definition).fail("Try", "E", "first")
    assert run.is_running

    run.elapse(seconds=1).fail("Try", "E", "second")
    assert run.succeeded_with({"Error": "E", "Cause": "second"})


def test_an_attempt_evaluates_its_arguments_anew() -> None:
    definition = only(task(Parameters={"retry.$": "$$.State.RetryCount"}, Retry=[retrier()]))
    run = Drive(definition)
    assert arguments_at(run) == {"retry": 0}

    assert arguments_at(run.fail("Only", "E").elapse(seconds=1)) == {"retry": 1}


def test_an_answer_during_the_pause_is_ignored() -> None:
    run = Drive(only(task(Retry=[retrier(IntervalSeconds=5)])))
    frame_id, attempt = run.open_attempt("Only")
    run.fail("Only", "E")
    run.feed(TaskSucceeded(frame_id, attempt.wait_id, 1))
    assert run.is_running
    assert run.execution.ignored_events == 1


def test_a_timeout_is_retried_like_any_error() -> None:
    run = Drive(only(task(TimeoutSeconds=2, Retry=[retrier("States.Timeout", IntervalSeconds=3)])), at=NOON)
    run.elapse(seconds=2)
    assert waits(run) == [
        3_000,
    ]

    run.elapse(seconds=3)
    assert attempt_at(run).timeout_at == NOON + 7_000


def test_a_retry_after_a_restart_counts_on() -> None:
    """Drive folds the execution from its journal after every event, so the count has been stored."""
    run = Drive(only(task(Retry=[retrier(MaxAttempts=2)]))).fail("Only", "E").elapse(seconds=1).fail("Only", "E")

    assert run.execution.frames["0"].retries == (2,)


# What is retried


@pytest.mark.parametrize("name", ["States.ALL", "States.Runtime"])
def test_a_runtime_error_is_never_retried(name: str) -> None:
    """Not even by a rule that names it."""
    run = Drive(only(task(Retry=[retrier(name)]))).fail("Only", "States.Runtime")

    assert run.failed_with("States.Runtime")


def test_a_parallel_starts_all_its_branches_again() -> None:
    fan = parallel(machine({"A": task()}), machine({"B": task()}), Retry=[retrier(MaxAttempts=1)])
    run = Drive(only(fan), input=1).succeed("A", 5).fail("B", "E").elapse(seconds=1)

    assert run.event_types.count("ParallelStateEntered") == 1
    assert run.event_types.count("ParallelStateStarted") == 2
    run.succeed("A", 6).succeed("B", 7)
    assert run.succeeded_with([6, 7])


def test_a_map_reads_its_items_again() -> None:
    run = Drive(only(each(machine({"Work": task()}), Retry=[retrier(MaxAttempts=1)])), input=[1, 2])
    run.succeed("Work", "a").fail("Work", "E").elapse(seconds=1)

    assert run.event_types.count("MapStateStarted") == 2
    assert run.succeed("Work", "b").succeed("Work", "c").succeeded_with(["b", "c"])


def test_a_parallel_that_fails_at_once_each_time_uses_its_retries_up() -> None:
    run = Drive(only(parallel(machine({"No": fail("E")}), machine({"X": pass_()}), Retry=[retrier(MaxAttempts=2)])))

    assert run.elapse(seconds=3).failed_with("E")
    assert run.path.count("No") == 3


def test_a_retry_inside_a_branch_leaves_its_siblings_alone() -> None:
    run = Drive(only(parallel(machine({"A": task(Retry=[retrier()])}), machine({"B": task()}))))
    run.fail("A", "E").succeed("B", 2).elapse(seconds=1).succeed("A", 1)

    assert run.succeeded_with([1, 2])


def test_an_evaluation_error_of_a_task_can_be_retried() -> None:
    run = Drive(jsonata(task(Arguments="{% $states.input.a.b %}", Retry=[retrier()])))

    assert run.event_types[-1] == "EvaluationFailed"
    assert run.elapse(seconds=7).failed_with("States.QueryEvaluationError")
    assert run.event_types.count("EvaluationFailed") == 4
