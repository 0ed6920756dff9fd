"""Clocks: real time, or exact virtual time that jumps to the next moment anything waits for.

Under virtual time the host must know when nothing is at work any more, for only then may time jump. So whoever works
says so (`begin`, `end`), and whoever sleeps on the clock is not at work. While somebody is at work for real (a Python
function in a thread) virtual time falls back to real time: the next timer fires when its distance has really passed,
so that a task that never returns is still timed out.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Final, Protocol

_LOOK_AGAIN_MILLISECONDS: Final = 30_000
_CLOCKS_DIFFER_MAX: Final = 60_000  # milliseconds, between machines that share a store


class TimerHandle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """It will not fire. Calling it off again, or too late, does nothing."""


class Clock(Protocol):
    """What the host knows of time, in milliseconds since the epoch."""

    def now(self) -> int:
        """The current moment."""

    def elapsed(self) -> int:
        """Milliseconds since some moment: they pass evenly, even if `now` is set right meanwhile."""

    def call_at(self, at: int, callback: Callable[[], None]) -> TimerHandle:
        """Call back on the event loop at that moment, or soon if it is past."""

    async def sleep_until(self, at: int) -> None:
        """Return at that moment. Under virtual time nothing real passes while everybody sleeps."""

    def begin(self) -> None:
        """Somebody starts to work."""

    def end(self) -> None:
        """Somebody stopped working."""

    async def stalled(self) -> None:
        """Return when nothing is at work and no timer is left: only an event from outside can help."""


class RealClock:
    """The time of day."""

    def now(self) -> int:
        """The current moment."""
        return time.time_ns() // 1_000_000

    def elapsed(self) -> int:
        """By a clock that nobody sets."""
        return time.monotonic_ns() // 1_000_000

    def call_at(self, at: int, callback: Callable[[], None]) -> TimerHandle:
        """Call back on the event loop when the time of day has come."""
        return _RealTimer(self, at, callback)

    async def sleep_until(self, at: int) -> None:
        """Sleep for real."""
        woken = asyncio.Event()
        timer = self.call_at(at, woken.set)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    def begin(self) -> None:
        """Real time passes whether anybody works or not."""

    def end(self) -> None:
        """Real time passes whether anybody works or not."""

    async def stalled(self) -> None:
        """Never: somebody may still answer."""
        await asyncio.get_running_loop().create_future()


def is_beyond_real_time(at: int, now: int) -> bool:
    """Whether only virtual time can have been at that moment already, and no machine's real clock."""
    return at > now + _CLOCKS_DIFFER_MAX


class _RealTimer:
    """Looks at the time of day again and again: the event loop's own clock stands still while a laptop sleeps."""

    __slots__ = ("_at", "_callback", "_clock", "_handle")

    def __init__(self, clock: RealClock, at: int, callback: Callable[[], None]) -> None:
        self._clock, self._at, self._callback = clock, at, callback
        self._handle = self._arm()

    def cancel(self) -> None:
        """It will not fire."""
        self._handle.cancel()

    def _arm(self) -> asyncio.TimerHandle:
        left = max(0, self._at - self._clock.now())
        return asyncio.get_running_loop().call_later(min(left, _LOOK_AGAIN_MILLISECONDS) / 1000, self._look)

    def _look(self) -> None:
        if self._clock.now() >= self._at:
            self._callback()
        else:
            self._handle = self._arm()


class _VirtualTimer:
    __slots__ = ("at", "callback", "order")

    def __init__(self, at: int, order: int, callback: Callable[[], None]) -> None:
        self.at, self.order = at, order
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: _VirtualTimer) -> bool:
        return (self.at, self.order) < (other.at, other.order)

    def cancel(self) -> None:
        """It will not fire."""
        self.callback = None


class VirtualClock:
    """Exact time that stands still while there is work and jumps when there is none.

    `until` bounds the jumps: timers beyond it do not fire before it is raised (`advance_to`). None sets no bound.
    Belongs to one event loop.
    """

    def __init__(self, now: int, *, until: int | None = None) -> None:
        self._now, self._until = now, until
        self._timers: list[_VirtualTimer] = []
        self._created = 0
        self._at_work = 0
        self._look: asyncio.Handle | None = None
        self._overtime: asyncio.TimerHandle | None = None
        self._waiting_for_stall: list[asyncio.Future[None]] = []

    def now(self) -> int:
        """The current virtual moment."""
        return self._now

    def elapsed(self) -> int:
        """Nobody sets this clock."""
        return self._now

    def start_at(self, now: int) -> None:
        """Move forward without firing anything: where an execution that is taken up again had come to."""
        self._now = max(self._now, now)

    def advance_to(self, until: int) -> None:
        """Let timers fire up to that moment, and be there once nothing is left to do before it."""
        self._until = until
        self._look_soon()

    def run_free(self) -> None:
        """Let timers fire without a bound."""
        self._until = None
        self._look_soon()

    def call_at(self, at: int, callback: Callable[[], None]) -> TimerHandle:
        """Call back when virtual time comes to that moment."""
        self._created += 1
        timer = _VirtualTimer(at, self._created, callback)
        heapq.heappush(self._timers, timer)
        self._look_soon()
        return timer

    async def sleep_until(self, at: int) -> None:
        """Stop working until that moment."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                self.begin()
                woken.set_result(None)

        timer = self.call_at(at, wake)
        self.end()
        try:
            await woken
        except asyncio.CancelledError:
            timer.cancel()
            if not woken.done() or woken.cancelled():
                self.begin()
            raise

    def begin(self) -> None:
        """Time stands still until as many `end` calls have come."""
        self._at_work += 1

    def end(self) -> None:
        """One less at work."""
        self._at_work -= 1
        assert self._at_work >= 0, "every end has its begin"
        if self._at_work == 0:
            self._look_soon()

    async def stalled(self) -> None:
        """Return when nothing is at work and no timer may fire."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_for_stall.append(waiting)
        self._look_soon()
        await waiting

    def _look_soon(self) -> None:
        """Look on the loop's next round, when whoever was about to start work has started."""
        if self._look is None:
            try:
                self._look = asyncio.get_running_loop().call_soon(self._look_now)
            except RuntimeError:  # between two runs of its loop: the next one that waits will look
                return

    def _look_now(self) -> None:
        self._look = None
        timer = self._next_timer()
        if self._overtime is not None:
            self._overtime.cancel()
            self._overtime = None
        if self._at_work:
            if timer is not None:
                distance = max(0, timer.at - self._now) / 1000
                self._overtime = asyncio.get_running_loop().call_later(distance, self._fire_next)
        elif timer is not None:
            self._fire_next()
        else:
            self._stall()

    def _next_timer(self) -> _VirtualTimer | None:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        if not self._timers or (self._until is not None and self._timers[0].at > self._until):
            return None
        return self._timers[0]

    def _fire_next(self) -> None:
        timer = self._next_timer()
        if timer is not None:
            heapq.heappop(self._timers)
            self._now = max(self._now, timer.at)
            assert timer.callback is not None
            timer.callback()
        self._look_soon()

    def _stall(self) -> None:
        if self._until is not None:
            self._now = max(self._now, self._until)
        waiting, self._waiting_for_stall = self._waiting_for_stall, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
