"""Visibility: messages in hand are kept from other runners, and come back within a minute of their runner's death."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Final

from asl_engine.runtime.clock import Clock, TimerHandle
from asl_engine.runtime.queued.ports import MessageQueue

_EVERY_MILLISECONDS: Final = 20_000
_SECONDS: Final = 60


class Visibility:
    """Extends what is held until it is let go of. Extending is no work for the clock."""

    def __init__(self, queue: MessageQueue, clock: Clock, receipts: Iterable[str]) -> None:
        self._queue, self._clock = queue, clock
        self._held = dict.fromkeys(receipts)
        self._extending: asyncio.Task[None] | None = None
        self._timer = self._arm()

    def let_go(self, receipts: Iterable[str]) -> None:
        """These may be delivered again when their time is over."""
        for receipt in receipts:
            self._held.pop(receipt, None)

    def stop(self) -> None:
        """Hold nothing any more."""
        self._timer.cancel()
        if self._extending is not None:
            self._extending.cancel()

    def _arm(self) -> TimerHandle:
        return self._clock.call_at(self._clock.now() + _EVERY_MILLISECONDS, self._fire)

    def _fire(self) -> None:
        self._timer = self._arm()
        if self._extending is None or self._extending.done():
            self._extending = asyncio.get_running_loop().create_task(self._extend())

    async def _extend(self) -> None:
        for receipt in tuple(self._held):
            with contextlib.suppress(Exception):  # delivered twice, it does no harm
                await self._queue.extend(receipt, _SECONDS)
