"""What an execution waits for in time, and when its jobs are looked at."""

from __future__ import annotations

from asl_engine.interpreter.execution import Execution, Frame, Phase, TaskAttempt, TimerWait, Wait
from asl_engine.runtime.queued.definitions import Definition, Definitions
from asl_engine.runtime.queued.moments import Moment, jobs_to_look_at, moments, uncovered
from asl_engine.store.memory import MemoryStore
from tests.runtime.queued.worlds import JOB, NOON, SECOND, Jobs, chain, complete, request, task

MACHINE = chain(task(JOB))


def execution(*waits: Wait, timer_at: int | None = None) -> Execution:
    frames = {
        str(number): Frame(
            id=str(number), branch="", state="S0", input={}, entered_at=NOON, phase=Phase.WAITING, wait=each
        )
        for number, each in enumerate(waits)
    }
    begun = request().execution(MACHINE, NOON)
    return begun.changed({"frames": frames, "timer_at": timer_at, "sequence": 0, "at": NOON})


def definition() -> Definition:
    return complete(lambda: Definitions(MemoryStore(), Jobs()).put(MACHINE))


def job(*, submitted: bool = True) -> TaskAttempt:
    return TaskAttempt(wait_id=3, state_name="S0", resource=JOB, arguments={}, submitted=submitted)


def looks_between(first: int, last: int) -> list[int]:
    seconds, found = first, []
    while seconds < last:
        [moment] = moments(execution(job()), definition(), NOON + seconds * SECOND)
        seconds = (moment.at - NOON) // SECOND
        found.append(seconds)
    return found


def test_the_looks_at_a_job_grow_apart_up_to_a_quarter_of_an_hour() -> None:
    assert looks_between(0, 2500) == [300, 1200, 2100, 3000]


def test_every_runner_finds_the_same_looks() -> None:
    assert looks_between(1000, 2500) == [1200, 2100, 3000]


def test_a_job_that_is_not_submitted_is_not_looked_at() -> None:
    assert list(moments(execution(job(submitted=False)), definition(), NOON)) == []


def test_the_timer_is_set_for_the_earliest_moment() -> None:
    waits = execution(TimerWait(1, NOON + 900 * SECOND), TimerWait(2, NOON + 500 * SECOND), job())

    assert uncovered(waits, definition(), NOON + 301 * SECOND) == NOON + 500 * SECOND
    assert uncovered(waits, definition(), NOON) == NOON + 300 * SECOND


def test_a_timer_that_is_set_no_later_covers_everything() -> None:
    def left_by(timer_at: int) -> int | None:
        waits = execution(TimerWait(1, NOON + 90 * SECOND), timer_at=timer_at)
        return uncovered(waits, definition(), NOON)

    assert left_by(NOON + 90 * SECOND) is None
    assert left_by(NOON + 89 * SECOND) is None
    assert left_by(NOON + 91 * SECOND) == NOON + 90 * SECOND


def test_what_waits_for_nothing_needs_no_timer() -> None:
    assert uncovered(execution(), definition(), NOON) is None


def test_a_late_timer_looks_at_every_job_that_was_due_meanwhile() -> None:
    waits = execution(job(), job(submitted=False))

    due = jobs_to_look_at(waits, definition(), NOON + 300 * SECOND, NOON + 300 * SECOND)
    assert [frame.id for frame in due] == ["0"]
    assert jobs_to_look_at(waits, definition(), NOON + 301 * SECOND, NOON + 1199 * SECOND) == []
    assert jobs_to_look_at(waits, definition(), NOON + 301 * SECOND, NOON + 1500 * SECOND) != []


def test_moments_come_in_order_of_time() -> None:
    assert Moment(NOON, "1", 5) < Moment(NOON + 1, "0", 1)
