"""Several job performers as one."""

from __future__ import annotations

from collections.abc import Sequence

from asl_engine.runtime.jobs import JobPerformer
from asl_engine.runtime.tasks import TaskCall, TaskResult


class JobChain:
    """A `JobPerformer`: each call belongs to the first of `performers` that handles it."""

    def __init__(self, performers: Sequence[JobPerformer]) -> None:
        self._performers = tuple(performers)

    def handles(self, call: TaskCall) -> bool:
        """See JobPerformer."""
        return any(each.handles(call) for each in self._performers)

    async def submit(self, call: TaskCall) -> TaskResult:
        """See JobPerformer."""
        return await self._performer(call).submit(call)

    async def look(self, call: TaskCall) -> TaskResult | None:
        """See JobPerformer."""
        return await self._performer(call).look(call)

    async def stop(self, call: TaskCall) -> str | None:
        """See JobPerformer."""
        return await self._performer(call).stop(call)

    async def close(self) -> None:
        """Close all of them."""
        for each in self._performers:
            await each.close()

    def _performer(self, call: TaskCall) -> JobPerformer:
        return next(each for each in self._performers if each.handles(call))
