"""Jobs outlive their runner: submitted once, looked at now and then, stopped when their result no longer counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from asl_engine.errors import QueueUnavailable, StoreUnavailable
from asl_engine.interpreter.events import StopRequested, TaskFailed
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.tasks import Failed, Succeeded, TaskCall, TaskResult
from tests.runtime.queued.stores import FailingStore, ListedStore
from tests.runtime.queued.worlds import (
    CALLBACK,
    JOB,
    NOON,
    SECOND,
    Jobs,
    Tasks,
    World,
    alone,
    attempt_of,
    chain,
    complete,
    request,
    side_by_side,
    task,
    timers,
    wait,
)

ARN = request().execution_arn
MINUTE = 60 * SECOND
CAUGHT: JsonValue = [{"ErrorEquals": ["States.ALL"], "Next": "S1"}]


# Jobs


def test_a_job_is_looked_at_ever_more_slowly_until_it_is_over() -> None:
    async def story() -> World:
        world = World(jobs=Jobs())
        await world.start(chain(task(JOB), task()))
        await world.run(until=NOON + 2100 * SECOND)
        assert len(world.jobs.looked_at) == 3
        world.jobs.ends["S0"] = Succeeded({"Status": "SUCCEEDED"})
        await world.run()
        return world

    world = complete(story)

    seconds = [(at - NOON) // SECOND for at in timers(world)]
    assert seconds == [300, 1200, 2100, 3000]
    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.jobs.submitted == ["S0"]


def test_a_job_whose_event_comes_is_not_waited_for() -> None:
    async def story() -> World:
        world = World(jobs=Jobs())
        await world.start(chain(task(JOB)))
        await world.run(until=NOON)
        await world.host.deliver(ARN, TaskFailed("0", attempt_of(world.execution()).wait_id, "States.TaskFailed", "{}"))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.FAILED
    assert world.jobs.looked_at == []


def test_the_job_of_a_task_that_timed_out_is_stopped() -> None:
    async def story() -> World:
        world = World(jobs=Jobs())
        await world.start(chain(task(JOB, TimeoutSeconds=45, Catch=CAUGHT), task()))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.jobs.stopped == ["S0"]


def test_a_job_that_cannot_be_stopped_is_reported_after_some_tries() -> None:
    async def story() -> World:
        world = World(jobs=Jobs(unstoppable="AccessDenied"))
        await world.start(chain(task(JOB)))
        await world.run(until=NOON)
        await world.host.deliver(ARN, StopRequested())
        await world.run()
        return world

    world = complete(story)

    assert world.jobs.stopped == ["S0"] * 3
    assert world.watching.told == [("unstopped", "AccessDenied")]
    assert world.queue.messages == []


def test_a_stop_that_the_deadline_cuts_short_is_repeated_by_the_next_runner() -> None:
    async def story() -> World:
        world = World(jobs=Jobs(unstoppable="Throttled"))
        world.lambda_time = 2 * SECOND
        await world.start(chain(task(JOB)))
        await world.run(until=NOON)
        await world.host.deliver(ARN, StopRequested())
        await world.step()
        assert len(world.jobs.stopped) == 2
        world.jobs.unstoppable = None
        await world.run()
        return world

    world = complete(story)

    assert len(world.jobs.stopped) == 3
    assert world.watching.told == []
    assert [each.only_goes_on for each in world.queue.sent] == [False, False, False, True]


def test_a_job_that_ends_while_other_work_is_awaited_is_seen() -> None:
    async def story() -> World:
        async def slow(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(NOON + 400 * SECOND)
            return Failed("Late", "")

        world = World(Tasks({"Slow": slow}), Jobs(ends={"Job": Succeeded({})}))
        world.lambda_time = 600 * SECOND
        await world.start(side_by_side(alone("Job", task(JOB)), alone("Slow", task())))
        await world.step()
        return world

    world = complete(story)

    assert [each.events for each in world.watching.records] == [
        (),
        ("TaskSubmitted",),
        ("TaskSucceeded",),
        ("TaskFailed",),
    ]
    assert timers(world) == []


@dataclass
class SlowJobs(Jobs):
    """Jobs that are asked for at once and begin six seconds later; a stop before that finds none."""

    begin_at: int = NOON + 6 * SECOND
    clock: Clock | None = None
    running: set[str] = field(default_factory=set)
    found: list[bool] = field(default_factory=list)

    async def submit(self, call: TaskCall) -> TaskResult:
        assert self.clock is not None
        await self.clock.sleep_until(self.begin_at)
        self.running.add(call.attempt.state_name)
        return await super().submit(call)

    async def stop(self, call: TaskCall) -> str | None:
        self.found.append(call.attempt.state_name in self.running)
        self.running.discard(call.attempt.state_name)
        return await super().stop(call)


def test_a_job_that_is_being_submitted_while_another_runner_stops_it_is_stopped_once_it_runs() -> None:
    async def story() -> SlowJobs:
        world = World(jobs=(jobs := SlowJobs()))
        jobs.clock = world.clock
        await world.start(chain(task(JOB)))

        async def stop_elsewhere() -> None:
            await world.clock.sleep_until(NOON + SECOND)
            await world.host.deliver(ARN, StopRequested())
            await world.step()

        await asyncio.gather(world.step(), stop_elsewhere())
        assert world.execution().status is ExecutionStatus.ABORTED
        assert jobs.found == [False, True]
        await world.run(until=NOON + 2 * MINUTE)  # each looks once more: the other might have died
        assert world.queue.messages == []
        return jobs

    jobs = complete(story)

    assert jobs.found == [False, True, False, False]
    assert jobs.running == set()


def test_a_runner_that_an_outage_interrupts_stops_first_what_it_was_stopping() -> None:
    """Its message may not come again: another runner with a copy of it may have looked for the job too early."""

    async def story() -> World:
        world = World(jobs=(jobs := SlowJobs()), store=(store := FailingStore(None)))
        jobs.clock = world.clock

        async def slow(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(NOON + 2 * SECOND)
            store.error = StoreUnavailable("no answer")
            return Succeeded("late")

        world.tasks.answers["A"] = slow
        caught: JsonValue = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
        job = {**task(JOB), "TimeoutSeconds": 1, "Catch": caught, "End": True}
        branch: JsonObject = {"StartAt": "J", "States": {"J": job, "B": {**wait(60), "End": True}}}
        await world.start(side_by_side(branch, alone("A", task())))
        await world.step()
        return world

    world = complete(story)

    assert world.watching.told == [("failed", "StoreUnavailable: no answer")]
    assert world.jobs.submitted == world.jobs.stopped == ["J"]


def test_a_job_whose_runner_died_while_it_submitted_is_stopped_by_whoever_gets_the_message() -> None:
    async def story() -> SlowJobs:
        world = World(jobs=(jobs := SlowJobs()))
        jobs.clock = world.clock
        await world.start(chain(task(JOB)))
        world.queue.receive()  # by a runner that dies with its request on the way
        await world.host.deliver(ARN, StopRequested())
        await world.step()
        jobs.running.add("S0")
        await world.run()
        return jobs

    assert complete(story).running == set()


def test_what_was_not_stopped_in_time_is_handed_on_for_as_long_as_it_takes() -> None:
    """Each runner has too little time, and by then somebody has acknowledged a copy of its message."""

    async def story() -> World:
        world = World(jobs=Jobs(unstoppable="Throttled"))
        world.lambda_time = SECOND // 2
        await world.start(chain(task(JOB)))
        await world.run(until=NOON)
        await world.host.deliver(ARN, StopRequested())
        for _ in range(20):
            received = world.queue.receive()
            world.queue.messages.clear()
            await world.host.handle(received, world.clock.now() + world.lambda_time)
            assert [each.message.only_goes_on for each in world.queue.messages] == [True]
            world.clock.start_at(world.queue.messages[0].visible_at)
        assert world.clock.now() > NOON + 15 * MINUTE
        assert len(world.jobs.stopped) == 20
        world.jobs.unstoppable = None
        await world.run()
        return world

    world = complete(story)

    assert len(world.jobs.stopped) == 21
    assert world.queue.messages == []


def test_an_outage_while_a_job_is_submitted_or_stopped_keeps_the_message_and_fails_no_task() -> None:
    class Unreachable(Jobs):
        outage: Exception | None = StoreUnavailable("no links")

        async def submit(self, call: TaskCall) -> TaskResult:
            if self.outage is not None:
                raise self.outage
            return await super().submit(call)

        async def stop(self, call: TaskCall) -> str | None:
            if self.outage is not None:
                raise self.outage
            return await super().stop(call)

    async def story() -> World:
        world = World(jobs=(jobs := Unreachable()))
        await world.start(chain(task(JOB)))
        await world.step()
        assert [each.message.only_goes_on for each in world.queue.messages] == [False, True]
        await world.run(until=NOON + 10 * MINUTE)
        assert len(world.queue.messages) == 2  # an outage breeds no messages
        jobs.outage = None
        await world.run(until=NOON + 12 * MINUTE)
        assert jobs.submitted == ["S0"]
        jobs.outage = QueueUnavailable("no queue")
        await world.host.deliver(ARN, StopRequested())
        await world.step()
        assert jobs.stopped == []
        jobs.outage = None
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.ABORTED
    assert world.jobs.stopped == ["S0"]
    assert world.queue.messages == []
    assert set(world.watching.told) == {("failed", "StoreUnavailable: no links")}


# Listings


def test_listings_are_brought_up_to_date_by_the_start_and_by_an_end_that_was_not_listed() -> None:
    async def story() -> list[tuple[str, int]]:
        world = World(store=(store := ListedStore()))
        await world.start(chain(task(CALLBACK)))
        await world.run()
        await world.host.deliver(ARN, StopRequested())
        await world.run()
        return store.listed

    assert complete(story) == [("RUNNING", 0), ("ABORTED", 2)]
