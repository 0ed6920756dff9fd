"""Jobs: work that outlives whoever started it, such as `.sync` tasks of Batch and SageMaker.

A job is started once for each attempt, found again by whoever needs it, and stopped when its result no longer counts.
A host that may end at any moment uses a `JobPerformer` step by step; one that stays alive follows each job to its end
with `FollowedJobs`. An event that says how a job ended names only the job; `JobLinks` lead back to the attempt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from asl_engine.interpreter.events import TaskFailed, TaskSucceeded
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

_PAUSE_MILLISECONDS_MIN: Final = 1_000
_PAUSE_MILLISECONDS_MAX: Final = 30_000
_LOG = logging.getLogger(__name__)


class JobPerformer(Protocol):
    """Starts jobs that outlive a runner, and tells how they ended. Only a look raises for what a service did."""

    def handles(self, call: TaskCall) -> bool:
        """Whether the call asks for a job of this performer, and for its end (`.sync`)."""

    async def submit(self, call: TaskCall) -> TaskResult:
        """Start the job, unless an earlier submit of the same attempt did.

        Submitted: it runs. Succeeded, Failed: it is over already, or was refused.
        """

    async def look(self, call: TaskCall) -> TaskResult | None:
        """How the job ended; None while it runs, or while the service does not say.

        Raises what keeps it from being looked at, so that somebody is told: as far as anybody knows, it runs.
        """

    async def stop(self, call: TaskCall) -> str | None:
        """Stop the job and make sure of it. None: it stops, was over, or never began; else why it runs on."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLink:
    """The attempt that a job belongs to."""

    execution_arn: str
    frame_id: str
    wait_id: int

    @classmethod
    def of(cls, call: TaskCall) -> JobLink:
        """The link to a call's attempt."""
        return cls(execution_arn=call.execution_arn, frame_id=call.frame_id, wait_id=call.attempt.wait_id)


class JobLinks(Protocol):
    """Which job belongs to which attempt, both ways.

    `job_key` is what names the job for ever, and what an event about it gives: `batch/<id>`.
    """

    async def put(self, job_key: str, link: JobLink) -> None:
        """Keep the link; putting it again changes nothing. Raises StoreError."""

    async def link_of(self, job_key: str) -> JobLink | None:
        """The attempt; None for a job that is not ours. Raises StoreError."""

    async def job_of(self, link: JobLink) -> str | None:
        """The key of the attempt's job; None if none is known to have been started. Raises StoreError."""


class MemoryJobLinks:
    """The links of one process. A job whose link is forgotten is asked for at its service."""

    def __init__(self, links_max: int = 10_000) -> None:
        self._links_max = links_max
        self._links: dict[str, JobLink] = {}
        self._jobs: dict[JobLink, str] = {}

    async def put(self, job_key: str, link: JobLink) -> None:
        """Keep the link and, if there are too many, forget the oldest."""
        self._links[job_key], self._jobs[link] = link, job_key
        if len(self._links) > self._links_max:
            oldest = next(iter(self._links))
            self._jobs.pop(self._links.pop(oldest), None)

    async def link_of(self, job_key: str) -> JobLink | None:
        """The attempt of a job."""
        return self._links.get(job_key)

    async def job_of(self, link: JobLink) -> str | None:
        """The job of an attempt."""
        return self._jobs.get(link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How a job ended, and for which attempt."""

    link: JobLink
    result: Succeeded | Failed

    @property
    def event(self) -> TaskSucceeded | TaskFailed:
        """What the execution is to be told."""
        frame_id, wait_id = self.link.frame_id, self.link.wait_id
        if isinstance(self.result, Succeeded):
            return TaskSucceeded(frame_id, wait_id, self.result.output)
        return TaskFailed(frame_id, wait_id, self.result.error, self.result.cause)


def report_unstopped(call: TaskCall, reason: str) -> None:
    """Log a job that runs on although its result no longer counts."""
    _LOG.error("could not stop %s of %s: %s", call.resource.arn, call.idempotency_key, reason)


class FollowedJobs:
    """Performs jobs on a host that stays alive: starts each, looks at it until it is over, stops it if it must.

    A job whose host merely closes runs on, and is found again when the execution is taken up.
    """

    def __init__(
        self, jobs: JobPerformer, clock: Clock, unstopped: Callable[[TaskCall, str], None] = report_unstopped
    ) -> None:
        self._jobs, self._clock, self._unstopped = jobs, clock, unstopped
        self._stopping: set[asyncio.Task[None]] = set()

    def handles(self, call: TaskCall) -> bool:
        """Whether it is one of the jobs."""
        return self._jobs.handles(call)

    async def perform(self, call: TaskCall) -> TaskResult:
        """Start the job or find it again, and return how it ended."""
        submitting: asyncio.Task[TaskResult] | None = None
        try:
            if not call.attempt.submitted:
                submitting = asyncio.get_running_loop().create_task(self._jobs.submit(call))
                result = await asyncio.shield(submitting)
                if not isinstance(result, Submitted):
                    return result
                call.submitted(result.output)
            return await self._end_of(call)
        except asyncio.CancelledError:
            if call.is_over():
                self._stop_later(call, submitting)
            elif submitting is not None:
                submitting.cancel()
            raise

    async def close(self) -> None:
        """Finish what was begun to be stopped."""
        await asyncio.gather(*self._stopping, return_exceptions=True)
        await self._jobs.close()

    async def _end_of(self, call: TaskCall) -> TaskResult:
        began_at = self._clock.now()
        while True:
            result = await self._look(call)
            if result is not None:
                return result
            now = self._clock.now()
            pause = min(max((now - began_at) // 4, _PAUSE_MILLISECONDS_MIN), _PAUSE_MILLISECONDS_MAX)
            await self._clock.sleep_until(now + pause)

    async def _look(self, call: TaskCall) -> TaskResult | None:
        try:
            return await self._jobs.look(call)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            _LOG.warning("could not look at %s of %s: %s", call.resource.arn, call.idempotency_key, reason)
            return None

    def _stop_later(self, call: TaskCall, submitting: asyncio.Task[TaskResult] | None) -> None:
        stopping = asyncio.get_running_loop().create_task(self._stop(call, submitting))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)

    async def _stop(self, call: TaskCall, submitting: asyncio.Task[TaskResult] | None) -> None:
        """A request that is on its way may still start the job: only its answer says what there is to stop."""
        try:
            if submitting is not None:
                await asyncio.wait({submitting})
            reason = await self._jobs.stop(call)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if reason is not None:
            self._unstopped(call, reason)
