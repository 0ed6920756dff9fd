"""What a runner does with an execution while it has it, and what it leaves to the next."""

from __future__ import annotations

import asyncio

import pytest

from asl_engine.errors import StoreUnavailable
from asl_engine.interpreter.events import StopRequested, TaskSucceeded
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.queued.ports import Message
from asl_engine.runtime.tasks import Submitted, Succeeded, Taken, TaskCall, TaskResult
from tests.runtime.queued.stores import FailingStore, RacingStore, SlowStore, UnansweredStore
from tests.runtime.queued.worlds import (
    CALLBACK,
    FUNCTION,
    NOON,
    SECOND,
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


# Timers


def test_a_wait_is_parked_and_goes_on_at_its_moment() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(wait(3600), task()))
        await world.run()
        return world

    world = complete(story)

    assert world.clock.now() == NOON + 3600 * SECOND
    assert [each.status for each in world.watching.records] == ["RUNNING", "RUNNING", "SUCCEEDED"]
    assert timers(world) == [NOON + 3600 * SECOND]
    assert world.store.calls["append"] == 3


def test_a_task_that_is_awaited_here_is_timed_out_here_without_a_durable_timer() -> None:
    async def story() -> World:
        async def hangs(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(NOON + 3600 * SECOND)
            return Succeeded("too late")

        world = World(Tasks({"S0": hangs}))
        await world.start(chain(task(TimeoutSeconds=7, Catch=CAUGHT), task()))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.execution().stopped_at == NOON + 7 * SECOND
    assert timers(world) == []


def test_one_timer_covers_all_that_waits_longer() -> None:
    """Ten callbacks one after the other, an hour each: a timer for the first, then one for what is open."""

    async def story() -> World:
        world = World()
        await world.start(chain(*[task(CALLBACK, TimeoutSeconds=3600)] * 10))
        for minute in range(1, 10):
            await world.run(until=NOON + minute * MINUTE)
            world.clock.start_at(NOON + minute * MINUTE)
            await world.host.deliver(ARN, TaskSucceeded("0", attempt_of(world.execution()).wait_id, minute))
        await world.run(until=NOON + 3600 * SECOND)
        return world

    world = complete(story)

    assert timers(world) == [NOON + 3600 * SECOND, NOON + 9 * MINUTE + 3600 * SECOND]
    assert world.execution().timer_at == NOON + 9 * MINUTE + 3600 * SECOND


def test_a_superseded_timer_does_nothing_and_starts_no_chain() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(task(CALLBACK, TimeoutSeconds=3600), wait(10), task(CALLBACK, TimeoutSeconds=36000)))
        await world.run(until=NOON)
        await world.host.deliver(ARN, TaskSucceeded("0", attempt_of(world.execution()).wait_id, {}))
        await world.run(until=NOON + 60 * SECOND)
        assert len(timers(world)) == 3
        written = world.execution().sequence
        await world.run(until=NOON + 3600 * SECOND)
        assert world.clock.now() == NOON + 3600 * SECOND
        assert world.execution().sequence == written
        return world

    world = complete(story)

    assert len(timers(world)) == 3
    assert len(world.queue.messages) == 1


def test_copies_of_a_timer_end_with_the_first() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(wait(60), wait(60), task()))
        await world.run(until=NOON)
        for number in range(5):
            message = Message(execution_arn=ARN, owner=f"copy{number}", timer_at=NOON + 60 * SECOND)
            await world.queue.send_at(message, NOON + 60 * SECOND, NOON)
        await world.run(until=NOON + 60 * SECOND)
        assert len(world.queue.messages) == 1
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.store.calls["append"] == 4


def test_a_timer_that_is_a_little_early_is_waited_for() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(wait(60), task()))
        await world.run(until=NOON)
        [queued] = world.queue.messages
        queued.visible_at -= 4 * SECOND
        await world.run()
        return world

    world = complete(story)

    assert world.execution().stopped_at == NOON + 60 * SECOND
    assert len(timers(world)) == 1


async def early(world: World, *after: JsonObject) -> None:
    """The timer that is set for an hour later comes after a minute."""
    await world.start(chain(task(CALLBACK, TimeoutSeconds=3600), *after))
    await world.run(until=NOON)
    [queued] = world.queue.messages
    queued.visible_at = NOON + 60 * SECOND


