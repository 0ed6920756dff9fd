"""An account of AWS in this process: queue, functions, table, and the bill. The host and the store are the real ones.

Time is virtual, so a run is the same every time, and what overlaps in AWS overlaps here. AWS answers each call after
`CALL_MILLISECONDS`. A function is woken for up to `batch` messages that come within `POLL_MILLISECONDS`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, cast

from asl_engine.aws.job_links import StoredJobLinks
from asl_engine.interpreter.events import Event, TaskSucceeded
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.options import AWS_COMPATIBLE, Options
from asl_engine.language.definition import IntegrationPattern, StateMachine
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.observer import Advanced, Unobserved
from asl_engine.runtime.queued.ports import Received
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.tasks import TaskCall
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.connection import Connection
from asl_engine.store.dynamodb.store import DynamoDbStore
from benchmarks.cost.fake_aws import FakeAws
from benchmarks.cost.patient_clock import PatientClock
from benchmarks.cost.payloads import new_uuid
from benchmarks.cost.tasks import TimedJobs, TimedTasks, job_key
from benchmarks.cost.usage import Usage, sqs_requests
from benchmarks.cost.virtual_queue import VirtualQueue

CALL_MILLISECONDS: Final = 5
POLL_MILLISECONDS: Final = 10
BATCH_SIZE: Final = 10  # of the queue's event source mapping
ANSWER_MILLISECONDS: Final = 3_600_000  # until somebody answers a task token
JOB_MILLISECONDS: Final = 600_000
_NOON: Final = 1_800_000_000_000
_FUNCTION_MILLISECONDS_MAX: Final = 890_000
_MACHINE_ARN: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:OrderProcessing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a run depends on besides the workload."""

    task_seconds: float = 1.0  # how long a task that a runner awaits takes on average
    batch: int = BATCH_SIZE  # messages to a function at once, if so many wait
    options: Options = AWS_COMPATIBLE


