"""Attempts and jobs in hand: begun once, dropped when their results no longer count."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from asl_engine.errors import Conflict, QueueUnavailable, StoreUnavailable
from asl_engine.interpreter.events import ActivityStarted, Event, TaskHeartbeat, TaskSubmitted, TaskSucceeded
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.queued.work import Work
from asl_engine.runtime.tasks import Submitted, Succeeded, TaskCall, TaskResult
from tests.runtime.queued.worlds import JOB, NOON, Jobs, Tasks, Watching, complete
from tests.runtime.task_calls import task_call

ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"


@dataclass
class Hand:
    """Work, and what it posts."""

    tasks: Tasks = field(default_factory=Tasks)
    jobs: Jobs = field(default_factory=Jobs)
    posted: list[Event | None] = field(default_factory=list)
    watching: Watching = field(default_factory=Watching)

    def work(self) -> Work:
        clock = VirtualClock(NOON)
        clock.begin()
        return Work(self.tasks, self.jobs, clock, self.watching, self.posted.append)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_an_attempt_is_begun_once_however_often_it_is_asked_for() -> None:
    async def story() -> Hand:
        hand = Hand()
        work = hand.work()
        work.perform(task_call())
        work.perform(task_call())
        await settled()
        work.perform(task_call())
        await settled()
        return hand

    hand = complete(story)

    assert hand.tasks.performed == ["Charge"]
    assert hand.posted == [TaskSucceeded("0", 3, "Charge")]


def test_what_a_performer_tells_meanwhile_is_posted() -> None:
    async def story() -> Hand:
        async def talks(call: TaskCall) -> TaskResult:
            call.heartbeat()
            call.begun()
            call.submitted({"Id": 1})
            return Succeeded("done")

        hand = Hand(Tasks({"Charge": talks}))
        hand.work().perform(task_call(ACTIVITY))
        await settled()
        return hand

    assert complete(story).posted == [
        TaskHeartbeat("0", 3),
        ActivityStarted("0", 3),
        TaskSubmitted("0", 3, {"Id": 1}),
        TaskSucceeded("0", 3, "done"),
    ]


def test_a_performer_learns_why_it_is_cancelled() -> None:
    async def cancelled_by(*, drop: bool) -> list[bool]:
        told: list[bool] = []

        async def asks(call: TaskCall) -> TaskResult:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                told.append(call.is_over())
            raise AssertionError

        hand = Hand(Tasks({"Charge": asks}))
        work = hand.work()
        work.perform(task_call())
        await settled()
        if drop:
            work.keep(lambda _key: False)
        else:
            work.abandon()
        await settled()
        assert hand.posted == []
        return told

    assert complete(lambda: cancelled_by(drop=True)) == [True]
    assert complete(lambda: cancelled_by(drop=False)) == [False]


def test_a_job_that_is_being_submitted_is_stopped_once_it_is() -> None:
    @dataclass
    class Slow(Jobs):
        order: list[str] = field(default_factory=list)

        async def submit(self, call: TaskCall) -> TaskResult:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.order.append("submitted")
            return Submitted({})

        async def stop(self, call: TaskCall) -> str | None:
            self.order.append("stopped")
            return None

    async def story() -> tuple[list[str], Hand]:
        jobs = Slow()
        hand = Hand(jobs=jobs)
        work = hand.work()
        work.perform(task_call(JOB))
        await asyncio.sleep(0)
        work.cancel(task_call(JOB))
        assert work.is_stopping
        await settled()
        assert not work.is_stopping
        return jobs.order, hand

    order, hand = complete(story)

    assert order == ["submitted", "stopped"]
    assert hand.posted == [None]


def test_a_job_that_is_being_submitted_when_another_runner_ends_its_attempt_is_stopped_once() -> None:
    async def story() -> Hand:
        hand = Hand()
        work = hand.work()
        work.perform(task_call(JOB))
        work.keep(lambda _key: False)
        work.cancel(task_call(JOB))
        await settled()
        return hand

    hand = complete(story)

    assert hand.jobs.submitted == ["Charge"]
    assert hand.jobs.stopped == ["Charge"]


def test_services_that_raise_are_reported_and_raise_nothing() -> None:
    class Broken(Jobs):
        async def look(self, call: TaskCall) -> TaskResult | None:
            raise ValueError("look")

        async def stop(self, call: TaskCall) -> str | None:
            raise ValueError("stop")

    async def story() -> Hand:
        hand = Hand(jobs=Broken())
        clock = VirtualClock(NOON)
        work = Work(hand.tasks, hand.jobs, clock, hand.watching, hand.posted.append)
        await work.look(task_call(JOB), hand.posted.append)
        work.cancel(task_call(JOB))
        while work.is_stopping:
            await asyncio.sleep(0)
        return hand

    hand = complete(story)

    assert hand.watching.told == [("unseen", "ValueError: look"), ("unstopped", "ValueError: stop")]
    assert hand.posted == [None]


@pytest.mark.parametrize("outage", [StoreUnavailable("no table"), QueueUnavailable("no queue"), Conflict("lost")])
def test_an_outage_is_no_result_of_a_task(outage: Exception) -> None:
    async def fails(_call: TaskCall) -> TaskResult:
        raise outage

    async def story() -> tuple[Hand, Work]:
        hand = Hand(Tasks({"Charge": fails}))
        work = hand.work()
        work.perform(task_call())
        assert work.is_performing
        await settled()
        return hand, work

    hand, work = complete(story)

    assert hand.posted == [None]
    assert work.failure is outage
    assert work.in_hand == {("0", 3)}
    assert not work.is_performing
    work.keep(lambda _key: False)
    assert work.failure is None


def test_an_attempt_that_may_not_begin_stays_in_hand() -> None:
    async def story() -> tuple[Hand, Work]:
        hand = Hand()
        work = Work(hand.tasks, None, VirtualClock(NOON), hand.watching, hand.posted.append, lambda _call: False)
        work.perform(task_call())
        await settled()
        return hand, work

    hand, work = complete(story)

    assert hand.tasks.performed == []
    assert work.in_hand == {("0", 3)}
    assert not work.is_performing
    work.abandon()


def test_a_job_that_runs_says_nothing() -> None:
    async def story() -> Hand:
        hand = Hand()
        await hand.work().look(task_call(JOB), hand.posted.append)
        return hand

    assert complete(story).posted == []