def test_a_timer_that_is_much_too_early_is_sent_on_without_a_record() -> None:
    async def story() -> World:
        world = World()
        await early(world)
        written = world.store.calls["append"]
        await world.run(until=NOON + 60 * SECOND)
        assert world.store.calls["append"] == written
        await world.run()
        return world

    world = complete(story)

    assert world.execution().stopped_at == NOON + 3600 * SECOND
    assert timers(world) == [NOON + 3600 * SECOND] * 2


def test_a_superseded_timer_that_is_much_too_early_is_not_sent_on() -> None:
    async def story() -> World:
        world = World()
        await early(world, wait(10), task(CALLBACK))
        await world.host.deliver(ARN, TaskSucceeded("0", attempt_of(world.execution()).wait_id, {}))
        await world.run()
        return world

    world = complete(story)

    assert world.clock.now() == NOON + 60 * SECOND
    assert timers(world) == [NOON + 3600 * SECOND, NOON + 10 * SECOND]


def test_a_clock_that_is_behind_the_journal_loses_no_timeout() -> None:
    """The runner that wrote last was five minutes ahead."""

    async def story() -> World:
        world = World()
        world.clock.start_at(NOON + 300 * SECOND)
        await world.start(chain(wait(60), task()))
        await world.run(until=NOON + 300 * SECOND)
        slow = World(store=world.store)
        slow.queue.messages = world.queue.messages
        await slow.run()
        return slow

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.execution().stopped_at == NOON + 360 * SECOND


# Work


def test_results_that_come_while_a_record_is_written_go_together_into_the_next() -> None:
    async def story() -> World:
        world = World(store=(store := RacingStore()))
        items: list[JsonValue] = list(range(10))
        each: JsonObject = {
            "Type": "Map",
            "ItemProcessor": alone("Work", task()),
            "ItemsPath": "$.items",
            "End": True,
        }
        await world.start(compile_definition({"StartAt": "Each", "States": {"Each": each}}), {"items": items})
        gate = asyncio.Event()

        async def gated(_call: TaskCall) -> TaskResult:
            if len(world.tasks.performed) > 1:
                await gate.wait()
            return Succeeded("done")

        async def others_finish() -> None:
            gate.set()
            for _ in range(20):
                await asyncio.sleep(0)

        world.tasks.answers["Work"] = gated
        store.race = others_finish
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert [len(each.events) for each in world.watching.records] == [0, 1, 9]


def test_messages_for_one_execution_go_into_one_record_and_the_record_names_them() -> None:
    async def story() -> World:
        world = World()
        await world.start(side_by_side(alone("A", task(CALLBACK)), alone("B", task(CALLBACK)), alone("C", wait(9))))
        await world.run(until=NOON)
        for frame in list(world.execution().frames.values())[1:3]:
            assert frame.wait is not None
            event = TaskSucceeded(frame.id, frame.wait.wait_id, "yes")
            await world.queue.send(Message(execution_arn=ARN, owner=f"by {frame.id}".replace(" ", ""), event=event))
        await world.run(until=NOON)
        return world

    world = complete(story)

    newest = world.store.journal(ARN)[-1]
    assert len(newest.events) == 2
    assert newest.owner.split() == ["by0/3.0", "by0/3.1"]


def test_a_task_that_nothing_performs_fails() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(task(FUNCTION + "unknown")))
        await world.run()
        return world

    execution = complete(story).execution()

    assert (execution.status, execution.error) == (ExecutionStatus.FAILED, "States.Runtime")
    assert execution.cause is not None
    assert "nothing here performs tasks of Resource" in execution.cause


def test_a_performer_that_raises_fails_its_task_only() -> None:
    async def story() -> World:
        async def broken(_call: TaskCall) -> TaskResult:
            raise ValueError("broken")

        world = World(Tasks({"S0": broken}))
        await world.start(chain(task()))
        await world.run()
        return world

    execution = complete(story).execution()

    assert (execution.error, execution.cause) == (
        "States.Runtime",
        "the task could not be performed: ValueError: broken",
    )


