"""Activity tasks on offer when workers ask another process than the one that offers them: documents, oldest first.

An offer is only a hint. Who gets the task is decided by the execution's journal, which takes one ActivityStarted and
ignores any other; so an offer that is found twice, or too late, does no harm, and one is removed only after that.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from asl_engine.api.actions.activities import lookup
from asl_engine.errors import Conflict
from asl_engine.language.definition import ResourceType
from asl_engine.runtime.activities import missing_activity
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.tasks import Taken, TaskCall, TaskResult
from asl_engine.store.resources import Resource, ResourceStore, created, removed

OFFER: Final = "activity-offer"
_LOOK_AGAIN_SECONDS: Final = 1.0
_LOOKED_AT_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """An `ActivityOffer`: a document that stays until it is settled."""

    resources: ResourceStore
    document: Resource

    @property
    def execution_arn(self) -> str:
        """See ActivityOffer."""
        return str(self.document.document["executionArn"])

    @property
    def frame_id(self) -> str:
        """See ActivityOffer."""
        return str(self.document.document["frameId"])

    @property
    def wait_id(self) -> int:
        """See ActivityOffer."""
        return int(self.document.document["waitId"])

    async def settle(self) -> None:
        """See ActivityOffer."""
        with contextlib.suppress(Conflict):  # somebody else did
            await self.resources.write(removed(self.document))

    def put_back(self) -> None:
        """See ActivityOffer: it was never taken away."""


class StoredOffers:
    """Offers attempts of activities (a `TaskPerformer`), and hands them out (`ActivityOffers`)."""

    def __init__(
        self, resources: ResourceStore, clock: Clock, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._resources, self._clock, self._pause = resources, clock, pause
        self._exists = lookup(resources)
        self._first = 0

    def handles(self, call: TaskCall) -> bool:
        """Whether the resource is an activity."""
        return call.resource.type is ResourceType.ACTIVITY

    async def perform(self, call: TaskCall) -> TaskResult:
        """See `TaskPerformer.perform`. The offer is durable when this returns, and nobody waits for it here."""
        if not call.attempt.submitted and not await self._exists(call.resource.arn):
            return missing_activity(call)
        document = {
            "executionArn": call.execution_arn,
            "frameId": call.frame_id,
            "waitId": call.attempt.wait_id,
        }
        with contextlib.suppress(Conflict):  # it was offered before a crash
            await self._resources.write(created(OFFER, _key(call), document))
        return Taken()

    async def take(self, activity_arn: str, seconds: float) -> StoredOffer | None:
        """See ActivityOffers. Two workers may be given the same offer; the execution says whose it is."""
        ends_at = self._clock.now() + round(seconds * 1000)
        while True:
            found = await self._resources.list(OFFER, prefix=f"{activity_arn}/", limit=_LOOKED_AT_MAX)
            if found:
                self._first += 1  # several workers that ask at once begin with different ones
                return StoredOffer(self._resources, found[0 if len(found) == 1 else self._first % len(found)])
            left = (ends_at - self._clock.now()) / 1000
            if left <= 0:
                return None
            await self._pause(min(left, _LOOK_AGAIN_SECONDS))

    async def close(self) -> None:
        """Nothing is held."""


def _key(call: TaskCall) -> str:
    """Offers of one activity in the order in which their states were entered."""
    digest = hashlib.sha256(call.idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{call.resource.arn}/{call.state_entered_at:015d}/{digest[:24]}"
