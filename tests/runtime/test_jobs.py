"""Jobs followed to their end: found again after a restart, stopped when their result no longer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.jobs import FollowedJobs, JobLink, MemoryJobLinks
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.sqlite import SqliteStore
from tests.runtime.task_calls import NOON, task_call

JOB = "arn:aws:states:::batch:submitJob.sync"
HOUR = 3_600_000

T = TypeVar("T")


def complete(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(story, timeout=20))


class Fleet:
    """A service of jobs that outlives the processes that use it. `lasts` is in milliseconds; None is for ever."""

    def __init__(self, clock: VirtualClock, lasts: int | None = HOUR) -> None:
        self.clock, self.lasts = clock, lasts
        self.started_at: dict[str, int] = {}
        self.looks: list[int] = []
        self.stopped: list[str] = []
        self.reason: str | None = None
        self.result: TaskResult | None = None  # of submitting
        self.holding: asyncio.Event | None = None

    def handles(self, _call: TaskCall) -> bool:
        return True

    async def submit(self, call: TaskCall) -> TaskResult:
        if self.holding is not None:
            await self.holding.wait()
        if self.result is not None:
            return self.result
        self.started_at.setdefault(call.idempotency_key, self.clock.now())
        return Submitted({"JobId": call.attempt.wait_id})

    async def look(self, call: TaskCall) -> TaskResult | None:
        self.looks.append(self.clock.now())
        if self.lasts is None or self.clock.now() < self.started_at[call.idempotency_key] + self.lasts:
            return None
        return Succeeded({"Status": "SUCCEEDED"})

    async def stop(self, call: TaskCall) -> str | None:
        if call.idempotency_key in self.started_at:
            self.stopped.append(call.attempt.state_name)
        return self.reason

    async def close(self) -> None:
        """Nothing is held."""


def job(**fields: JsonValue) -> JsonObject:
    return {"Type": "Task", "Resource": JOB, "End": True, **fields}


def machine(**states: JsonValue) -> JsonObject:
    return {"StartAt": next(iter(states)), "States": states}


REQUEST = StartRequest(
    name="run", input={}, state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:machine", seed="seed"
)


def host_on(
    store: ExecutionStore, fleet: Fleet, clock: VirtualClock, unstopped: list[str] | None = None
) -> InProcessHost:
    told = unstopped if unstopped is not None else []
    jobs = FollowedJobs(fleet, clock, lambda call, reason: told.append(f"{call.attempt.state_name}: {reason}"))
    return InProcessHost(store, jobs, clock)


async def _history(store: ExecutionStore, arn: str) -> list[str]:
    return [event.type async for event in store.history(arn)]


def test_a_job_is_looked_at_less_and_less_often_until_it_is_over() -> None:
    async def story() -> None:
        clock, store = VirtualClock(NOON), MemoryStore()
        fleet = Fleet(clock)
        host = host_on(store, fleet, clock)
        live = await host.start(compile_definition(machine(Job=job())), REQUEST)
        execution = await host.until_over(live)
        await host.close()
        assert (execution.status, execution.output) == (ExecutionStatus.SUCCEEDED, {"Status": "SUCCEEDED"})
        pauses = [after - before for before, after in zip(fleet.looks, fleet.looks[1:], strict=False)]
        assert pauses == sorted(pauses), "they only grow"
        assert (pauses[0], pauses[-1]) == (1_000, 30_000)
        assert NOON + HOUR <= clock.now() <= NOON + HOUR + 30_000
        assert not fleet.stopped

    complete(story())


def test_a_job_that_cannot_be_looked_at_runs_as_far_as_anybody_knows(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> TaskResult:
        clock = VirtualClock(NOON)

        class Unseen(Fleet):
            async def look(self, call: TaskCall) -> TaskResult | None:
                result = await super().look(call)
                if len(self.looks) < 3:
                    raise PermissionError("no batch:DescribeJobs")
                return result

        clock.begin()
        return await FollowedJobs(Unseen(clock), clock).perform(task_call(JOB))

    assert complete(story()) == Succeeded({"Status": "SUCCEEDED"})
    assert caplog.text.count("could not look at arn:aws:states:::batch:submitJob.sync") == 2


def test_history_says_that_the_job_was_submitted_before_it_ended() -> None:
    async def story() -> list[str]:
        clock, store = VirtualClock(NOON), MemoryStore()
        host = host_on(store, Fleet(clock), clock)
        live = await host.start(compile_definition(machine(Job=job())), REQUEST)
        await host.until_over(live)
        await host.close()
        return await _history(store, REQUEST.execution_arn)

    history = complete(story())
    assert history[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_a_job_that_is_refused_or_over_at_once_is_not_looked_at() -> None:
    async def story(result: TaskResult) -> TaskResult:
        clock = VirtualClock(NOON)
        fleet = Fleet(clock)
        fleet.result = result
        performed = await FollowedJobs(fleet, clock).perform(task_call(JOB))
        assert not fleet.looks
        return performed

    for result in (Succeeded({}), Failed("Batch.ClientException", "no")):
        assert complete(story(result)) == result


def test_a_job_whose_process_closes_runs_on_and_is_found_again(tmp_path: Path) -> None:
    async def story() -> None:
        clock = VirtualClock(NOON, until=NOON + HOUR // 2)
        fleet = Fleet(clock)
        store = SqliteStore(str(tmp_path / "store"))
        host = host_on(store, fleet, clock)
        live = await host.start(compile_definition(machine(Job=job())), REQUEST)
        await host.until_over(live)
        await host.close()
        assert live.execution.status is ExecutionStatus.RUNNING
        assert not fleet.stopped

        clock.run_free()
        again = host_on(store, fleet, clock)
        execution = await again.until_over(await again.take_up(REQUEST.execution_arn))
        await again.close()
        await store.close()
        assert execution.status is ExecutionStatus.SUCCEEDED
        assert len(fleet.started_at) == 1

    complete(story())


@pytest.mark.parametrize(
    ("definition", "stopped"),
    [
        (machine(Job=job(TimeoutSeconds=60)), ["Job"]),
        (
            machine(
                Fan={
                    "Type": "Parallel",
                    "End": True,
                    "Branches": [
                        machine(Left=job()),
                        machine(Inner={"Type": "Parallel", "End": True, "Branches": [machine(Right=job())]}),
                        machine(Hold={"Type": "Wait", "Seconds": 60, "Next": "Fall"}, Fall={"Type": "Fail"}),
                    ],
                }
            ),
            ["Left", "Right"],
        ),
        (
            machine(
                Each={
                    "Type": "Map",
                    "End": True,
                    "ItemsPath": "$.items",
                    "ItemProcessor": machine(Job=job()),
                }
            )
            | {"TimeoutSeconds": 60},
            ["Job", "Job"],
        ),
    ],
    ids=["its own timeout", "a failing sibling", "the execution's timeout"],
)
def test_a_job_whose_result_no_longer_counts_is_stopped(definition: JsonObject, stopped: list[str]) -> None:
    async def story() -> None:
        clock = VirtualClock(NOON)
        fleet = Fleet(clock, lasts=None)
        host = host_on(MemoryStore(), fleet, clock)
        request = StartRequest(
            name="run", input={"items": [1, 2]}, state_machine_arn=REQUEST.state_machine_arn, seed="seed"
        )
        execution = await host.until_over(await host.start(compile_definition(definition), request))
        await host.close()
        assert execution.status in {ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT}
        assert sorted(fleet.stopped) == stopped

    complete(story())


def test_a_job_that_cannot_be_stopped_is_reported() -> None:
    async def story() -> list[str]:
        clock = VirtualClock(NOON, until=NOON)
        fleet, unstopped = Fleet(clock), list[str]()
        fleet.reason = "still runs"
        host = host_on(MemoryStore(), fleet, clock, unstopped)
        live = await host.start(compile_definition(machine(Job=job())), REQUEST)
        await host.until_over(live)
        await live.apply(StopRequested("Enough", "of this"))
        await host.close()
        return unstopped

    assert complete(story()) == ["Job: still runs"]


def test_a_job_that_is_being_started_when_it_is_cancelled_is_stopped_too() -> None:
    """The request is on its way: only after its answer is there something to stop."""

    async def story() -> list[str]:
        clock = VirtualClock(NOON)
        fleet = Fleet(clock)
        fleet.holding = asyncio.Event()
        jobs = FollowedJobs(fleet, clock)
        call = replace(task_call(JOB), is_over=lambda: True)
        performing = asyncio.get_running_loop().create_task(jobs.perform(call))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        performing.cancel()
        await asyncio.gather(performing, return_exceptions=True)
        assert not fleet.stopped
        fleet.holding.set()
        await jobs.close()
        return fleet.stopped

    assert complete(story()) == ["Charge"]


def test_a_stop_that_breaks_is_reported_as_well(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        clock = VirtualClock(NOON, until=NOON)

        class Broken(Fleet):
            async def stop(self, call: TaskCall) -> str | None:
                raise ValueError(call.attempt.state_name)

        host = InProcessHost(MemoryStore(), FollowedJobs(Broken(clock), clock), clock)
        live = await host.start(compile_definition(machine(Job=job())), REQUEST)
        await host.until_over(live)
        await live.apply(StopRequested())
        await host.close()

    complete(story())
    assert "could not stop arn:aws:states:::batch:submitJob.sync" in caplog.text
    assert "ValueError: Job" in caplog.text


def test_links_lead_both_ways_and_the_oldest_are_forgotten() -> None:
    async def story() -> None:
        links = MemoryJobLinks(links_max=2)
        attempts = [JobLink.of(task_call(JOB, wait_id=wait_id)) for wait_id in (1, 2, 3)]
        for index, attempt in enumerate(attempts):
            await links.put(f"batch/{index}", attempt)
        await links.put("batch/2", attempts[2])
        assert [await links.link_of(f"batch/{index}") for index in range(3)] == [None, *attempts[1:]]
        assert [await links.job_of(attempt) for attempt in attempts] == [None, "batch/1", "batch/2"]

    complete(story())
