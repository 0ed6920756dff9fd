"""A world for the queued host: a queue and a store in memory on virtual time, and runners that take what is due."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from asl_engine.errors import QueueUnavailable
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.observer import Advanced, Unobserved
from asl_engine.runtime.queued.ports import Backlog, Message, Received
from asl_engine.runtime.queued.trials import MemoryTrials
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult
from asl_engine.store.journal import Record, fold
from asl_engine.store.memory import MemoryStore

NOON = 1_700_000_000_000
SECOND = 1_000
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
JOB = "arn:aws:states:::batch:submitJob.sync"
VISIBILITY = 900 * SECOND  # of the queue: no less than Lambda's time-out
T = TypeVar("T")


class Crash(Exception):
    """The runner is gone."""


class CountingStore(MemoryStore):
    """Counts what it is asked for, and crashes whoever asks for what `crash` names."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    async def append(self, record: Record) -> None:
        self.calls["append"] += 1
        await super().append(record)

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        self.calls["load" if held is None else "catch up"] += 1
        return await super().load(execution_arn, held)

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        self.calls["records"] += 1
        async for record in super().records(execution_arn, newest_first=newest_first):
            yield record

    def journal(self, execution_arn: str) -> list[Record]:
        return self._journal(execution_arn).records


@dataclass(slots=True)
class Queued:
    message: Message
    id: str
    visible_at: int
    sent_at: int
    deliveries: int = 0
    receipt: str = ""


