"""Whoever calls the API: starts executions, stops them, answers tasks. Each request is a process of its own.

A caller that gets an error, or no answer, asks again, as every SDK does: so a request may be carried out twice. Whoever
wants something of an execution that has not started yet asks until it has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from asl_engine.api.tasks import open_attempt
from asl_engine.errors import (
    Conflict,
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    QueueUnavailable,
    RequestError,
    StoreUnavailable,
)
from asl_engine.interpreter.events import Event
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.testing.simulation.queued.process import Plant, Process
from asl_engine.testing.simulation.queued.promises import Promises
from asl_engine.testing.simulation.queued.services import SimulatedJobs
from asl_engine.testing.simulation.queued.store import ProcessStore

_AGAIN_MAX: Final = 10_000  # milliseconds until a caller asks again


class Office:
    """A process of the API, and what it needs to answer."""

    def __init__(self, process: Process, host: QueuedHost, store: ProcessStore, jobs: SimulatedJobs) -> None:
        self.process, self.host, self.store, self.jobs = process, host, store, jobs


Request = Callable[[Office], Awaitable[None]]


class Callers:
    """Makes requests, each until it is answered."""

    def __init__(self, plant: Plant, promises: Promises, new_office: Callable[[], Office]) -> None:
        self._plant, self._promises, self._new_office = plant, promises, new_office

    def start(self, machine: StateMachine, request: StartRequest) -> None:
        """StartExecution."""

        async def ask(office: Office) -> None:
            try:
                execution = await office.host.start(machine, request)
            except ExecutionAlreadyExists:
                self._plant.world.befell("start refused: ExecutionAlreadyExists", office.process.name)
                self._plant.judge(self._promises.existed, request.execution_arn, request.seed)
            else:
                self._plant.judge(self._promises.started, execution)

        self._ask(ask)

    def tell(self, execution_arn: str, event: Event, token: str | None = None) -> None:
        """StopExecution, SendTaskSuccess and their kind; with a token, that is checked as the API checks it."""

        async def ask(office: Office) -> None:
            if token is not None:
                await open_attempt(office.store, token)  # type: ignore[arg-type]
            delivered = await office.host.deliver(execution_arn, event)
            self._plant.world.note(office.process.name, "told", event, delivered.applied)
            self._plant.judge(self._promises.delivered, execution_arn, event, delivered)

        self._ask(ask)

    def tell_of_job(self, detail: JsonObject) -> None:
        """An event of EventBridge, which names a job."""

        async def ask(office: Office) -> None:
            completion = await office.jobs.completed("Simulated Job State Change", detail)
            if completion is not None:
                arn, event = completion.link.execution_arn, completion.event
                self._plant.judge(self._promises.delivered, arn, event, await office.host.deliver(arn, event))

        self._ask(ask)

    def _ask(self, request: Request) -> None:
        office = self._new_office()
        office.process.on_death.append(lambda: self._ask_again(request))
        office.process.spawn(self._answer(office, request))

    def _ask_again(self, request: Request) -> None:
        world = self._plant.world
        world.after(world.between(1, _AGAIN_MAX), lambda: self._ask(request))

    async def _answer(self, office: Office, request: Request) -> None:
        try:
            await request(office)
        except (StoreUnavailable, QueueUnavailable, Conflict, ConnectionError, ExecutionDoesNotExist) as error:
            self._plant.world.befell(f"request failed: {type(error).__name__}", office.process.name)
            self._ask_again(request)
        except RequestError as refusal:
            self._plant.world.befell(f"request refused: {type(refusal).__name__}", office.process.name)
