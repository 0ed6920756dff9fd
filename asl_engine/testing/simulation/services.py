"""The services of a simulation: they perform tasks, take their time, lose work, and call back by task token.

A task is performed inside the process that asked, and dies with it; or elsewhere, and its result comes through the
queue whatever became of the process. Callbacks go the way of SendTaskSuccess: checked against the journal by the real
`api.tasks`, then put into the durable inbox. They may come before the task is submitted, twice, and too late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from asl_engine.api.tasks import open_attempt
from asl_engine.errors import Conflict, RequestError
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    StopRequested,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
)
from asl_engine.interpreter.execution import Execution, TaskAttempt
from asl_engine.language.definition import IntegrationPattern, ResourceType, TaskState
from asl_engine.runtime.tasks import Failed, Succeeded, TaskCall
from asl_engine.testing.simulation.behaviour import Answer, Behaviour
from asl_engine.testing.simulation.process import Plant, Process
from asl_engine.testing.simulation.simulated_store import DurableStore
from asl_engine.testing.simulation.world import complete

_SUBMITTING_MAX: Final = 500  # milliseconds until a service has taken a request
_REDONE_AFTER: Final = 30_000  # milliseconds until work that a worker lost is given to another
_STALE_CHECK: Final = 0.2  # share of the callbacks whose token was checked before the attempt ended


class Services:
    """Whatever the machine's tasks call."""

    def __init__(self, plant: Plant, store: DurableStore, behaviour: Behaviour, nudge: Callable[[], None]) -> None:
        self._plant, self._store, self._behaviour, self._nudge = plant, store, behaviour, nudge
        self._has_activity_functions = plant.world.chance(0.5)
        self._follows_jobs = plant.world.chance(0.5)

    def perform(self, process: Process, execution: Execution, frame_id: str, attempt: TaskAttempt) -> None:
        """Begin an attempt. The same attempt may begin again, and has the same answer."""
        world = self._plant.world
        call = self._call(execution, frame_id, attempt)
        answer = self._behaviour.answer(call)
        world.counts["tasks performed"] += 1
        resource = call.resource
        self._beat(call, answer)
        if resource.type is ResourceType.ACTIVITY:
            self._work_on_activity(process, call, answer)
        elif resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            self._submit(process, call)
            self._call_back(call, answer)
        elif resource.pattern is not IntegrationPattern.REQUEST_RESPONSE:
            self._run_job(process, call, answer)
        elif world.chance(self._plant.faults.remote):
            self._perform_elsewhere(call, answer)
        else:
            self._perform_here(process, call, answer)

    def stop(self) -> None:
        """Somebody asks for the execution to be stopped, if they know of it."""
        if not self._plant.begun:
            return
        self._plant.world.befell("stop requested", "api")
        self._into_inbox(StopRequested("Stopped", "by the simulation"))

    def _call(self, execution: Execution, frame_id: str, attempt: TaskAttempt) -> TaskCall:
        branch = self._plant.machine.branches[execution.frames[frame_id].branch]
        state = branch.states[attempt.state_name]
        assert isinstance(state, TaskState)
        return TaskCall(
            execution_arn=execution.arn,
            execution_name=execution.name,
            state_machine_name=execution.state_machine_name,
            frame_id=frame_id,
            resource=state.resource,
            attempt=attempt,
        )

    def _perform_here(self, process: Process, call: TaskCall, answer: Answer) -> None:
        """As a coroutine of the process would: cancelled with it, or by it."""
        event, post = _event_of(call, answer), process.poster()
        if event is None:
            return

        def done() -> None:
            if not process.has_cancelled(call.frame_id, call.attempt.wait_id):
                post(event)

        self._after(answer.after, done)

    def _perform_elsewhere(self, call: TaskCall, answer: Answer) -> None:
        """As a worker fed by a queue would: if it dies, another one begins anew."""
        event = _event_of(call, answer)
        if event is None:
            return
        delay = answer.after
        while self._plant.world.chance(self._plant.faults.lost_performance):
            self._plant.world.befell("lost performance", "worker")
            delay += _REDONE_AFTER
        self._plant.queue.send(event, delay)

    def _submit(self, process: Process, call: TaskCall) -> None:
        post = process.poster()
        submitted = TaskSubmitted(call.frame_id, call.attempt.wait_id, {"taken": True})
        self._after(self._plant.world.between(0, _SUBMITTING_MAX), lambda: post(submitted))

    def _run_job(self, process: Process, call: TaskCall, answer: Answer) -> None:
        """Followed to its end by the process, which finds it again after a crash; or its end is told by an event."""
        if not call.attempt.submitted:
            self._submit(process, call)
        if self._follows_jobs:
            self._perform_here(process, call, answer)
        elif not call.attempt.submitted:
            self._perform_elsewhere(call, answer)

    def _work_on_activity(self, process: Process, call: TaskCall, answer: Answer) -> None:
        """By a function of the process, or by a worker outside, who keeps the token of what he has begun."""
        started = ActivityStarted(call.frame_id, call.attempt.wait_id, "worker")
        soon = self._plant.world.between(0, _SUBMITTING_MAX)
        if self._has_activity_functions:
            post = process.poster()
            self._after(soon, lambda: post(started))
            self._perform_here(process, call, answer)
        elif not call.attempt.submitted:
            self._plant.queue.send(started, soon)
            self._call_back(call, answer)

    def _call_back(self, call: TaskCall, answer: Answer) -> None:
        event = _event_of(call, answer)
        if event is None:
            return
        world, faults = self._plant.world, self._plant.faults
        self._after(answer.after, lambda: self._send_task_result(call, event))
        if world.chance(faults.duplicate):
            world.befell("second callback", "service")
            later = world.between(0, 2 * _REDONE_AFTER)
            self._after(answer.after + later, lambda: self._send_task_result(call, event))

    def _beat(self, call: TaskCall, answer: Answer) -> None:
        """Heartbeats, if the task has to send any; a late one misses."""
        seconds = call.attempt.heartbeat_seconds
        if seconds is not None and answer.result is not None:
            heartbeat = TaskHeartbeat(call.frame_id, call.attempt.wait_id)
            for at in range(seconds * 700, answer.after, max(1, seconds * 700)):
                self._after(at, lambda: self._send_task_result(call, heartbeat))

    def _send_task_result(self, call: TaskCall, event: Event) -> None:
        """SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat; without a token, what a host does instead."""
        world, token = self._plant.world, call.attempt.task_token
        if token is not None and not world.chance(_STALE_CHECK):
            try:
                claims = complete(open_attempt(self._store, token))
            except RequestError as refusal:
                world.befell(f"callback refused: {type(refusal).__name__}", "api")
                return
            assert (claims.frame_id, claims.wait_id) == (call.frame_id, call.attempt.wait_id)
        self._into_inbox(event)

    def _into_inbox(self, event: Event) -> None:
        world = self._plant.world
        try:
            complete(self._store.send(self._plant.execution.arn, event))
        except Conflict as refusal:
            world.befell(f"callback refused: {type(refusal).__name__}", "api")
            return
        world.note("api", "accepts", event)
        world.after(world.between(0, 2_000), self._nudge)

    def _after(self, delay: int, action: Callable[[], None]) -> None:
        self._plant.world.after(delay, action)


def _event_of(call: TaskCall, answer: Answer) -> Event | None:
    match answer.result:
        case Succeeded(output):
            return TaskSucceeded(call.frame_id, call.attempt.wait_id, output)
        case Failed(error, cause):
            return TaskFailed(call.frame_id, call.attempt.wait_id, error, cause)
        case None:
            return None
