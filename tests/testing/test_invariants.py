"""An invariant that no broken execution violates would be no invariant: each check notices what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from asl_engine.interpreter.commands import CancelTask, Command, ScheduleTask, StartTimer
from asl_engine.interpreter.events import TaskSucceeded, TimerFired
from asl_engine.interpreter.execution import Execution, ExecutionStatus, Frame, Phase
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.testing.drive import Drive
from asl_engine.testing.invariants import check_frames, check_history, check_work, outstanding_timers
from tests.interpreter.machines import machine, only, parallel, task

WAITING = Drive(only(task(TimeoutSeconds=5)))
FANNED = Drive(only(parallel(machine({"A": task()}), machine({"B": task()}))))
OVER = Drive(only(task())).succeed("Only")


@pytest.mark.parametrize("run", [WAITING, FANNED, OVER])
def test_a_sound_execution_passes_every_check(run: Drive) -> None:
    check_history(run.history, run.execution)
    check_frames(run.execution)
    check_work(run.execution, run.all_commands, run.events)


@pytest.mark.parametrize(
    "breaks",
    [
        lambda history: history[1:],
        lambda history: history[:-1],
        lambda history: [*history[:-1], history[-1]._replace(id=99)],
        lambda history: [*history[:-1], history[-1]._replace(previous_event_id=history[-1].id)],
        lambda history: [*history[:-1], history[-1]._replace(previous_event_id=0)],
        lambda history: [*history[:-1], history[-1]._replace(type="ExecutionFailed")],
        lambda history: [*history[:-1], history[-1]._replace(type="LambdaFunctionStarted")],
    ],
)
def test_a_history_with_a_gap_a_loop_or_another_end_is_noticed(
    breaks: Callable[[list[HistoryEvent]], list[HistoryEvent]],
) -> None:
    with pytest.raises(AssertionError):
        check_history(breaks(OVER.history), OVER.execution)


def changed(run: Drive, frame_id: str, **fields: object) -> Execution:
    """The execution with one frame that has other fields."""
    frame = run.execution.frames[frame_id].copy()
    for name, value in fields.items():
        setattr(frame, name, value)
    return replace(run.execution, frames={**run.execution.frames, frame_id: frame})


@pytest.mark.parametrize(
    "broken",
    [
        replace(WAITING.execution, frames={}),
        replace(WAITING.execution, ready=("0",)),
        replace(WAITING.execution, stopped_at=5),
        changed(WAITING, "0", phase=Phase.READY),
        changed(WAITING, "0", wait=None),
        changed(WAITING, "0", wait=None, phase=Phase.DONE),
        changed(FANNED, "0", wait=None, phase=Phase.DONE),
        changed(FANNED, "0/3.1", index=0),
        changed(FANNED, "0/3.1", id="0/3.0"),
        replace(OVER.execution, stopped_at=None),
        replace(OVER.execution, ready=("0",)),
        replace(OVER.execution, frames={"0": Frame(id="0", branch="", state="Only", input=None)}),
        replace(OVER.execution, status=ExecutionStatus.RUNNING),
    ],
)
def test_frames_that_cannot_go_on_or_should_be_gone_are_noticed(broken: Execution) -> None:
    with pytest.raises(AssertionError):
        check_frames(broken)


def test_an_attempt_that_nobody_was_asked_for_or_that_was_forgotten_is_noticed() -> None:
    frame_id, attempt = WAITING.open_attempt("Only")
    asked, timer = ScheduleTask(frame_id, attempt), StartTimer(frame_id, attempt.wait_id, 5_000)
    cancelled = CancelTask(frame_id, attempt)
    check_work(WAITING.execution, [asked, timer], [])
    check_work(OVER.execution, [asked, cancelled], [])
    check_work(OVER.execution, [asked], [TaskSucceeded(frame_id, attempt.wait_id, 1)])

    wrong: list[tuple[Execution, list[Command]]] = [
        (WAITING.execution, [timer]),
        (WAITING.execution, [asked, asked, timer]),
        (WAITING.execution, [asked, timer, cancelled]),
        (WAITING.execution, [asked]),
        (WAITING.execution, [asked, replace(timer, at=5_001)]),
        (OVER.execution, [asked]),
        (OVER.execution, [asked, cancelled, cancelled]),
    ]
    for execution, commands in wrong:
        with pytest.raises(AssertionError):
            check_work(execution, commands, [])


def test_a_timer_that_fired_is_outstanding_no_more() -> None:
    late, early = StartTimer("0", 3, 9_000), StartTimer("0", 3, 5_000)

    assert outstanding_timers([late, early], []) == [early, late]
    assert outstanding_timers([late, early], [TimerFired("0", 3)]) == [late]
    assert outstanding_timers([late], [TimerFired("0", 4)]) == [late]
