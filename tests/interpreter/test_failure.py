"""Which error names a rule of Retry or Catch stands for."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.failure import StatesError

MISSED = StatesError("States.Timeout", missed_heartbeat=True)


@pytest.mark.parametrize("error", ["E", "States.Timeout", "States.TaskFailed", "States.DataLimitExceeded", "", None])
def test_states_all_names_every_error(error: str | None) -> None:
    assert StatesError(error).matches(("States.ALL",))


@pytest.mark.parametrize(
    ("error", "is_named"),
    [
        ("E", True),
        ("States.Permissions", True),
        (None, True),
        ("States.Timeout", False),
        ("States.HeartbeatTimeout", False),
    ],
)
def test_states_task_failed_names_all_but_timeouts(error: str | None, is_named: bool) -> None:
    assert StatesError(error).matches(("States.TaskFailed",)) is is_named


def test_a_missed_heartbeat_goes_by_two_names() -> None:
    assert MISSED.matches(("States.Timeout",))
    assert MISSED.matches(("States.HeartbeatTimeout",))
    assert not MISSED.matches(("States.TaskFailed",))
    assert not StatesError("States.Timeout").matches(("States.HeartbeatTimeout",))


def test_any_of_several_names_is_enough_and_names_are_compared_exactly() -> None:
    assert StatesError("B").matches(("A", "B"))
    assert not StatesError("B").matches(("b", "BB", "A"))
    assert not StatesError("B").matches(())


def test_only_a_runtime_error_is_fatal() -> None:
    assert StatesError("States.Runtime").is_fatal
    assert not StatesError("States.DataLimitExceeded").is_fatal


def test_a_catch_always_gets_both_members_and_history_those_that_exist() -> None:
    assert StatesError(None).error_output() == {"Error": "", "Cause": ""}
    assert StatesError(None).details() == {}
    assert StatesError("E", "").details() == {"error": "E", "cause": ""}
