"""Starting, delivering and handling: durable before anybody is told, and one bad message harms no other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from asl_engine.errors import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    QueueUnavailable,
    StoreCorrupt,
    StoreUnavailable,
)
from asl_engine.interpreter.events import StopRequested, TaskFailed, TaskHeartbeat, TaskSucceeded
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.runtime.queued.host import Delivered
from asl_engine.runtime.queued.ports import Message
from asl_engine.runtime.tasks import Succeeded, TaskCall, TaskResult
from tests.runtime.queued.stores import FailingStore, PoisonousStore, RacingStore
from tests.runtime.queued.worlds import (
    CALLBACK,
    NOON,
    SECOND,
    World,
    chain,
    complete,
    request,
    task,
    wait,
)

ARN = request().execution_arn


def answer(execution: Execution, output: str = "yes") -> TaskSucceeded:
    waiting = execution.frames["0"].wait
    assert isinstance(waiting, TaskAttempt)
    return TaskSucceeded("0", waiting.wait_id, output)


async def waiting_for_a_callback(*after: str) -> World:
    world = World()
    await world.start(chain(task(CALLBACK), *[task()] * len(after), wait(60)))
    await world.run()
    world.queue.sent.clear()
    world.store.calls.clear()
    return world


def test_a_chain_of_twenty_tasks_costs_21_writes_one_load_one_message_and_no_timer() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(*[task()] * 20))
        world.store.calls.clear()
        await world.run()
        return world

    world = complete(story)

    assert world.watching.records[-1].status is ExecutionStatus.SUCCEEDED
    assert len(world.watching.records) == 21
    assert world.store.calls == {"append": 20, "load": 1}
    assert len(world.queue.sent) == 1
    assert world.queue.messages == []
    assert world.ended == ["run"]


# Start


def test_a_start_is_a_message_before_it_is_a_record() -> None:
    async def story() -> None:
        store = FailingStore(StoreUnavailable("full"))
        world = World(store=store)
        with pytest.raises(StoreUnavailable):
            await world.start(chain(task()))
        store.error = None
        await world.run()
        assert world.execution().status is ExecutionStatus.SUCCEEDED

    complete(story)


def test_nothing_starts_when_the_queue_takes_nothing() -> None:
    async def story() -> None:
        world = World()
        world.queue.unavailable = True
        with pytest.raises(QueueUnavailable):
            await world.start(chain(task()))
        with pytest.raises(ExecutionDoesNotExist):
            await world.store.load(ARN)

    complete(story)


def test_a_name_that_is_taken_is_refused_without_a_message() -> None:
    async def story() -> None:
        world = World()
        await world.start(chain(task()))
        with pytest.raises(ExecutionAlreadyExists):
            await world.host.start(chain(task()), request(seed="another"))
        assert len(world.queue.sent) == 1

    complete(story)


def test_a_request_that_is_repeated_finds_what_it_began() -> None:
    async def story() -> None:
        world = World()
        first = await world.start(chain(task()))
        assert await world.host.start(chain(task()), request()) == first

    complete(story)


@pytest.mark.parametrize(("seed", "wins"), [("seed", True), ("another", False)])
def test_of_two_racing_starts_one_wins_and_the_other_is_told(seed: str, wins: bool) -> None:
    """The other is the engine with this very request's message, or another request."""

    async def story() -> None:
        store = RacingStore()
        world = World(store=store)

        async def another_is_faster() -> None:
            await world.host.start(chain(task()), request(seed=seed))

        store.race = another_is_faster
        if wins:
            assert (await world.start(chain(task()))).sequence == 0
        else:
            with pytest.raises(ExecutionAlreadyExists):
                await world.start(chain(task()))
        await world.run()
        assert world.execution().seed == seed
        assert world.execution().status is ExecutionStatus.SUCCEEDED
        assert world.tasks.performed == ["S0"]
        assert world.queue.messages == []

    complete(story)


# Deliver


def test_an_event_is_applied_at_once_and_what_follows_is_done_by_the_engine() -> None:
    async def story() -> None:
        world = await waiting_for_a_callback("S1")
        delivered = await world.host.deliver(ARN, answer(world.execution()))
        assert delivered == Delivered(True, world.execution())
        assert delivered.execution.frames["0"].state == "S1"
        assert world.tasks.performed == ["S0"]
        await world.step()
        assert world.tasks.performed == ["S0", "S1"]

    complete(story)


def test_the_record_of_a_delivery_sets_the_timer_that_the_engine_sends() -> None:
    async def story() -> None:
        world = await waiting_for_a_callback()
        await world.host.deliver(ARN, answer(world.execution()))
        assert world.execution().timer_at == NOON + 60 * SECOND
        assert [message.timer_at for message in world.queue.sent] == [None]
        await world.step()
        assert [message.timer_at for message in world.queue.sent] == [None, NOON + 60 * SECOND]
        assert world.store.calls["append"] == 1
        await world.run()
        assert world.execution().status is ExecutionStatus.SUCCEEDED

    complete(story)


