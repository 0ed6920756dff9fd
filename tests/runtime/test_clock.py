"""Virtual time stands still while there is work, and jumps when there is none."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from asl_engine.runtime.clock import RealClock, VirtualClock

NOON = 1_700_000_000_000
YEAR = 365 * 86_400_000


def complete(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, timeout=10))


def test_a_sleeper_wakes_at_its_own_moment_and_no_real_time_passes() -> None:
    async def story() -> None:
        clock = VirtualClock(NOON)
        clock.begin()
        await clock.sleep_until(NOON + YEAR)
        assert clock.now() == NOON + YEAR

    complete(story())


def test_timers_fire_in_order_of_their_moments_then_of_their_making() -> None:
    async def story() -> None:
        clock = VirtualClock(NOON)
        fired: list[tuple[str, int]] = []
        for name, at in (("late", 20), ("early", 10), ("early too", 10)):
            clock.call_at(NOON + at, lambda name=name: fired.append((name, clock.now() - NOON)))  # type: ignore[misc]
        await clock.stalled()
        assert fired == [("early", 10), ("early too", 10), ("late", 20)]

    complete(story())


def test_time_does_not_jump_while_somebody_is_at_work() -> None:
    async def story() -> None:
        clock = VirtualClock(NOON)
        fired: list[int] = []
        clock.begin()
        clock.call_at(NOON + YEAR, lambda: fired.append(clock.now()))
        for _ in range(10):
            await asyncio.sleep(0)
        assert fired == []
        clock.end()
        await clock.stalled()
        assert fired == [NOON + YEAR]

    complete(story())


def test_real_work_that_takes_longer_than_a_timer_lets_the_timer_fire() -> None:
    """A function that never returns must still be timed out."""

    async def story() -> None:
        clock = VirtualClock(NOON)
        fired = asyncio.Event()
        clock.begin()
        clock.call_at(NOON + 5, fired.set)
        await fired.wait()
        assert clock.now() == NOON + 5
        clock.end()

    complete(story())


def test_a_bound_holds_timers_back_until_it_is_raised() -> None:
    async def story() -> None:
        clock = VirtualClock(NOON, until=NOON)
        fired: list[int] = []
        clock.call_at(NOON + 1_000, lambda: fired.append(clock.now()))
        await clock.stalled()
        assert fired == []
        clock.advance_to(NOON + 999)
        await clock.stalled()
        assert (fired, clock.now()) == ([], NOON + 999)
        clock.run_free()
        await clock.stalled()
        assert fired == [NOON + 1_000]

    complete(story())


def test_a_cancelled_timer_does_not_move_time() -> None:
    async def story() -> None:
        clock = VirtualClock(NOON)
        clock.call_at(NOON + YEAR, lambda: None).cancel()
        await clock.stalled()
        assert clock.now() == NOON

    complete(story())


def test_a_cancelled_sleeper_counts_as_at_work_again() -> None:
    """Its task ends work when it ends; otherwise time could jump while it cleans up."""

    async def story() -> None:
        clock = VirtualClock(NOON)
        clock.begin()
        sleeper = asyncio.ensure_future(clock.sleep_until(NOON + YEAR))
        clock.begin()
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)
        clock.end()
        clock.end()
        await clock.stalled()
        assert clock.now() == NOON

    complete(story())


def test_time_never_goes_back() -> None:
    clock = VirtualClock(NOON)
    clock.start_at(NOON - 1)
    assert clock.now() == NOON
    clock.start_at(NOON + 1)
    assert clock.now() == NOON + 1


def test_the_real_clock_fires_a_moment_that_is_past() -> None:
    async def story() -> None:
        clock = RealClock()
        fired = asyncio.Event()
        clock.call_at(clock.now() - 1_000, fired.set)
        await fired.wait()
        await clock.sleep_until(clock.now() - 1_000)

    complete(story())


def test_a_real_timer_that_wakes_before_the_time_of_day_has_come_waits_on() -> None:
    """The event loop's clock and the time of day drift apart when a laptop sleeps or its clock is set."""

    class Drifting(RealClock):
        def __init__(self) -> None:
            self.moments = [NOON, NOON + 4, NOON + 4, NOON + 10]

        def now(self) -> int:
            return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]

    async def story() -> None:
        clock = Drifting()
        fired = asyncio.Event()
        clock.call_at(NOON + 5, fired.set)
        await fired.wait()
        assert clock.moments == [NOON + 10]

    complete(story())
