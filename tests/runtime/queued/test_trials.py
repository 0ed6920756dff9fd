"""What kills whoever handles it is isolated, and nothing else is: not what an outage brings back again and again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from asl_engine.errors import StoreCorrupt, StoreUnavailable
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.ports import Message
from asl_engine.runtime.queued.trials import MemoryTrials, Trial
from asl_engine.runtime.tasks import Succeeded, TaskCall, TaskResult
from tests.runtime.queued.mortal import MortalWorld
from tests.runtime.queued.stores import FailingStore
from tests.runtime.queued.worlds import NOON, SECOND, World, chain, complete, request, task

MINUTE = 60 * SECOND


class DeadlyWorld(MortalWorld):
    """Whoever performs a task of the execution `bad` dies; of `slow`, waits for a minute and a half first."""

    lambda_time = 600 * SECOND
    sets_aside = True

    def __init__(self) -> None:
        super().__init__((), lambda _tasks, _jobs: None)
        self.tasks.answers["S0"] = self._perform
        self.kills: list[int] = []
        self.loading_kills = self.ending_kills = False
        load = self.store.load

        async def deadly(execution_arn: str, held: Execution | None = None) -> Execution:
            kills = self.loading_kills and execution_arn.endswith("bad")
            return await (self.kill() if kills else load(execution_arn, held))

        self.store.load = deadly  # type: ignore[method-assign]

    async def begin(self, *names: str) -> None:
        for name in names:
            assert await self.fate.live(self.process().start(chain(task()), request(name))) is not None

    async def kill(self) -> Execution:
        self.kills.append((self.clock.now() - NOON) // SECOND)
        assert self.fate.death is not None
        self.fate.death.set_result(None)
        await asyncio.get_running_loop().create_future()
        raise AssertionError("it is dead")

    async def _end(self, execution: Execution) -> None:
        if self.ending_kills:
            await self.kill()
        await super()._end(execution)

    async def _perform(self, call: TaskCall) -> TaskResult:
        if call.execution_name == "slow":
            await self.clock.sleep_until(self.clock.now() + 90 * SECOND)
        if call.execution_name == "bad":
            await self.kill()
        return Succeeded(call.execution_name)


def test_what_killed_five_processes_fails_its_execution_and_its_neighbours_go_on() -> None:
    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        await world.begin("good", "bad", "better")
        await world.run()
        return world

    world = complete(story)

    bad = world.execution("bad")
    assert (bad.status, bad.error) == (ExecutionStatus.FAILED, "States.Runtime")
    assert bad.cause == (
        "The engine could not handle a message of this execution in 5 deliveries: RunnerDied: each process that "
        "handled it ended before it was done, the last one in request 7: out of memory, out of time, or killed. The "
        "log of the function engine, or of the worker, says which"
    )
    assert world.kills == [0, 60, 120, 180, 240]
    for name in ("good", "better"):
        neighbour = world.execution(name)
        assert neighbour.status is ExecutionStatus.SUCCEEDED
        assert neighbour.stopped_at is not None
        assert neighbour.stopped_at <= NOON + 3 * MINUTE
    assert [kind for kind, _ in world.watching.told] == ["poisoned"]
    assert set(world.ended) == {"bad", "better", "good"}
    assert (world.queue.messages, world.trials.noted) == ([], {})


def test_what_came_with_a_suspect_is_given_back_at_once_and_is_not_touched_by_its_death() -> None:
    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        await world.begin("bad")
        await world.run(until=NOON + MINUTE)
        world.clock.start_at(NOON + 2 * MINUTE)
        await world.begin("good")
        await world.step()
        assert [each.visible_at for each in world.queue.messages if each.deliveries == 1] == [world.clock.now()]
        await world.step()
        return world

    world = complete(story)

    assert world.execution("good").stopped_at == NOON + 2 * MINUTE
    assert world.execution("bad").status is ExecutionStatus.RUNNING


def test_suspects_are_handled_one_after_another_as_long_as_nobody_else_has_them() -> None:
    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        await world.begin("slow", "good")
        for each in world.queue.receive():
            await world.trials.put(each.id, Trial(count=2, is_open=True))
        world.clock.start_at(NOON + 900 * SECOND)
        await world.step()
        return world

    world = complete(story)

    assert world.execution("slow").status is ExecutionStatus.SUCCEEDED
    assert world.execution("good").status is ExecutionStatus.RUNNING  # it was visible again for half a minute
    assert [each.message.execution_arn.rpartition(":")[2] for each in world.queue.messages] == ["good"]
    assert len(world.trials.noted) == 1


def test_what_cannot_even_be_failed_alive_is_set_aside() -> None:
    """Loading its journal is what kills."""

    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        await world.begin("bad")
        world.loading_kills = True
        await world.run()
        return world

    world = complete(story)

    assert len(world.kills) == 10
    assert [reason.partition(":")[0] for _, reason in world.set_aside] == ["RunnerDied"]
    assert [kind for kind, _ in world.watching.told] == ["set aside"]
    assert (world.queue.messages, world.trials.noted) == ([], {})


class CountingTrials(MemoryTrials):
    """Counts what it is asked, and fails while `error` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.error: Exception | None = None

    async def get(self, message_id: str) -> Trial | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return await super().get(message_id)


def test_a_first_delivery_asks_for_nothing() -> None:
    async def story() -> int:
        world = World()
        world.wiring = replace(world.wiring, trials=(trials := CountingTrials()))
        world.host = QueuedHost(world.wiring)
        await world.start(chain(task(), task()))
        await world.run()
        assert world.execution().status is ExecutionStatus.SUCCEEDED
        return trials.asked

    assert complete(story) == 0