def test_an_event_that_comes_too_late_sends_nothing() -> None:
    async def story() -> None:
        world = await waiting_for_a_callback()
        event = answer(world.execution())
        await world.host.deliver(ARN, event)
        world.queue.sent.clear()
        assert await world.host.deliver(ARN, event) == Delivered(False, world.execution())
        await world.host.deliver(ARN, StopRequested())
        assert await world.host.deliver(ARN, StopRequested()) == Delivered(False, world.execution())
        assert len(world.queue.sent) == 1

    complete(story)


def test_an_event_after_which_nothing_is_to_be_done_is_no_message() -> None:
    async def story() -> None:
        world = World()
        await world.start(chain(task(CALLBACK, HeartbeatSeconds=60), task()))
        await world.run(until=NOON)
        world.queue.sent.clear()
        world.clock.start_at(NOON + 30 * SECOND)
        waiting = world.execution().frames["0"].wait
        assert isinstance(waiting, TaskAttempt)
        assert (await world.host.deliver(ARN, TaskHeartbeat("0", waiting.wait_id))).applied
        beaten = world.execution().frames["0"].wait
        assert isinstance(beaten, TaskAttempt)
        assert beaten.heartbeat_at == NOON + 90 * SECOND
        assert world.queue.sent == []
        await world.run()
        assert world.execution().status is ExecutionStatus.FAILED
        assert world.execution().stopped_at == NOON + 90 * SECOND

    complete(story)


def test_an_event_to_an_unknown_execution_is_refused() -> None:
    async def story() -> None:
        world = World()
        with pytest.raises(ExecutionDoesNotExist):
            await world.host.deliver(ARN, StopRequested())
        assert world.queue.sent == []

    complete(story)


@pytest.mark.parametrize(("faster", "applied"), [("the engine", True), ("another", False)])
def test_a_delivery_that_lost_its_race_knows_whether_the_engine_was_faster(faster: str, applied: bool) -> None:
    async def story() -> None:
        store = RacingStore()
        world = World(store=store)
        await world.start(chain(task(CALLBACK), task()))
        await world.run()
        event = answer(world.execution())

        async def overtake() -> None:
            if faster == "the engine":
                assert await world.step() == 1
            else:
                await world.host.deliver(ARN, TaskFailed("0", event.wait_id, "No", None))

        store.race = overtake
        world.clock.begin()
        assert (await world.host.deliver(ARN, event)).applied is applied

    complete(story)


# Handle


def test_a_bad_execution_harms_no_other_and_is_failed_at_the_fifth_delivery() -> None:
    async def story() -> World:
        world = World(store=PoisonousStore("bad"))
        await world.start(chain(wait(1), task()), name="bad")
        await world.start(chain(wait(1), task()), name="good")
        await world.run()
        return world

    world = complete(story)

    assert world.execution("good").status is ExecutionStatus.SUCCEEDED
    assert world.execution("good").stopped_at == NOON + 1 * SECOND
    bad = world.execution("bad")
    assert (bad.status, bad.error) == (ExecutionStatus.FAILED, "States.Runtime")
    assert bad.cause is not None
    assert "could not handle a message of this execution in 5 deliveries: ValueError at stores.py:" in bad.cause
    assert "poison" not in bad.cause  # the text of a defect may quote a payload
    assert [kind for kind, _ in world.watching.told] == ["failed"] * 4 + ["poisoned"]
    assert world.queue.messages == []


def test_an_error_of_the_engine_s_own_is_told_with_its_text() -> None:
    async def story() -> World:
        world = World(store=PoisonousStore("bad", StoreCorrupt("no bucket for what does not fit an item")))
        await world.start(chain(wait(1), task()), name="bad")
        await world.run()
        return world

    cause = complete(story).execution("bad").cause
    assert cause is not None
    assert re.search(r": StoreCorrupt at stores\.py:\d+: no bucket for what does not fit an item$", cause)


def test_a_message_that_cannot_even_fail_its_execution_is_left_to_the_dead_letters() -> None:
    async def story() -> World:
        store = FailingStore(None)
        world = World(store=store)
        await world.start(chain(task()))
        store.error = StoreCorrupt("gone")
        for _ in range(7):
            await world.step()
            world.clock.start_at(world.clock.now() + 60 * SECOND)
        return world

    world = complete(story)

    assert len(world.queue.messages) == 1
    assert world.watching.told == [("failed", "StoreCorrupt: gone")] * 7


def test_a_store_that_is_away_poisons_nothing() -> None:
    async def story() -> World:
        store = FailingStore(None)
        world = World(store=store)
        await world.start(chain(task()))
        store.error = StoreUnavailable("away")
        for _ in range(7):
            await world.step()
            world.clock.start_at(world.clock.now() + 60 * SECOND)
        store.error = None
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.watching.told == [("failed", "StoreUnavailable: away")] * 7


