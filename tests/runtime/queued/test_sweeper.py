"""The net under the protocol finds what stands still, moves it, and finds nothing in a healthy system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from asl_engine.errors import StoreCorrupt, StoreUnavailable
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.queued import sweeper
from asl_engine.runtime.queued.sweeper import QUIET_MILLISECONDS, Finding, Reason, sweep
from asl_engine.runtime.tasks import Succeeded
from tests.runtime.queued.stores import FailingStore
from tests.runtime.queued.worlds import (
    CALLBACK,
    JOB,
    NOON,
    SECOND,
    CountingStore,
    Jobs,
    World,
    chain,
    complete,
    request,
    task,
    wait,
)

ARN = request().execution_arn


def loop(rounds: int) -> StateMachine:
    return compile_definition(
        {
            "StartAt": "Count",
            "QueryLanguage": "JSONata",
            "States": {
                "Count": {"Type": "Pass", "Assign": {"n": "{% $exists($n) ? $n + 1 : 1 %}"}, "Next": "More"},
                "More": {
                    "Type": "Choice",
                    "Choices": [{"Condition": f"{{% $n < {rounds} %}}", "Next": "Count"}],
                    "Default": "Last",
                },
                "Last": {"Type": "Succeed"},
            },
        }
    )


async def forgotten(world: World, machine: StateMachine, steps: int) -> None:
    """An execution whose messages are all lost after some steps."""
    await world.start(machine)
    for _ in range(steps):
        await world.step()
    world.queue.messages.clear()


LOST = [
    pytest.param(chain(task(), wait(1)), 0, Reason.LOST_ATTEMPT, id="attempt"),
    pytest.param(loop(2000), 0, Reason.NOT_CONTINUED, id="continue"),
    pytest.param(chain(wait(60), task()), 1, Reason.LOST_TIMER, id="timer"),
    pytest.param(chain(task(CALLBACK, TimeoutSeconds=60)), 1, Reason.LOST_TIMER, id="time-out of a callback"),
    pytest.param(chain(task(JOB)), 1, Reason.LOST_TIMER, id="look at a job"),
]


@pytest.mark.parametrize(("machine", "steps", "reason"), LOST)
def test_what_was_lost_is_found_and_moved(machine: StateMachine, steps: int, reason: Reason) -> None:
    async def story() -> World:
        world = World(jobs=Jobs(ends={"S0": Succeeded({})}))
        await forgotten(world, machine, steps)
        world.clock.start_at(NOON + QUIET_MILLISECONDS + 60 * SECOND)
        report = await sweep(world.wiring)
        assert report.findings == (Finding(ARN, reason),)
        assert report.looked_at == 1
        await world.run()
        return world

    assert complete(story).execution().status is not ExecutionStatus.RUNNING


def test_a_timer_that_was_never_set_is_set() -> None:
    """No crash leads here; a runner of another version might."""

    async def story() -> World:
        world = World()
        await forgotten(world, chain(wait(86_400)), 1)
        journal = world.store.journal(ARN)
        journal[-1] = replace(journal[-1], execution_fields={**journal[-1].execution_fields, "timer_at": None})
        world.clock.start_at(NOON + QUIET_MILLISECONDS + 60 * SECOND)
        assert [finding.reason for finding in (await sweep(world.wiring)).findings] == [Reason.NO_TIMER]
        await world.run()
        return world

    assert complete(story).execution().stopped_at == NOON + 86_400 * SECOND


async def waiting_for_long(world: World) -> None:
    await world.start(chain(wait(864_000)))
    await world.run(until=NOON)


async def waiting_for_somebody(world: World) -> None:
    await world.start(chain(task(CALLBACK)))
    await world.run()


async def with_a_job(world: World) -> None:
    await world.start(chain(task(JOB)))
    await world.run(until=NOON + QUIET_MILLISECONDS + 60 * SECOND)


async def just_begun(world: World) -> None:
    world.clock.start_at(NOON + QUIET_MILLISECONDS)
    await world.start(chain(task()))


async def over(world: World) -> None:
    await world.start(chain(task()))
    await world.run()


@pytest.mark.parametrize("live", [waiting_for_long, waiting_for_somebody, with_a_job, just_begun, over])
def test_in_a_healthy_system_it_finds_nothing(live: Callable[[World], Awaitable[None]]) -> None:
    async def story() -> None:
        world = World()
        await live(world)
        world.clock.start_at(NOON + QUIET_MILLISECONDS + 60 * SECOND)
        sent = len(world.queue.sent)
        assert (await sweep(world.wiring)).findings == ()
        assert len(world.queue.sent) == sent

    complete(story)


def test_every_page_of_open_executions_is_looked_at_and_a_broken_one_stops_nothing() -> None:
    async def story() -> None:
        store = FailingStore(None)
        world = World(store=store)
        for number in range(205):
            await world.start(chain(wait(864_000)), name=f"run{number}")
        await world.run(until=NOON)
        world.clock.start_at(NOON + QUIET_MILLISECONDS + 60 * SECOND)
        assert (await sweep(world.wiring)).looked_at == 205
        store.error = StoreCorrupt("damaged")
        report = await sweep(world.wiring)
        assert [finding.reason for finding in report.findings] == [Reason.UNREADABLE] * 205

    complete(story)


def test_while_the_queue_is_behind_nothing_is_sent_and_no_task_is_performed_once_more() -> None:
    """The messages wait: no runner took one for an hour."""

    async def story() -> World:
        world = World()
        for number in range(5):
            await world.start(chain(task()), name=f"run{number}")
        for sweeps in range(6):
            world.clock.start_at(NOON + QUIET_MILLISECONDS + 300 * SECOND * (sweeps + 1))
            report = await sweep(world.wiring)
            assert report.queue_is_behind
            assert [each.is_repaired for each in report.findings] == [False] * 5
        await world.run()
        return world

    assert complete(story).tasks.performed == ["S0"] * 5


def test_a_queue_that_is_no_longer_than_what_runners_have_in_hand_is_not_behind() -> None:
    """Under traffic a message or two always wait."""

    async def story() -> None:
        world = World()
        await forgotten(world, chain(task()), 0)
        world.clock.start_at(NOON + QUIET_MILLISECONDS + 60 * SECOND)
        await world.start(chain(task()), name="in hand")
        world.queue.receive()
        await world.start(chain(task()), name="waits")
        assert (await sweep(world.wiring)).findings == (Finding(ARN, Reason.LOST_ATTEMPT),)

    complete(story)


def test_a_sweep_repairs_no_more_than_its_bound_and_the_next_ones_do_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "REPAIRS_MAX", 2)

    async def story() -> World:
        world = World()
        for number in range(5):
            await without_messages(world, f"run{number}")
        for unrepaired in (3, 1, 0):
            world.clock.start_at(world.clock.now() + QUIET_MILLISECONDS + 60 * SECOND)
            findings = (await sweep(world.wiring)).findings
            assert [each.is_repaired for each in findings].count(False) == unrepaired
            await world.run()
        return world

    assert complete(story).tasks.performed == ["S0"] * 5


async def without_messages(world: World, name: str) -> None:
    await world.start(chain(task()), name=name)
    world.queue.messages.clear()


class Places(CountingStore):
    """Lists what is open by places, and says how many loads were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.loading = self.loading_at_once = 0

    async def open_executions(self, after: str = "") -> AsyncIterator[tuple[str, str]]:
        for summary in sorted(await self.executions(ExecutionStatus.RUNNING), key=lambda each: each.arn):
            if summary.arn > after:
                yield summary.arn, summary.arn

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        self.loading += 1
        self.loading_at_once = max(self.loading_at_once, self.loading)
        await asyncio.sleep(0)
        self.loading -= 1
        return await super().load(execution_arn, held)


