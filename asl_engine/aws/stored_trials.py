"""Trials as documents beside the executions. Like links, they are of 256 kinds, so that no key of the table is busy."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Final

from asl_engine.errors import Conflict
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.queued.trials import Trial
from asl_engine.store.resources import ResourceStore, created, removed, replaced

# SQS keeps no message for longer: whose message is gone, that trial says nothing any more.
_KEPT_SECONDS: Final = 15 * 86_400


class StoredTrials:
    """A `TrialStore`. Of two who note at once the first one wins."""

    def __init__(self, resources: ResourceStore, clock: Clock) -> None:
        self._resources, self._clock = resources, clock

    async def get(self, message_id: str) -> Trial | None:
        """See TrialStore."""
        found = await self._resources.get(*_place(message_id))
        if found is None:
            return None
        document = found.document
        return Trial(count=document["count"], is_open=document["open"], runner=document["runner"])

    async def put(self, message_id: str, trial: Trial | None) -> None:
        """See TrialStore."""
        kind, key = _place(message_id)
        found = await self._resources.get(kind, key)
        expires_at = self._clock.now() // 1000 + _KEPT_SECONDS
        with contextlib.suppress(Conflict):
            if trial is not None:
                document = {"count": trial.count, "open": trial.is_open, "runner": trial.runner}
                change = created(kind, key, document, expires_at=expires_at)
                if found is not None:
                    change = replaced(found, document, expires_at=expires_at)
                await self._resources.write(change)
            elif found is not None:
                await self._resources.write(removed(found))


def _place(message_id: str) -> tuple[str, str]:
    return f"trial#{hashlib.sha256(message_id.encode()).hexdigest()[:2]}", message_id
