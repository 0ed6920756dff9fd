"""Jobs of AWS services, whichever they are: start each once for its attempt, find it again, say how it ended, stop it.

A job bears its attempt's key as a tag (and as its name, if the definition gives none), so that it is found again after
a crash between the service's answer and our own record of it. What the service does not tell apart, a request that was
lost and one whose answer was lost, is told apart by looking before asking again.

A job's link is kept before the submit returns, and the job is looked at after that: so a job that ends at once
is seen to have ended, and one that ends later sends its event to a link that exists.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from asl_engine.integrations.aws_errors import ErrorNames, call_errors, error_message, is_transient
from asl_engine.integrations.aws_session import AwsClients, service_model
from asl_engine.integrations.aws_values import UnusableArguments, unusable
from asl_engine.json_value import JsonObject, dump_json
from asl_engine.language.definition import IntegrationPattern, Resource
from asl_engine.runtime.jobs import Completion, JobLink, JobLinks, MemoryJobLinks
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

ATTEMPT_TAG: Final = "asl-attempt"
# Between tries at what a service refused for now, or did not answer.
_PAUSES_SECONDS: Final = (0.5, 2.0, 4.0)


_T = TypeVar("_T")


class JobState(Enum):
    """Where a job stands. One that is STOPPING needs nothing more to be done to it."""

    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as its service describes it; `description` is what the Task gets."""

    state: JobState
    description: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A job that was started. `output` is the service's answer."""

    job_key: str
    output: JsonObject


class JobService(Protocol):
    """One kind of job. Its methods raise what the client raises."""

    service: str
    detail_type: str
    names: ErrorNames

    def starts(self, resource: Resource) -> bool:
        """Whether the action starts such a job."""

    async def start(self, client: Any, call: TaskCall) -> Started:
        """Start the job, or find it if it was started. Raises UnusableArguments."""

    async def find(self, client: Any, call: TaskCall) -> str | None:
        """The key of the job that was started for the attempt. None if there is none. Raises UnusableArguments."""

    async def describe(self, client: Any, job_key: str) -> Job | None:
        """The job; None if the service has forgotten it."""

    async def stop(self, client: Any, job_key: str) -> None:
        """Ask for its end."""

    def ended_job(self, detail: JsonObject) -> str | None:
        """The key of the job in an event, if it says that the job may have ended."""


def attempt_key(call: TaskCall) -> str:
    """A name for an attempt's job, fit for every service: 32 characters, the shortest bound of SageMaker."""
    digest = hashlib.sha256(f"{call.idempotency_key}/{call.execution_started_at}".encode("utf-8", "surrogatepass"))
    return f"asl-{digest.hexdigest()[:28]}"


