"""Trials: deliveries that were begun and came to no good end, so that a message that kills its process is known by it.

A queue counts deliveries and knows nothing of how they end: an outage, a throttled function and an extension that was
lost count as a killed process does. So whoever takes a message that was delivered before notes that first, and strikes
the note out when the handling ends in good order, be it done or given back. A note that stays tells of a process that
died with the message in hand. The first delivery is not noted, and costs nothing: if there is a second one, the first
counts with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from asl_engine.errors import AslError, StoreError
from asl_engine.runtime.queued.ports import Received

DELIVERIES_MAX: Final = 5
_TRIES: Final = 3


class RunnerDied(AslError):
    """Whoever handles the message dies before it is handled."""

    def __init__(self, runner: str) -> None:
        last = f", the last one {runner}" if runner else ""
        super().__init__(
            f"each process that handled it ended before it was done{last}: out of memory, out of time, or killed. "
            "The log of the function engine, or of the worker, says which"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """So many deliveries, one after another, came to no good end.

    `is_open`: `runner` began the last one and has not told how it ended, so it is at work, or dead.
    """

    count: int
    is_open: bool
    runner: str = ""


class TrialStore(Protocol):
    """Keeps the trials of messages by the queue's ids, durably. Every method may raise StoreError.

    Of two who note at once either may win: what is lost only delays that a message is isolated.
    """

    async def get(self, message_id: str) -> Trial | None:
        """What is noted."""

    async def put(self, message_id: str, trial: Trial | None) -> None:
        """Note this instead; None: nothing."""


class MemoryTrials:
    """Notes that end with the process: for queues that do, too."""

    def __init__(self) -> None:
        self.noted: dict[str, Trial] = {}

    async def get(self, message_id: str) -> Trial | None:
        """See TrialStore."""
        return self.noted.get(message_id)

    async def put(self, message_id: str, trial: Trial | None) -> None:
        """See TrialStore."""
        if trial is None:
            self.noted.pop(message_id, None)
        else:
            self.noted[message_id] = trial


class Trials:
    """The trials that one host has begun."""

    def __init__(self, store: TrialStore, deliveries_max: int) -> None:
        self._store, self._deliveries_max = store, deliveries_max
        self._begun: dict[str, Trial] = {}  # by receipt

    async def suspects(self, received: Iterable[Received]) -> list[Received]:
        """Those that others began to handle, who have not told how it ended. None, while that cannot be found out.

        The least suspicious come first: whoever is there by bad luck waits for one death more at most.
        """
        found: list[tuple[int, Received]] = []
        try:
            for each in received:
                trial = await self._store.get(each.id) if each.deliveries > 1 else None
                if trial is not None and trial.is_open:
                    found.append((trial.count, each))
        except StoreError:
            return []
        return [each for _, each in sorted(found, key=lambda one: one[0])]

    async def begin(self, received: Received, runner: str) -> Trial | None:
        """Note that it is begun; what was noted if it must not be, as too many died with it. Raises StoreError."""
        if received.deliveries == 1:
            return None
        before = await self._store.get(received.id) or Trial(count=1, is_open=False)
        trial = Trial(count=before.count + 1, is_open=True, runner=runner)
        await self._store.put(received.id, trial)
        self._begun[received.receipt] = trial
        return before if before.is_open and before.count >= self._deliveries_max else None

    async def fail(self, received: Received) -> bool:
        """It ended by a defect. Whether that was once too often."""
        trial = self._begun.pop(received.receipt, Trial(count=1, is_open=True))
        await self._note(received, Trial(count=trial.count, is_open=False))
        return trial.count >= self._deliveries_max

    async def end(self, received: Iterable[Received]) -> None:
        """These ended in good order, or will: whatever becomes of them now says nothing about them."""
        for each in received:
            if each.receipt in self._begun:
                await self.forget(each)

    async def restore(self, received: Received, trial: Trial) -> None:
        """What was noted of it before stands as it was."""
        self._begun.pop(received.receipt, None)
        await self._note(received, trial)

    async def forget(self, received: Received) -> None:
        """Nothing is known of it: if it comes again, it is as good as any."""
        self._begun.pop(received.receipt, None)
        await self._note(received, None)

    async def _note(self, received: Received, trial: Trial | None) -> None:
        """Try hard: during an outage, what is not struck out counts as a death."""
        for _ in range(_TRIES):
            try:
                await self._store.put(received.id, trial)
            except StoreError:
                continue
            return