def test_an_outage_counts_for_nothing_however_often_it_brings_a_message_back() -> None:
    async def story() -> World:
        store = FailingStore(None)
        world = World(store=store)
        await world.start(chain(task()))
        store.error = StoreUnavailable("away")
        for _ in range(12):
            await world.step()
            assert world.trials.noted == {}
            world.clock.start_at(world.clock.now() + MINUTE)
        store.error = ValueError("one defect, after all that")
        await world.step()
        store.error = None
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.trials.noted == {}


def test_deliveries_that_nobody_began_count_for_nothing() -> None:
    """A throttled function hands messages back that it has never seen."""

    async def story() -> World:
        world = World()
        await world.start(chain(task()))
        for _ in range(15):
            world.queue.receive()
            world.clock.start_at(world.clock.now() + 900 * SECOND)
        await world.run()
        return world

    assert complete(story).execution().status is ExecutionStatus.SUCCEEDED


def test_a_message_whose_trial_cannot_be_noted_is_left() -> None:
    async def story() -> World:
        world = World()
        world.wiring = replace(world.wiring, trials=(trials := CountingTrials()))
        world.host = QueuedHost(world.wiring)
        await world.start(chain(task()))
        world.queue.receive()
        world.clock.start_at(NOON + 900 * SECOND)
        trials.error = StoreUnavailable("away")
        await world.step()
        assert world.tasks.performed == []
        trials.error = None
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.watching.told == [("failed", "StoreUnavailable: away")]


@pytest.mark.parametrize("reason", ["no extension", "the deadline"])
def test_a_runner_that_may_lose_its_message_to_another_says_that_it_lives(reason: str) -> None:
    async def story() -> dict[str, Trial]:
        world = World()
        noted: dict[str, Trial] = {}

        async def slow(_call: TaskCall) -> TaskResult:
            noted.update(world.trials.noted)
            await world.clock.sleep_until(world.clock.now() + 50 * SECOND)
            assert world.trials.noted == {}
            return Succeeded("at last")

        world.tasks.answers["S0"] = slow
        await world.start(chain(task()))
        world.queue.receive()
        world.clock.start_at(NOON + 900 * SECOND)
        received = world.queue.receive()
        if reason == "no extension":
            world.queue.unavailable = True
        seconds = 600 if reason == "no extension" else 40
        await world.host.handle(received, world.clock.now() + seconds * SECOND, "in request 7")
        return noted

    assert complete(story) == {"id-1": Trial(count=2, is_open=True, runner="in request 7")}


@pytest.mark.parametrize("is_away", [False, True])
def test_an_unreadable_journal_is_set_aside_at_the_fifth_delivery(is_away: bool) -> None:
    async def story() -> World:
        store = FailingStore(None)
        world = World(store=store)
        world.sets_aside = True
        world.host = QueuedHost(world.wire())
        await world.start(chain(task()))
        store.error = StoreCorrupt("its body is missing")
        for delivery in range(1, 6):
            assert world.set_aside == []
            world.queue.unavailable = is_away and delivery == 5
            await world.step()
            world.clock.start_at(world.clock.now() + 900 * SECOND)
        world.queue.unavailable = False
        await world.step()
        return world

    world = complete(story)

    assert world.set_aside == [("m1", "StoreCorrupt: its body is missing")]
    assert world.watching.told[-1] == ("set aside", "StoreCorrupt: its body is missing")
    assert len(world.watching.told) == 5 + is_away
    assert (world.queue.messages, world.trials.noted) == ([], {})


def test_a_queue_that_is_away_keeps_a_poisonous_message() -> None:
    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        await world.begin("bad")
        await world.run(until=NOON + 4 * MINUTE)
        world.queue.unavailable = True
        world.clock.start_at(NOON + 5 * MINUTE)
        await world.step()
        assert [kind for kind, _ in world.watching.told] == ["failed"]
        assert world.set_aside == []
        world.queue.unavailable = False
        await world.run()
        return world

    world = complete(story)

    assert len(world.kills) == 5
    assert world.execution("bad").status is ExecutionStatus.FAILED


def test_what_kills_after_the_end_of_its_execution_is_set_aside() -> None:
    """It is not dropped: nobody has told whoever waits for the end."""

    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        world.ending_kills = True
        await world.begin("good")
        await world.run()
        return world

    world = complete(story)

    assert world.execution("good").status is ExecutionStatus.SUCCEEDED
    assert len(world.kills) == 10
    assert [reason.partition(":")[0] for _, reason in world.set_aside] == ["RunnerDied"]
    assert [kind for kind, _ in world.watching.told] == ["set aside"]


def test_what_has_killed_is_handled_once_its_execution_has_ended() -> None:
    async def story() -> DeadlyWorld:
        world = DeadlyWorld()
        world.ending_kills = True
        await world.begin("good")
        await world.run(until=NOON + 4 * MINUTE)
        world.ending_kills = False
        await world.run()
        return world

    world = complete(story)

    assert (len(world.kills), world.ended, world.watching.told) == (5, ["good"], [])
    assert (world.queue.messages, world.trials.noted) == ([], {})


def test_a_start_that_cannot_be_handled_is_set_aside_with_the_reason() -> None:
    async def story() -> World:
        world = World()
        world.sets_aside = True
        world.host = QueuedHost(world.wire())
        await world.queue.send(
            Message(execution_arn=request().execution_arn, owner="m1", start=request(), definition_sha256="gone")
        )
        await world.run()
        return world

    assert complete(story).set_aside == [("m1", "StoreCorrupt: the definition gone is not in this store")]