class AwsJobs:
    """A `JobPerformer` for `.sync` tasks of some services."""

    def __init__(
        self,
        clients: AwsClients,
        services: Sequence[JobService],
        links: JobLinks | None = None,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clients, self._services, self._pause = clients, tuple(services), pause
        self._links = links if links is not None else MemoryJobLinks()

    def handles(self, call: TaskCall) -> bool:
        """Whether it starts a job of these services and waits for its end."""
        return call.resource.pattern is IntegrationPattern.SYNC and self.starts(call)

    def starts(self, call: TaskCall) -> bool:
        """Whether it starts a job of these services, waiting or not."""
        service = next((service for service in self._services if service.starts(call.resource)), None)
        return service is not None and self._clients.reaches(service.service)

    async def submit(self, call: TaskCall) -> TaskResult:
        """See `JobPerformer`. What was refused for now, or not answered, is tried again a few times."""
        started = await self.start(call)
        if isinstance(started, Failed):
            return started
        await self._links.put(started.job_key, JobLink.of(call))
        try:
            job = await self._job(self._service(call), call)
        except call_errors():
            job = None
        return (_result(job) if job is not None else None) or Submitted(started.output)

    async def start(self, call: TaskCall) -> Started | Failed:
        """Start the job without waiting for it."""
        service = self._service(call)
        try:
            return await self._again(service, lambda client: service.start(client, call), unless=call.is_over)
        except UnusableArguments as error:
            return unusable(call, error)
        except call_errors() as error:
            return service.names.failure(error, service_model(service.service))

    async def look(self, call: TaskCall) -> TaskResult | None:
        """See `JobPerformer`. A job that was started and is no longer known has failed.

        What keeps us from looking says nothing of the job: a right that is missing, credentials that have expired.
        """
        service = self._service(call)
        try:
            job = await self._job(service, call)
            for pause in _PAUSES_SECONDS:
                if job is not None or not call.attempt.submitted:
                    break
                await self._pause(pause)  # what was started just now may not be shown at once
                job = await self._job(service, call)
        except call_errors() as error:
            if not is_transient(error):
                raise
            return None
        if job is not None:
            return _result(job)
        if not call.attempt.submitted:
            return None
        return Failed("States.TaskFailed", f"{service.service} does not know the job of this attempt any more")

    async def stop(self, call: TaskCall) -> str | None:
        """See `JobPerformer`."""
        service = self._service(call)
        try:
            return await self._again(service, lambda client: self._stop(client, service, call))
        except call_errors() as error:
            return error_message(error)

    async def completed(self, detail_type: str, detail: JsonObject) -> Completion | None:
        """What an EventBridge event of these services means; None if no job of ours has ended.

        Events come late, twice and out of order: the service's own description decides.
        """
        service = next((service for service in self._services if service.detail_type == detail_type), None)
        job_key = service.ended_job(detail) if service is not None else None
        if service is None or job_key is None:
            return None
        link = await self._links.link_of(job_key)
        if link is None:
            return None
        job = await self._again(service, lambda client: service.describe(client, job_key))
        result = _result(job) if job is not None else None
        return Completion(link=link, result=result) if result is not None else None

    async def close(self) -> None:
        """Let go of connections."""
        await self._clients.close()

    def _service(self, call: TaskCall) -> JobService:
        return next(service for service in self._services if service.starts(call.resource))

    async def _job(self, service: JobService, call: TaskCall) -> Job | None:
        client = await self._clients.client(service.service)
        job_key = await self._job_key(client, service, call)
        return None if job_key is None else await service.describe(client, job_key)

    async def _job_key(self, client: Any, service: JobService, call: TaskCall) -> str | None:
        known = await self._links.job_of(JobLink.of(call))
        try:
            return known or await service.find(client, call)
        except UnusableArguments:  # so nothing was ever started
            return None

    async def _stop(self, client: Any, service: JobService, call: TaskCall) -> str | None:
        job_key = await self._job_key(client, service, call)
        job = None if job_key is None else await service.describe(client, job_key)
        if job_key is None or job is None or job.state is not JobState.RUNNING:
            return None
        await service.stop(client, job_key)
        for pause in (*_PAUSES_SECONDS, None):
            job = await service.describe(client, job_key)
            if job is None or job.state is not JobState.RUNNING:
                return None
            if pause is not None:
                await self._pause(pause)
        return f"{job_key} was told to stop, and still runs"

    async def _again(
        self,
        service: JobService,
        call: Callable[[Any], Awaitable[_T]],
        unless: Callable[[], bool] = lambda: False,
    ) -> _T:
        """Call, and call again after a pause while the service is only refusing for now, unless that is in vain."""
        for pause in _PAUSES_SECONDS:
            try:
                return await call(await self._clients.client(service.service))
            except call_errors() as error:
                if not is_transient(error):
                    raise
                await self._pause(pause)
                if unless():
                    raise
        return await call(await self._clients.client(service.service))


def _result(job: Job) -> Succeeded | Failed | None:
    match job.state:
        case JobState.SUCCEEDED:
            return Succeeded(job.description)
        case JobState.FAILED:
            return Failed("States.TaskFailed", dump_json(job.description))
    return None
