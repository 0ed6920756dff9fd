"""What a runner whose time is over leaves to the next: everything, and nothing that is in flight if it can help it."""

from __future__ import annotations

import asyncio

import pytest

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.json_value import JsonObject
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.tasks import Succeeded, TaskCall, TaskResult
from tests.runtime.queued.worlds import (
    CALLBACK,
    NOON,
    SECOND,
    Answer,
    Tasks,
    World,
    alone,
    chain,
    complete,
    side_by_side,
    task,
)


def test_before_its_deadline_a_runner_hands_over_what_it_has_in_hand() -> None:
    async def story() -> World:
        async def slow(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(world.clock.now() + (90 if world.tasks.performed == ["S0"] else 30) * SECOND)
            return Succeeded("done")

        world = World(Tasks({"S0": slow}))
        await world.start(chain(task(), task()))
        await world.step()
        return world

    async def whole() -> World:
        world = await story()
        assert world.clock.now() == NOON + 60 * SECOND
        assert [message.only_goes_on for message in world.queue.sent] == [False, True]
        assert {message.owner for message in world.queue.sent} == {"m1"}
        assert len(world.queue.messages) == 1
        await world.run()
        return world

    world = complete(whole)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.tasks.performed == ["S0", "S0", "S1"]


def lasting(world: World, seconds: dict[str, int]) -> dict[str, Answer]:
    """Tasks that take so long."""

    def answer(name: str) -> Answer:
        async def perform(_call: TaskCall) -> TaskResult:
            await world.clock.sleep_until(world.clock.now() + seconds[name] * SECOND)
            return Succeeded(name)

        return perform

    return {name: answer(name) for name in seconds}


def test_in_the_second_half_of_its_time_a_runner_begins_nothing_and_repeats_nothing() -> None:
    async def story() -> World:
        world = World()
        world.tasks.answers = lasting(world, {"S0": 40, "S1": 40, "S2": 40})
        await world.start(chain(task(), task(), task()))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.execution().stopped_at == NOON + 120 * SECOND
    assert world.tasks.performed == ["S0", "S1", "S2"]
    assert [message.only_goes_on for message in world.queue.sent] == [False, True, True]


@pytest.mark.parametrize(
    ("second", "begun_at_once"),
    [
        (task(), False),
        (task(TimeoutSeconds=10), True),
        (task(TimeoutSeconds=100, HeartbeatSeconds=10), True),
        (task(TimeoutSeconds=100), False),
        (task(CALLBACK), True),
    ],
)
def test_what_ends_in_time_is_begun_all_the_same(second: JsonObject, begun_at_once: bool) -> None:
    """Otherwise its time-out might come while it waits for others to end."""

    async def story() -> World:
        world = World()
        world.tasks.answers = lasting(world, {"Long": 55, "First": 35})
        first: JsonObject = {**task(), "Next": "Second"}
        two: JsonObject = {"StartAt": "First", "States": {"First": first, "Second": {**second, "End": True}}}
        await world.start(side_by_side(alone("Long", task()), two))
        await world.step()
        return world

    world = complete(story)

    assert world.clock.now() == NOON + 55 * SECOND
    assert world.tasks.performed == (["Long", "First", "Second"] if begun_at_once else ["Long", "First"])


def test_a_runner_that_is_told_to_hurry_hands_over_what_does_not_end_in_time() -> None:
    async def story() -> World:
        world = World()
        world.lambda_time = 600 * SECOND
        world.tasks.answers = lasting(world, {"Short": 20, "Long": 100})
        short: JsonObject = {
            "StartAt": "Short",
            "States": {"Short": {**task(), "Next": "S1"}, "S1": {**task(), "End": True}},
        }
        await world.start(side_by_side(short, alone("Long", task())))
        world.clock.call_at(NOON + 10 * SECOND, lambda: world.host.hand_over_by(NOON + 30 * SECOND))
        await world.step()
        assert world.clock.now() == NOON + 30 * SECOND
        assert world.tasks.performed == ["Short", "Long"]
        await world.step()
        assert world.clock.now() == NOON + 30 * SECOND
        world.host = QueuedHost(world.wiring)
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.tasks.performed[-2:] == ["S1", "Long"]


def test_an_endless_loop_is_handed_over_and_starves_nobody() -> None:
    async def story() -> World:
        world = World()
        never: JsonObject = {"Variable": "$.never", "IsPresent": True, "Next": "End"}
        states: JsonObject = {
            "Again": {"Type": "Pass", "Next": "Until"},
            "Until": {"Type": "Choice", "Choices": [never], "Default": "Again"},
            "End": {"Type": "Succeed"},
        }
        loop = compile_definition({"StartAt": "Again", "States": states})
        await world.start(loop, name="loop")
        await world.start(chain(task()), name="good")
        received = world.queue.receive()
        deadline = world.clock.now() + 60 * SECOND

        async def late() -> None:
            while world.execution("good").status is ExecutionStatus.RUNNING:
                await asyncio.sleep(0)
            world.clock.start_at(deadline)

        done, _ = await asyncio.gather(world.host.handle(received, deadline), late())
        world.queue.acknowledge(done)
        return world

    world = complete(story)

    assert [message.execution_arn.rpartition(":")[2] for message in world.queue.sent] == ["loop", "good", "loop"]
    assert len(world.queue.messages) == 1