def test_an_answer_may_overtake_the_request() -> None:
    """The callback arrives while the request that hands out its token is under way."""

    async def story() -> World:
        async def answered_first(call: TaskCall) -> TaskResult:
            assert (await world.host.deliver(ARN, TaskSucceeded("0", call.attempt.wait_id, "yes"))).applied
            return Submitted({})

        world = World(Tasks({"S0": answered_first}))
        await world.start(chain(task(CALLBACK), task()))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.tasks.performed == ["S0", "S1"]


def test_a_lost_race_performs_nothing_twice() -> None:
    async def story() -> World:
        world = World(store=(store := RacingStore()))
        await world.start(side_by_side(alone("A", task(CALLBACK)), alone("B", {**wait(5)}), alone("C", task())))
        await world.run(until=NOON)
        return await raced(world, store)

    async def raced(world: World, store: RacingStore) -> World:
        attempt = attempt_of(world.execution(), "0/3.0")

        async def answer() -> None:
            await world.host.deliver(ARN, TaskSucceeded("0/3.0", attempt.wait_id, "yes"))

        store.race = answer
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert sorted(world.tasks.performed) == ["A", "C"]
    assert len(world.watching.races) == 1


def test_a_record_that_is_durable_is_told_though_its_write_was_answered_by_an_error() -> None:
    async def story() -> World:
        world = World(store=UnansweredStore())
        await world.start(chain(task(CALLBACK), task()))
        await world.run()
        token = attempt_of(world.execution())
        assert (await world.host.deliver(ARN, TaskSucceeded("0", token.wait_id, "yes"))).applied
        await world.run()
        return world

    world = complete(story)

    assert [each.sequence for each in world.watching.records] == [0, 1, 2, 3]
    assert [each.status for each in world.watching.records[2:]] == ["RUNNING", "SUCCEEDED"]
    assert world.watching.told == []


def test_a_record_that_nobody_has_is_not_taken_for_written() -> None:
    async def story() -> World:
        store = FailingStore(StoreUnavailable("no answer"))
        world = World(store=store)
        with pytest.raises(StoreUnavailable):
            await world.start(chain(task()))
        await world.step()
        return world

    world = complete(story)

    assert world.watching.records == []
    assert world.watching.told == [("failed", "StoreUnavailable: no answer")]


def test_who_has_something_to_say_gets_a_turn_beside_results_that_never_cease() -> None:
    """He reads and then writes, where the runner only writes: he is slower, however little he reads."""

    async def story() -> World:
        world = World(store=(store := SlowStore()))

        async def short(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(world.clock.now() + 40 + len(world.tasks.performed) % 20)
            return Succeeded(None)

        world.tasks.answers["Work"] = short
        each: JsonObject = {"Type": "Map", "MaxConcurrency": 40, "ItemProcessor": alone("Work", task()), "End": True}
        await world.start(compile_definition({"StartAt": "Each", "States": {"Each": each}}), [*range(1_000)])
        store.clock = world.clock
        world.clock.begin()
        running = asyncio.ensure_future(world.step())
        await asyncio.sleep(0)
        await world.clock.sleep_until(NOON + 500)
        assert (await world.host.deliver(ARN, StopRequested())).applied
        world.clock.end()
        await running
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.ABORTED
    assert len(world.watching.races) <= 10


def test_what_is_taken_by_a_worker_is_left_to_him() -> None:
    async def story() -> World:
        world = World(Tasks({"S0": Taken()}))
        await world.start(chain(task("arn:aws:states:us-east-1:123456789012:activity:paint", TimeoutSeconds=60)))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().error == "States.Timeout"
    assert world.execution().stopped_at == NOON + 60 * SECOND


def test_an_execution_that_is_stopped_elsewhere_lets_its_runner_go() -> None:
    async def story() -> World:
        async def stopped_meanwhile(_call: TaskCall) -> TaskResult:
            await world.host.deliver(ARN, StopRequested("Enough"))
            return Succeeded("too late")

        world = World(Tasks({"S0": stopped_meanwhile}))
        await world.start(chain(task(), task()))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.ABORTED
    assert world.tasks.performed == ["S0"]
    assert world.ended == ["run"]