def test_an_event_that_overtook_its_execution_is_kept_for_four_deliveries() -> None:
    async def story() -> World:
        world = World()
        await world.queue.send(Message(execution_arn=ARN, owner="early", event=StopRequested("Enough")))
        for _ in range(4):
            await world.step()
            world.clock.start_at(world.clock.now() + 60 * SECOND)
        await world.start(chain(wait(3600)))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.ABORTED
    assert {kind for kind, _ in world.watching.told} == {"failed"}


def test_an_event_to_what_never_came_to_be_is_dropped_and_reported() -> None:
    async def story() -> World:
        world = World()
        await world.queue.send(Message(execution_arn=ARN, owner="lost", event=StopRequested()))
        await world.run()
        return world

    world = complete(story)

    assert [kind for kind, _ in world.watching.told] == ["failed"] * 4 + ["unknown"]
    assert world.queue.messages == []


def test_messages_are_kept_from_other_runners_while_this_one_works() -> None:
    async def story() -> list[int]:
        world = World()
        delivered: list[int] = []

        async def slow(_call: TaskCall) -> TaskResult:
            for _ in range(4):
                await world.clock.sleep_until(world.clock.now() + 25 * SECOND)
                delivered.append(len(world.queue.receive()))
            return Succeeded("at last")

        world.tasks.answers["S0"] = slow
        world.lambda_time = 600 * SECOND
        await world.start(chain(task()))
        await world.run()
        assert world.execution().status is ExecutionStatus.SUCCEEDED
        return delivered

    assert complete(story) == [0, 0, 0, 0]


def test_what_was_received_together_is_given_a_minute_at_once_and_in_one_request() -> None:
    """The queue itself would keep it for a quarter of an hour."""

    async def story() -> tuple[World, int]:
        world = World()
        for name in ("one", "two", "three"):
            await world.start(chain(task()), name=name)

        async def killed(_call: TaskCall) -> TaskResult:
            await asyncio.Event().wait()
            raise AssertionError("it waits for ever")

        world.tasks.answers["S0"] = killed
        received = world.queue.receive()
        began_at = world.clock.now()
        runner = asyncio.create_task(world.host.handle(received, began_at + 600 * SECOND))
        for _ in range(20):
            await asyncio.sleep(0)
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
        assert world.queue.extended == [tuple(each.receipt for each in received)]
        world.tasks.answers.clear()
        (again,) = {each.visible_at for each in world.queue.messages}
        await world.run()
        return world, again - began_at

    world, away = complete(story)

    assert away == 60 * SECOND
    assert sorted(world.ended) == ["one", "three", "two"]


def test_what_could_not_be_handled_comes_back_within_a_minute() -> None:
    async def story() -> None:
        world = World()
        await world.queue.send(Message(execution_arn=ARN, owner="overtook its start", event=StopRequested("Enough")))

        async def slow(receipts: Sequence[str], seconds: int) -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            await extend(receipts, seconds)

        extend, world.queue.extend = world.queue.extend, slow  # type: ignore[method-assign]
        await world.step()
        assert [each.visible_at for each in world.queue.messages] == [NOON + 60 * SECOND]

    complete(story)


def test_messages_whose_visibility_cannot_be_extended_are_handled_all_the_same() -> None:
    async def story() -> World:
        world = World()

        async def slow(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(NOON + 50 * SECOND)
            return Succeeded("at last")

        world.tasks.answers["S0"] = slow
        await world.start(chain(task()))
        world.queue.unavailable = True
        await world.run()
        return world

    assert complete(story).execution().status is ExecutionStatus.SUCCEEDED


def test_an_early_timer_that_cannot_be_sent_on_is_kept() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(wait(3600)))
        await world.step()
        [queued] = world.queue.messages
        queued.visible_at = NOON
        world.queue.unavailable = True
        await world.step()
        assert world.queue.messages == [queued]
        assert world.watching.told == [("failed", "QueueUnavailable: no answer")]
        world.queue.unavailable = False
        await world.run()
        return world

    assert complete(story).execution().stopped_at == NOON + 3600 * SECOND


def test_the_other_messages_of_a_poisoned_execution_are_handled_alone() -> None:
    async def story() -> World:
        world = World(store=PoisonousStore("run"))
        await world.start(chain(wait(1)))
        await world.step()
        world.clock.start_at(NOON + 1 * SECOND)
        await world.queue.send(Message(execution_arn=ARN, owner="stop", event=StopRequested("Enough")))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.ABORTED
    assert world.queue.messages == []


def test_no_messages_are_no_work() -> None:
    assert complete(lambda: World().host.handle([], NOON)) == frozenset()


def test_a_message_whose_execution_is_over_is_acknowledged() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(task()))
        await world.run()
        await world.queue.send(Message(execution_arn=ARN, owner="late", event=StopRequested()))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.queue.messages == []
    assert world.ended == ["run"]