class MemoryQueue:
    """A queue that forgets nothing and delivers again what is not acknowledged in time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock, self._numbers = clock, count(1)
        self.unavailable = False
        self.messages: list[Queued] = []
        self.sent: list[Message] = []
        self.extended: list[tuple[str, ...]] = []

    async def send(self, message: Message) -> None:
        self._put(message, self._clock.now())

    async def send_at(self, message: Message, at: int, now: int) -> None:
        self._put(message, max(at, now))

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        self.extended.append(tuple(receipts))
        if self.unavailable:
            raise QueueUnavailable("no answer")
        for queued in self.messages:
            if queued.receipt in receipts:
                queued.visible_at = self._clock.now() + seconds * SECOND

    async def backlog(self) -> Backlog:
        if self.unavailable:
            raise QueueUnavailable("no answer")
        visible = sum(each.visible_at <= self._clock.now() for each in self.messages)
        in_hand = sum(each.visible_at > self._clock.now() and each.deliveries > 0 for each in self.messages)
        return Backlog(waiting=visible, in_hand=in_hand)

    def receive(self, most: int = 10) -> list[Received]:
        now = self._clock.now()
        received = []
        for queued in [each for each in self.messages if each.visible_at <= now][:most]:
            queued.deliveries += 1
            queued.visible_at, queued.receipt = now + VISIBILITY, f"receipt-{next(self._numbers)}"
            received.append(
                Received(
                    message=queued.message,
                    id=queued.id,
                    receipt=queued.receipt,
                    deliveries=queued.deliveries,
                    sent_at=queued.sent_at,
                )
            )
        return received

    def acknowledge(self, receipts: frozenset[str]) -> None:
        self.messages = [queued for queued in self.messages if queued.receipt not in receipts]

    def _put(self, message: Message, at: int) -> None:
        if self.unavailable:
            raise QueueUnavailable("no answer")
        self.sent.append(message)
        self.messages.append(Queued(message, f"id-{len(self.sent)}", at, self._clock.now()))


Answer = TaskResult | Callable[[TaskCall], Awaitable[TaskResult]]


class Tasks:
    """Performs tasks by state name: with a result, a function, or their own name."""

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        self.answers = answers or {}
        self.performed: list[str] = []
        self.calls: dict[str, TaskCall] = {}

    def handles(self, call: TaskCall) -> bool:
        return "unknown" not in call.resource.arn

    async def perform(self, call: TaskCall) -> TaskResult:
        state = call.attempt.state_name
        self.performed.append(state)
        self.calls[state] = call
        answer = self.answers.get(state, Submitted({}) if call.resource.arn == CALLBACK else Succeeded(state))
        return await answer(call) if callable(answer) else answer

    async def close(self) -> None:
        """Nothing is held."""


@dataclass
class Jobs:
    """Jobs that run until `ends` says how they ended."""

    ends: dict[str, Succeeded | Failed] = field(default_factory=dict)
    submitted: list[str] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    unstoppable: str | None = None

    def handles(self, call: TaskCall) -> bool:
        return call.resource.arn == JOB

    async def submit(self, call: TaskCall) -> TaskResult:
        self.submitted.append(call.attempt.state_name)
        return Submitted({"JobId": "1"})

    async def look(self, call: TaskCall) -> TaskResult | None:
        self.looked_at.append(call.attempt.state_name)
        return self.ends.get(call.attempt.state_name)

    async def stop(self, call: TaskCall) -> str | None:
        self.stopped.append(call.attempt.state_name)
        return self.unstoppable

    async def close(self) -> None:
        """Nothing is held."""


class Watching(Unobserved):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.records: list[Advanced] = []
        self.told: list[tuple[str, str]] = []
        self.races: list[int] = []

    def advanced(self, advanced: Advanced) -> None:
        self.records.append(advanced)

    def lost_race(self, execution_arn: str, sequence: int) -> None:
        self.races.append(sequence)

    def failed(self, received: Received, error: Exception) -> None:
        self.told.append(("failed", f"{type(error).__name__}: {error}"))

    def poisoned(self, received: Received, error: Exception) -> None:
        self.told.append(("poisoned", f"{type(error).__name__}: {error}"))

    def set_aside(self, received: Received, error: Exception) -> None:
        self.told.append(("set aside", f"{type(error).__name__}: {error}"))

    def unknown(self, received: Received) -> None:
        self.told.append(("unknown", received.message.execution_arn))

    def unstopped(self, call: TaskCall, reason: str) -> None:
        self.told.append(("unstopped", reason))

    def unseen(self, call: TaskCall, reason: str) -> None:
        self.told.append(("unseen", reason))


class World:
    """One host, its ports, and a runner that takes messages as they come due."""

    lambda_time = 60 * SECOND
    sets_aside = False

    def __init__(
        self, tasks: Tasks | None = None, jobs: Jobs | None = None, store: CountingStore | None = None
    ) -> None:
        self.clock = VirtualClock(NOON)
        self.store = store or CountingStore()
        self.queue: MemoryQueue = MemoryQueue(self.clock)
        self.tasks, self.jobs, self.watching = tasks or Tasks(), jobs or Jobs(), Watching()
        self.ended: list[str] = []
        self.trials: MemoryTrials = MemoryTrials()
        self.set_aside: list[tuple[str, str]] = []
        self._owners = count(1)
        self.wiring = self.wire()
        self.host = QueuedHost(self.wiring)

    def wire(self) -> Wiring:
        return Wiring(
            store=self.store,
            queue=self.queue,
            clock=self.clock,
            performer=self.tasks,
            jobs=self.jobs,
            observer=self.watching,
            ended=self._end,
            new_owner=lambda: f"m{next(self._owners)}",
            chance=lambda: 0.5,
            trials=self.trials,
            set_aside=self._set_aside if self.sets_aside else None,
        )

    async def start(self, machine: StateMachine, input: JsonValue = None, name: str = "run") -> Execution:
        return await self.host.start(machine, request(name, input))

    async def step(self) -> int:
        """Let the runner take what is due once; how many messages that were."""
        received = self.queue.receive()
        if received:
            self.queue.acknowledge(await self.host.handle(received, self.clock.now() + self.lambda_time))
        return len(received)

    async def run(self, until: int | None = None) -> None:
        """Take messages as they come due, until none is left or a moment is passed."""
        while True:
            while await self.step():
                pass
            waiting = min((each.visible_at for each in self.queue.messages), default=None)
            if waiting is None or (until is not None and waiting > until):
                return
            self.clock.start_at(waiting)

    def execution(self, name: str = "run") -> Execution:
        return fold(self.store.journal(request(name).execution_arn))

    async def _set_aside(self, received: Received, reason: str) -> None:
        if self.queue.unavailable:
            raise QueueUnavailable("no answer")
        self.set_aside.append((received.message.owner, reason))

    async def _end(self, execution: Execution) -> None:
        assert execution.status is not ExecutionStatus.RUNNING
        self.ended.append(execution.name)


def request(name: str = "run", input: JsonValue = None, seed: str = "seed") -> StartRequest:
    return StartRequest(name=name, input={} if input is None else input, state_machine_arn=MACHINE, seed=seed)


def chain(*states: JsonObject, **fields: JsonValue) -> StateMachine:
    """A machine of states S0, S1, … one after the other."""
    linked: JsonObject = {}
    for index, state in enumerate(states):
        ends: JsonObject = {"End": True} if index == len(states) - 1 else {"Next": f"S{index + 1}"}
        linked[f"S{index}"] = {**state, **ends}
    return compile_definition({"StartAt": "S0", "States": linked, **fields})


def task(resource: str = FUNCTION + "work", **fields: JsonValue) -> JsonObject:
    return {"Type": "Task", "Resource": resource, **fields}


def wait(seconds: int) -> JsonObject:
    return {"Type": "Wait", "Seconds": seconds}


def complete(story: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(story(), timeout=20)

    return asyncio.run(bounded())


def attempt_of(execution: Execution, frame_id: str = "0") -> TaskAttempt:
    waiting = execution.frames[frame_id].wait
    assert isinstance(waiting, TaskAttempt)
    return waiting


def side_by_side(*branches: JsonObject) -> StateMachine:
    parallel: JsonObject = {"Type": "Parallel", "Branches": list(branches), "End": True}
    return compile_definition({"StartAt": "Both", "States": {"Both": parallel}})


def alone(name: str, state: JsonObject) -> JsonObject:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


def timers(world: World) -> list[int]:
    return [message.timer_at for message in world.queue.sent if message.timer_at is not None]
