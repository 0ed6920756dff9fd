"""Activity tasks on offer: attempts that wait until a worker asks for one.

An offer lives only in memory. After a crash the execution is taken up again and offers what was not handed out; what a
worker has already is recorded as started and is answered by its task token.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from asl_engine.language.definition import ResourceType
from asl_engine.runtime.tasks import Failed, Taken, TaskCall, TaskResult


class ActivityOffer(Protocol):
    """One attempt that is handed out to a worker."""

    @property
    def execution_arn(self) -> str:
        """Whose attempt it is."""

    @property
    def frame_id(self) -> str:
        """The frame that waits for it."""

    @property
    def wait_id(self) -> int:
        """That frame's wait."""

    async def settle(self) -> None:
        """A worker has the task, or it is over: offer it no more."""

    def put_back(self) -> None:
        """The worker was lost before it was told: offer it again."""


class ActivityOffers(Protocol):
    """Where workers find activity tasks."""

    async def take(self, activity_arn: str, seconds: float) -> ActivityOffer | None:
        """The oldest offer for this activity; None if none comes in time. The taker settles it or puts it back."""


@dataclass(slots=True, eq=False)
class Offer:
    """One attempt. It is `settled` when a worker has it."""

    call: TaskCall
    settled: asyncio.Future[None]
    desk: ActivityDesk

    @property
    def execution_arn(self) -> str:
        """See ActivityOffer."""
        return self.call.execution_arn

    @property
    def frame_id(self) -> str:
        """See ActivityOffer."""
        return self.call.frame_id

    @property
    def wait_id(self) -> int:
        """See ActivityOffer."""
        return self.call.attempt.wait_id

    async def settle(self) -> None:
        """See ActivityOffer."""
        if not self.settled.done():
            self.settled.set_result(None)

    def put_back(self) -> None:
        """See ActivityOffer."""
        self.desk.put(self)


class ActivityDesk:
    """Performs activities by handing them to workers, oldest first. Belongs to one event loop.

    `exists` says whether an activity is there: no worker can ask for the tasks of one that is not.
    """

    def __init__(self, exists: Callable[[str], Awaitable[bool]] | None = None) -> None:
        self._exists = exists
        self._offers: dict[str, deque[Offer]] = {}
        self._workers: dict[str, deque[asyncio.Future[Offer | None]]] = {}

    def handles(self, call: TaskCall) -> bool:
        """Whether the resource is an activity."""
        return call.resource.type is ResourceType.ACTIVITY

    async def perform(self, call: TaskCall) -> TaskResult:
        """Wait until a worker has taken the task. Cancelled, the offer is withdrawn."""
        if call.attempt.submitted:  # taken up after a crash: its worker has it still
            return Taken()
        if self._exists is not None and not await self._exists(call.resource.arn):
            return missing_activity(call)
        offer = Offer(call, asyncio.get_running_loop().create_future(), self)
        self.put(offer)
        try:
            await offer.settled
        except asyncio.CancelledError:
            self._withdraw(offer)
            raise
        return Taken()

    def put(self, offer: Offer) -> None:
        """Offer a task, or offer it again because its worker was lost before it was told."""
        if offer.settled.done():
            return
        workers = self._workers.get(offer.call.resource.arn)
        while workers:
            worker = workers.popleft()
            if not worker.done():
                worker.set_result(offer)
                return
        self._offers.setdefault(offer.call.resource.arn, deque()).append(offer)

    async def take(self, activity_arn: str, seconds: float) -> Offer | None:
        """The oldest offer for this activity; None if none comes in time. The taker settles it or puts it back."""
        offers = self._offers.get(activity_arn)
        if offers:
            offer = offers.popleft()
            if not offers:
                del self._offers[activity_arn]
            return offer
        loop = asyncio.get_running_loop()
        worker: asyncio.Future[Offer | None] = loop.create_future()
        self._workers.setdefault(activity_arn, deque()).append(worker)
        timer = loop.call_later(seconds, _give_up, worker)
        try:
            return await worker
        except asyncio.CancelledError:
            given = worker.result() if worker.done() and not worker.cancelled() else None
            if given is not None:
                self.put(given)
            raise
        finally:
            timer.cancel()
            self._forget(activity_arn, worker)

    def waiting(self, activity_arn: str) -> int:
        """How many workers wait for a task of this activity."""
        return len(self._workers.get(activity_arn, ()))

    async def close(self) -> None:
        """Nothing is held."""

    def _withdraw(self, offer: Offer) -> None:
        offers = self._offers.get(offer.call.resource.arn)
        if offers and offer in offers:
            offers.remove(offer)
            if not offers:
                del self._offers[offer.call.resource.arn]

    def _forget(self, activity_arn: str, worker: asyncio.Future[Offer | None]) -> None:
        workers = self._workers.get(activity_arn)
        if workers is not None:
            if worker in workers:
                workers.remove(worker)
            if not workers:
                self._workers.pop(activity_arn, None)


def missing_activity(call: TaskCall) -> Failed:
    """How the task of an activity that does not exist fails."""
    return Failed(
        "States.Runtime",
        f"An error occurred while executing the state '{call.attempt.state_name}' "
        f"(entered at the event id #{call.state_entered_event_id}). The activity {call.resource.arn} does not exist.",
    )


def _give_up(worker: asyncio.Future[Offer | None]) -> None:
    if not worker.done():
        worker.set_result(None)
