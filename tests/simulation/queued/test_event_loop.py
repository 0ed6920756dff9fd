"""The simulated event loop runs asyncio as any loop does, without time, and stops a dead process where it stands."""

from __future__ import annotations

import asyncio
from contextvars import copy_context

import pytest

from asl_engine.testing.simulation.queued.event_loop import LIFE, SimulatedLoop, for_ever, pass_time
from asl_engine.testing.simulation.violation import Violation
from asl_engine.testing.simulation.world import World


class Body:
    is_dead = False


def never() -> bool:
    return False


def test_time_jumps_to_the_next_thing_that_happens() -> None:
    world = World("a")
    loop, began, woken = SimulatedLoop(world), world.now, []

    async def sleep(milliseconds: int) -> None:
        await pass_time(milliseconds)
        woken.append((milliseconds, world.now - began))

    for milliseconds in (86_400_000, 0, 250):
        loop.create_task(sleep(milliseconds))

    assert loop.run(never, 100)
    assert woken == [(0, 0), (250, 250), (86_400_000, 86_400_000)]


def test_a_timer_that_is_called_off_takes_no_time() -> None:
    world = World("a")
    loop, began = SimulatedLoop(world), world.now

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(for_ever(), 2)
        await asyncio.wait_for(pass_time(5), 3_600)

    loop.create_task(give_up())
    loop.run(never, 100)

    assert world.now - began == 2_005
    assert world.is_idle


def test_no_code_of_a_dead_process_runs() -> None:
    loop, body, done = SimulatedLoop(World("a")), Body(), []

    async def work() -> None:
        try:
            await pass_time(10)
            done.append("worked")
        finally:
            done.append("cleaned up")

    async def kill() -> None:
        await pass_time(5)
        body.is_dead = True

    context = copy_context()
    context.run(LIFE.set, body)
    loop.create_task(work(), context=context)
    loop.create_task(kill())

    assert loop.run(never, 100)
    assert done == []


def test_whoever_waits_without_waiting_is_found_out() -> None:
    loop = SimulatedLoop(World("a"))

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    loop.create_task(spin())

    with pytest.raises(Violation, match="waits without waiting"):
        loop.run(never, 10)
