"""What a host that takes an execution up again must dispatch."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import Continue, ScheduleTask, StartExecutionTimer, StartTimer
from asl_engine.interpreter.open_work import open_commands
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    ACTIVITY,
    CALLBACK,
    NOON,
    machine,
    only,
    parallel,
    pass_,
    retrier,
    state,
    task,
)


@pytest.mark.parametrize(
    "waiting", [task(TimeoutSeconds=5), state("Wait", Seconds=5), task(Resource=CALLBACK, HeartbeatSeconds=5)]
)
def test_what_a_fresh_wait_asked_for_is_still_open(waiting: JsonObject) -> None:
    run = Drive(only(waiting, TimeoutSeconds=60), at=NOON)

    assert sorted(map(repr, open_commands(run.execution))) == sorted(map(repr, run.commands))


def test_a_request_that_the_service_took_is_not_sent_again_but_still_watched() -> None:
    run = Drive(only(task(Resource=CALLBACK, HeartbeatSeconds=5, TimeoutSeconds=60)), at=NOON).submit("Only")
    assert open_commands(run.execution) == (StartTimer("0", 3, NOON + 5_000),)

    run.heartbeat("Only", at=NOON + 58_000)
    assert open_commands(run.execution) == (StartTimer("0", 3, NOON + 60_000),)


def test_an_activity_that_a_worker_took_is_said_again_as_taken() -> None:
    """Its performer decides: a worker outside still holds the token, a function of this process died with it."""
    run = Drive(only(task(Resource=ACTIVITY)))
    assert [type(command) for command in open_commands(run.execution)] == [ScheduleTask]

    (command,) = open_commands(run.begin("Only").execution)
    assert isinstance(command, ScheduleTask)
    assert command.attempt.submitted


def test_a_job_that_is_waited_for_is_said_again_as_submitted() -> None:
    """Whoever followed it to its end died with the process, and must find it again."""
    run = Drive(only(task(Resource="arn:aws:states:::states:startExecution.sync"))).submit("Only")

    (command,) = open_commands(run.execution)
    assert isinstance(command, ScheduleTask)
    assert command.attempt.submitted


def test_a_pause_before_a_retry_is_open() -> None:
    run = Drive(only(task(Retry=[retrier(IntervalSeconds=3)])), at=NOON).fail("Only", "E")

    assert open_commands(run.execution) == (StartTimer("0", 5, NOON + 3_000),)


def test_every_branch_has_its_own_open_work() -> None:
    run = Drive(only(parallel(machine({"A": task()}), machine({"B": task()}), machine({"C": task()})))).succeed("B")

    assert [
        command.attempt.state_name for command in open_commands(run.execution) if isinstance(command, ScheduleTask)
    ] == ["A", "C"]


def test_the_executions_own_timeout_is_open_until_it_is_over() -> None:
    run = Drive(only(task(), TimeoutSeconds=9), at=NOON)
    assert StartExecutionTimer(NOON + 9_000) in open_commands(run.execution)

    assert open_commands(run.succeed("Only").execution) == ()


def test_frames_that_can_run_are_open_work() -> None:
    run = Drive(machine({"A": pass_(Next="B"), "B": pass_()}), options=Options(advance_history_events_max=1))

    assert run.event_types == ["ExecutionStarted"]
    assert open_commands(run.execution) == (Continue(),)
