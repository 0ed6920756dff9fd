"""The services of a queued simulation: functions, callbacks, activities and jobs, outside of every process.

Functions are awaited by the process that calls them. A callback may come before the request that asked for it has been
answered. Jobs go through the real `AwsJobs`; only the service behind it is simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from asl_engine.integrations.aws_errors import ErrorNames
from asl_engine.integrations.aws_jobs import AwsJobs, Job, JobState, Started
from asl_engine.integrations.batch import NAMES
from asl_engine.interpreter.commands import ScheduleTask
from asl_engine.interpreter.events import ActivityStarted, Event, TaskFailed, TaskHeartbeat, TaskSucceeded
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import IntegrationPattern, Resource, ResourceType
from asl_engine.runtime.jobs import Completion, JobLink, MemoryJobLinks
from asl_engine.runtime.queued.arrivals import is_open
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, Taken, TaskCall, TaskResult
from asl_engine.testing.simulation.behaviour import Answer, Behaviour
from asl_engine.testing.simulation.queued.event_loop import for_ever, pass_time
from asl_engine.testing.simulation.queued.process import KNOWN, RESULTS, UNDER_WAY, Plant, Process
from asl_engine.testing.simulation.violation import Invariant, Violation

_SYNC: Final = (IntegrationPattern.SYNC, IntegrationPattern.SYNC_2)
_SUBMITTING_MAX: Final = 500  # milliseconds until a service has taken a request
_REDONE_AFTER: Final = 30_000  # milliseconds until work that a worker lost is given to another
_REFUSALS_MAX: Final = 2  # to one process: if it is refused for ever, its task fails, as it should

_T = TypeVar("_T")

# Tells the API that an event has come from outside: execution, event, task token.
Tell = Callable[[str, Event, str | None], None]


class SimulatedTasks:
    """A process's `TaskPerformer`."""

    def __init__(self, process: Process, services: Services) -> None:
        self._process, self._services = process, services

    def handles(self, call: TaskCall) -> bool:
        """Everything but jobs."""
        return call.resource.pattern not in _SYNC

    async def perform(self, call: TaskCall) -> TaskResult:
        """See TaskPerformer."""
        note_dispatch(self._process, call)
        await self._process.effect("perform")
        answer = self._services.answer(call)
        if call.resource.type is ResourceType.ACTIVITY:
            self._services.offer_activity(call, answer)
            result: TaskResult = Taken()
        elif call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            self._services.call_back(call, answer)
            await pass_time(self._process.plant.world.between(0, _SUBMITTING_MAX))
            result = Submitted({"taken": True})
        else:
            result = await self._run(call, answer)
        await self._process.effect("performed")
        RESULTS.get().append((call, result))
        return result

    async def close(self) -> None:
        """There is nothing to close."""

    async def _run(self, call: TaskCall, answer: Answer) -> TaskResult:
        await self._beat(call, answer)
        world, faults = self._process.plant.world, self._process.plant.faults
        while world.chance(faults.lost_performance):
            world.befell("lost performance", "function")
            await pass_time(_REDONE_AFTER)
        if answer.result is None:
            await for_ever()
        assert answer.result is not None
        return answer.result

    async def _beat(self, call: TaskCall, answer: Answer) -> None:
        """Take the time that the answer takes, with heartbeats if any are wanted."""
        left, seconds = answer.after, call.attempt.heartbeat_seconds
        while seconds is not None and answer.result is not None and left > seconds * 700:
            await pass_time(seconds * 700)
            left -= seconds * 700
            call.heartbeat()
        await pass_time(left)


def note_dispatch(process: Process, call: TaskCall) -> None:
    """Show the checker that an attempt is about to be carried out."""
    plant = process.plant
    plant.world.note(process.name, "performs", call.frame_id, f"#{call.attempt.wait_id}", call.attempt.state_name)
    command = ScheduleTask(call.frame_id, call.attempt)
    sequence = KNOWN.get().get(call.execution_arn, -1)
    plant.judge(plant.checkers[call.execution_arn].dispatched, command, sequence)
    plant.performed[call.idempotency_key] += 1
    if call.execution_arn == plant.poisoned:
        process.crash("poison")


@dataclass(slots=True, kw_only=True)
class _Job:
    key: str
    call: TaskCall
    state: JobState = JobState.RUNNING
    description: JsonObject = field(default_factory=dict)


