"""Drive lets time pass, compares as JSON compares, and shows how far a run came."""

from __future__ import annotations

import pytest

from asl_engine.testing.drive import Drive
from tests.interpreter.machines import only, pass_, retrier, state, task


def test_time_passes_timer_by_timer() -> None:
    run = Drive(only(task(Retry=[retrier(MaxAttempts=1)], TimeoutSeconds=2)), at=1_000)
    run.elapse(seconds=10)

    assert [event.timestamp for event in run.of_type("LambdaFunctionTimedOut")] == [3_000, 6_000]
    assert run.at == 11_000


def test_an_output_is_compared_as_json_where_true_is_no_number() -> None:
    run = Drive(only(pass_(Result=[1, {"a": True}])))

    assert run.succeeded_with([1, {"a": True}])
    assert not run.succeeded_with([1, {"a": 1}])
    assert not run.succeeded_with([1.0, {"a": True}])


def test_a_failed_assertion_shows_how_far_the_execution_came() -> None:
    run = Drive(only(state("Wait", Seconds=5)))

    assert repr(run).startswith("RUNNING")
    assert "WaitStateEntered" in repr(run)
    with pytest.raises(AssertionError, match="no attempt number 0 is open at Only: RUNNING"):
        run.succeed("Only")