@pytest.mark.parametrize("store", [Places(), CountingStore()], ids=["by places", "newest first"])
def test_fifty_are_loaded_at_once_and_another_sweep_goes_on_where_the_deadline_stopped_one(
    store: CountingStore,
) -> None:
    async def story() -> None:
        world = World(store=store)
        for number in range(120):
            await world.start(chain(wait(864_000)), name=f"run{number:03}")
        now, wiring = world.clock.now(), world.wiring
        loads = store.calls["load"] = 0

        def later() -> int:
            """Time passes with every fifty loads."""
            return now + store.calls["load"] // 50

        world.clock.now = later  # type: ignore[method-assign]
        parts, after = [], ""
        for deadline in (now + 1, now + 2, now + 9):
            report = await sweep(wiring, after=after, deadline=deadline)
            parts.append((report.looked_at, store.calls["load"] - loads))
            loads, after = store.calls["load"], report.stopped_at or ""
        assert parts == [(50, 50), (50, 50), (20, 20)]
        assert report.stopped_at is None
        if isinstance(store, Places):
            assert store.loading_at_once == 50

    complete(story)


def test_what_cannot_be_loaded_now_ends_the_sweep() -> None:
    async def story() -> None:
        world = World(store=FailingStore(None))
        await world.start(chain(wait(864_000)))

        async def unavailable(execution_arn: str, held: Execution | None = None) -> Execution:
            raise StoreUnavailable(f"no answer about {execution_arn}")

        world.store.load = unavailable  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailable):
            await sweep(world.wiring)

    complete(story)