class Services:
    """What is outside. `tell` brings events to the API, `tell_of_job` says that a job has ended."""

    def __init__(
        self, plant: Plant, behaviour: Behaviour, tell: Tell, tell_of_job: Callable[[JsonObject], None]
    ) -> None:
        self._plant, self._behaviour, self._tell, self._tell_of_job = plant, behaviour, tell, tell_of_job
        self.jobs: dict[str, _Job] = {}
        self.stopped: set[str] = set()  # the attempts whose jobs somebody has made sure of
        self.unheard: set[str] = set()  # the jobs whose event found no link
        self.links = MemoryJobLinks()

    @property
    def running(self) -> set[str]:
        """The attempts whose jobs run."""
        return {key for key, job in self.jobs.items() if job.state is JobState.RUNNING}

    def answer(self, call: TaskCall) -> Answer:
        """What comes of an attempt."""
        self._plant.world.counts["tasks performed"] += 1
        return self._behaviour.answer(call)

    def call_back(self, call: TaskCall, answer: Answer) -> None:
        """By whoever got the task token; sometimes twice."""
        self._send_heartbeats(call, answer)
        event = _event_of(call, answer)
        if event is None:
            return
        world = self._plant.world
        token = call.attempt.task_token
        world.after(answer.after, lambda: self._tell(call.execution_arn, event, token))
        if world.chance(self._plant.faults.duplicate):
            world.befell("second callback", "service")
            later = answer.after + world.between(0, 2 * _REDONE_AFTER)
            world.after(later, lambda: self._tell(call.execution_arn, event, token))

    def offer_activity(self, call: TaskCall, answer: Answer) -> None:
        """To a worker outside, who keeps the token of what he has begun."""
        started = ActivityStarted(call.frame_id, call.attempt.wait_id, "worker")
        soon = self._plant.world.between(0, _SUBMITTING_MAX)
        self._plant.world.after(soon, lambda: self._tell(call.execution_arn, started, None))
        self.call_back(call, answer)

    def start_job(self, call: TaskCall) -> _Job:
        """The job of an attempt. Its end is told by an event, unless that is lost."""
        if call.idempotency_key in self.jobs:
            return self.jobs[call.idempotency_key]
        job = self.jobs[call.idempotency_key] = _Job(key=f"batch/{len(self.jobs)}", call=call)
        answer = self.answer(call)
        if answer.result is not None:
            self._plant.world.after(answer.after, lambda: self._come_to_end(job, answer.result))
        return job

    def stop_job(self, job: _Job) -> None:
        """Make it fail."""
        if job.state is JobState.RUNNING:
            self._end_job(job, Failed("Stopped", "as asked"))

    def _come_to_end(self, job: _Job, result: Succeeded | Failed | None) -> None:
        """It ends by itself, unless nobody waits for it any more: such a job goes on until somebody stops it."""
        execution, call = self._plant.checkers[job.call.execution_arn].execution, job.call
        if execution is not None and is_open(execution, (call.frame_id, call.attempt.wait_id)):
            self._end_job(job, result)

    def _end_job(self, job: _Job, result: Succeeded | Failed | None) -> None:
        if job.state is not JobState.RUNNING:
            return
        if isinstance(result, Succeeded):
            output = result.output
            job.state, job.description = JobState.SUCCEEDED, output if isinstance(output, dict) else {"Output": output}
        else:
            job.state, job.description = JobState.FAILED, {"status": "FAILED"}
        world, faults = self._plant.world, self._plant.faults
        detail: JsonObject = {"jobId": job.key}
        if world.chance(faults.lost_event):
            world.befell("lost job event", "service")
            return
        world.after(world.between(0, faults.delay), lambda: self._tell_of_job(detail))
        if world.chance(faults.duplicate):
            world.befell("duplicate job event", "service")
            world.after(world.between(0, 2 * _REDONE_AFTER), lambda: self._tell_of_job(detail))

    def _send_heartbeats(self, call: TaskCall, answer: Answer) -> None:
        seconds = call.attempt.heartbeat_seconds
        if seconds is not None and answer.result is not None:
            beat, token = TaskHeartbeat(call.frame_id, call.attempt.wait_id), call.attempt.task_token
            for at in range(seconds * 700, answer.after, max(1, seconds * 700)):
                self._plant.world.after(at, lambda: self._tell(call.execution_arn, beat, token))


def _event_of(call: TaskCall, answer: Answer) -> TaskSucceeded | TaskFailed | None:
    match answer.result:
        case Succeeded(output):
            return TaskSucceeded(call.frame_id, call.attempt.wait_id, output)
        case Failed(error, cause):
            return TaskFailed(call.frame_id, call.attempt.wait_id, error, cause)
    return None