class Account:
    """Belongs to one event loop. `usage` grows with what is done."""

    def __init__(
        self, payload: Callable[[Random], Any], assumptions: Assumptions, *, clock: Clock | None = None, seed: int = 1
    ) -> None:
        self.usage, self.clock = Usage(), clock or PatientClock(_NOON)
        self._assumptions, self._chance = assumptions, Random(seed)
        self.aws = FakeAws(self.usage, self._answer_after)
        self._payload = payload
        self._due: list[tuple[Received, int]] = []
        self._at_work: set[asyncio.Task[None]] = set()
        self._queue = VirtualQueue(self.clock, self.usage, self._answer_after, self._receive)
        self.observer = _Counting(self.usage)
        self.failures: list[BaseException] = []
        # As many processes as there are functions, of which none knows what another one has in memory.
        self.store = self._new_store()
        self._links = StoredJobLinks(self.store.resources(), self.clock)
        wirings = self._wiring(self.store), self._wiring(self._new_store())
        self._definitions = [wiring.definitions for wiring in wirings]
        self._engine, self._api = (QueuedHost(wiring) for wiring in wirings)

    @property
    def waiting_messages(self) -> int:
        """Messages and schedules that nobody has received."""
        return self._queue.undelivered

    async def publish(self, machine: StateMachine) -> None:
        """Keep a definition, and let every function have it: once in its life, not once for each execution."""
        self.clock.begin()
        for definitions in self._definitions:
            await definitions.put(machine)
        self.clock.end()

    def start(self, machine: StateMachine, input_: Any) -> str:
        """Begin an execution by a request to the API, soon; its ARN."""
        request = StartRequest(
            name=new_uuid(self._chance),
            input=input_,
            state_machine_arn=_MACHINE_ARN,
            seed=f"{self._chance.getrandbits(128):032x}",
            role_arn="arn:aws:iam::123456789012:role/orders",
        )
        self.usage.api_requests += 1
        self._work(self._started(machine, request))
        return request.execution_arn

    async def until_idle(self) -> None:
        """Return when nothing is at work and nothing is on its way. Raises what any of it raised."""
        await self.clock.stalled()
        for failure in self.failures:
            raise failure

    def _new_store(self) -> DynamoDbStore:
        return DynamoDbStore(Client("fake", cast("Connection", self.aws)), bucket="fake")

    def _wiring(self, store: DynamoDbStore) -> Wiring:
        seconds = self._assumptions.task_seconds
        return Wiring(
            store=store,
            queue=self._queue,
            clock=self.clock,
            performer=TimedTasks(self.clock, self._chance, seconds, self._payload, self._answer_later),
            jobs=TimedJobs(self._chance, self._answer_later, self._links),
            options=self._assumptions.options,
            observer=self.observer,
            new_owner=self._new_owner,
            chance=self._chance.random,
        )

    # What the world does

    async def _started(self, machine: StateMachine, request: StartRequest) -> None:
        await self._api.start(machine, request)

    def _answer_later(self, call: TaskCall, output: Any) -> None:
        """Bring the result of a task that nobody awaits: a token's by a request to the API, a job's by its event."""
        is_job = call.resource.pattern is IntegrationPattern.SYNC
        after = JOB_MILLISECONDS if is_job else ANSWER_MILLISECONDS
        event = TaskSucceeded(call.frame_id, call.attempt.wait_id, output)
        self.clock.call_at(self.clock.now() + after, lambda: self._work(self._answered(call, event, is_job)))

    async def _answered(self, call: TaskCall, event: Event, is_job: bool) -> None:
        if is_job:
            self.usage.job_event_wake_ups += 1
            await self._links.link_of(job_key(call))
        else:
            self.usage.api_requests += 1
        await self._api.deliver(call.execution_arn, event)

    # The engine's function

    def _receive(self, received: Received, size: int) -> None:
        """A message is due. A poller takes it with all that come until it is there."""
        if not self._due:
            self.clock.call_at(self.clock.now() + POLL_MILLISECONDS, self._wake_up)
        self._due.append((received, size))

    def _wake_up(self) -> None:
        due, self._due = self._due, []
        for start in range(0, len(due), self._assumptions.batch):
            batch = due[start : start + self._assumptions.batch]
            self._work(self._handle([received for received, _size in batch], sum(size for _received, size in batch)))

    async def _handle(self, batch: Sequence[Received], size: int) -> None:
        """One invocation: the poller receives, the function handles, the poller deletes."""
        usage, began_at = self.usage, self.clock.now()
        usage.engine_wake_ups += 1
        usage.sqs_requests += sqs_requests(size)
        handling = asyncio.get_running_loop().create_task(
            self._engine.handle(batch, began_at + _FUNCTION_MILLISECONDS_MAX)
        )
        self.clock.end()  # the host says itself when it is at work
        try:
            done = await handling
        finally:
            self.clock.begin()
        usage.awaited_seconds += (self.clock.now() - began_at) / 1000
        usage.sqs_requests += bool(done)
        for received in batch:
            if received.receipt not in done:
                self._queue.deliver_again(received)

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self.clock.begin()
        task = asyncio.get_running_loop().create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)
        self.clock.end()

    async def _answer_after(self) -> None:
        await self.clock.sleep_until(self.clock.now() + CALL_MILLISECONDS)

    def _new_owner(self) -> str:
        return f"{self._chance.getrandbits(72):018x}"[:12]


class _Counting(Unobserved):
    """Counts log lines, and keeps what no run should see."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self.errors: list[Exception] = []
        self.advance_milliseconds: Counter[int] = Counter()
        self.ended: Counter[ExecutionStatus] = Counter()

    def advanced(self, advanced: Advanced) -> None:
        """One line each."""
        self._usage.log_lines += 1
        self.advance_milliseconds[advanced.duration_milliseconds] += 1
        if advanced.status is not ExecutionStatus.RUNNING:
            self.ended[advanced.status] += 1

    def failed(self, received: Received, error: Exception) -> None:
        """It will be delivered again."""
        self.errors.append(error)
