"""Visibility: messages in hand are kept from other runners, and come back within a minute of their runner's death.

A queue hands them out for as long as a runner may live: Lambda takes no less. So they are given a minute at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from asl_engine.runtime.clock import Clock, TimerHandle
from asl_engine.runtime.queued.ports import MessageQueue

# Of what a message is given; so two extensions may fail before it comes back too early.
_EXTENSIONS: Final = 3


class Visibility:
    """Gives what is held `seconds`, again and again, until it is let go of. That is no work for the clock.

    `lost` is awaited when that failed: others may be given what is in hand.
    """

    def __init__(
        self,
        queue: MessageQueue,
        clock: Clock,
        receipts: Iterable[str],
        seconds: int,
        lost: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._queue, self._clock, self._seconds, self._lost = queue, clock, seconds, lost
        self._held = dict.fromkeys(receipts)
        self._timer = self._arm()
        self._extending = self._extension()

    def let_go(self, receipts: Iterable[str]) -> None:
        """These may be delivered again when their time is over."""
        for receipt in receipts:
            self._held.pop(receipt, None)

    def stop(self) -> None:
        """Extend nothing any more."""
        self._timer.cancel()

    async def settle(self, *, all_done: bool) -> None:
        """Await what is under way, or call it off: without it, what is not done would stay away for too long."""
        if all_done:
            self._extending.cancel()
        else:
            await self._extending

    def _arm(self) -> TimerHandle:
        return self._clock.call_at(self._clock.now() + self._seconds * 1000 // _EXTENSIONS, self._fire)

    def _fire(self) -> None:
        self._timer = self._arm()
        if self._extending.done():
            self._extending = self._extension()

    def _extension(self) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._extend(tuple(self._held)))

    async def _extend(self, receipts: tuple[str, ...]) -> None:
        try:
            if receipts:
                await self._queue.extend(receipts, self._seconds)
        except Exception:  # delivered twice, it does no harm
            if self._lost is not None:
                await self._lost()