class SimulatedJobs(AwsJobs):
    """A process's `JobPerformer`: the real one, whose calls the checker sees."""

    def __init__(self, process: Process, services: Services) -> None:
        links = _Links(process, services.links)
        self._service_of_jobs = _JobService(process, services)
        super().__init__(_NoClients(), (self._service_of_jobs,), links, pause=_pause)  # type: ignore[arg-type]
        self._process, self._told = process, services

    def handles(self, call: TaskCall) -> bool:
        """All that is waited for."""
        return call.resource.pattern in _SYNC

    async def submit(self, call: TaskCall) -> TaskResult:
        """See JobPerformer."""
        note_dispatch(self._process, call)
        refusals = self._service_of_jobs.refusals
        result = await super().submit(call)
        RESULTS.get().append((call, result))
        if isinstance(result, Submitted) and refusals == self._service_of_jobs.refusals:
            self._process.plant.judge(self._check_heard, call)
        return result

    async def completed(self, detail_type: str, detail: JsonObject) -> Completion | None:
        """See AwsJobs."""
        job_key = str(detail["jobId"])
        if await self._told.links.link_of(job_key) is None:
            self._told.unheard.add(job_key)
        return await super().completed(detail_type, detail)

    def _check_heard(self, call: TaskCall) -> None:
        job = self._told.jobs[call.idempotency_key]
        if job.key in self._told.unheard:
            raise Violation(Invariant.HEARD, f"{job.key} ended, its event found no link, and its submit saw nothing")

    async def stop(self, call: TaskCall) -> str | None:
        """See JobPerformer."""
        reason = await super().stop(call)
        self._told.stopped.add(call.idempotency_key)
        return reason


async def _pause(seconds: float) -> None:
    await pass_time(round(seconds * 1000))


class _NoClients:
    """Clients of a service that needs none."""

    def reaches(self, _service: str) -> bool:
        return True

    async def client(self, _service: str, _region: str | None = None) -> None:
        return None

    async def close(self) -> None:
        return None


class _Links:
    """Durable links, on the way to which a process may die, and which take as long to write as a request to arrive."""

    def __init__(self, process: Process, links: MemoryJobLinks) -> None:
        self._process, self._links = process, links

    async def put(self, job_arn: str, link: JobLink) -> None:
        await self._process.effect("put link")
        await pass_time(self._process.plant.world.between(0, self._process.plant.faults.transit))
        self._process.fail_store("put link")
        await self._links.put(job_arn, link)
        await self._process.effect("link put")

    async def link_of(self, job_arn: str) -> JobLink | None:
        await self._process.effect("read link")
        self._process.fail_store("read link")
        return await self._links.link_of(job_arn)

    async def job_of(self, link: JobLink) -> str | None:
        await self._process.effect("read link")
        self._process.fail_store("read link")
        return await self._links.job_of(link)


class _JobService:
    """A `JobService` whose jobs live outside of all processes. It may refuse a request before or after doing it."""

    service = "batch"
    detail_type = "Simulated Job State Change"
    names: ErrorNames = NAMES

    def __init__(self, process: Process, services: Services) -> None:
        self._process, self._services = process, services
        self.refusals = 0

    def starts(self, resource: Resource) -> bool:
        return resource.pattern in _SYNC

    async def start(self, _client: Any, call: TaskCall) -> Started:
        await self._reach("start job")
        job = await self._carried_out(lambda: self._services.start_job(call))
        await self._answer("start job, done")
        return Started(job_key=job.key, output={"JobId": job.key})

    async def find(self, _client: Any, call: TaskCall) -> str | None:
        await self._reach("find job")
        job = self._services.jobs.get(call.idempotency_key)
        return None if job is None else job.key

    async def describe(self, _client: Any, job_key: str) -> Job | None:
        await self._reach("describe job")
        job = self._job(job_key)
        return None if job is None else Job(state=job.state, description=job.description)

    async def stop(self, _client: Any, job_key: str) -> None:
        await self._reach("stop job")
        job = self._job(job_key)
        if job is not None:
            await pass_time(self._process.plant.world.between(0, self._process.plant.faults.transit))
            self._services.stop_job(job)
        await self._answer("stop job, done")

    def ended_job(self, detail: JsonObject) -> str | None:
        job_id = detail.get("jobId")
        return job_id if isinstance(job_id, str) else None

    def _job(self, job_key: str) -> _Job | None:
        return next((job for job in self._services.jobs.values() if job.key == job_key), None)

    async def _carried_out(self, request: Callable[[], _T]) -> _T:
        """The answer to a request that takes its time to get there, and gets there whether anybody waits for it or not.

        It is lost with its process, and with an invocation that failed: with copies of a message in several hands, no
        host could know of it.
        """
        world, transit = self._process.plant.world, self._process.plant.faults.transit
        if not transit:
            return request()
        arrived: list[_T] = []
        after = world.between(0, transit)
        lands = world.after(after, lambda: None if self._process.is_dead else arrived.append(request()))
        UNDER_WAY.get().append(lands)
        await pass_time(after + 1)
        return arrived[0]

    async def _reach(self, call: str) -> None:
        await self._process.effect(call)
        self._refuse(call)

    async def _answer(self, call: str) -> None:
        self._refuse(call)
        await self._process.effect(call)

    def _refuse(self, call: str) -> None:
        world = self._process.plant.world
        if self.refusals < _REFUSALS_MAX and world.chance(self._process.plant.faults.store_error):
            self.refusals += 1
            world.befell(f"service error: {call}", self._process.name)
            raise ConnectionError(f"simulated: {call}")
