"""An execution and its frames: everything that the next advance needs, and nothing else.

An Execution is a value. `advance` never changes the one it is given: it copies the frames that it touches and returns
a new Execution, so the old one stays true for whoever still holds it. What a frame holds is small and changes field
by field; payloads are shared by reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TypeAlias

from asl_engine.expressions.scope import ABSENT, Absent
from asl_engine.json_value import JsonObject, JsonValue

ROOT_FRAME = "0"


class ExecutionStatus(StrEnum):
    """Status of an execution, as DescribeExecution answers it."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class Phase(StrEnum):
    """Where a frame stands."""

    READY = "READY"  # its state can be entered now
    WAITING = "WAITING"  # for what `wait` says
    DONE = "DONE"  # its branch or iteration ended well; `output` is kept for the parent
    FAILED = "FAILED"  # its iteration failed and the Map tolerates it


# Looking a member up in its class takes longer than a dict does, and every state asks for these.
READY = Phase.READY
RUNNING = ExecutionStatus.RUNNING


@dataclass(frozen=True, slots=True)
class TimerWait:
    """A Wait state, until `at`."""

    wait_id: int
    at: int


@dataclass(frozen=True, slots=True)
class RetryWait:
    """The pause before the next attempt of a state, until `at`."""

    wait_id: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAttempt:
    """One attempt of a Task. `wait_id` is the id of its …Scheduled history event. Times are epoch milliseconds.

    `retry_count` is the number of attempts before it in this state entry. `task_token` is set for every pattern that
    can be answered from outside. `submitted` says that the service took the request, so it must not be sent again.
    `owner` names the queue message whose handling dispatches it (see `Options.owner`).
    """

    wait_id: int
    state_name: str
    resource: str
    arguments: JsonValue
    retry_count: int = 0
    credentials: JsonObject | None = None
    task_token: str | None = None
    timeout_at: int | None = None
    heartbeat_at: int | None = None
    heartbeat_seconds: int | None = None
    submitted: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenWait:
    """A Parallel or Map whose child frames run. `items` is a Map's array, None for a Parallel.

    Child i is the frame f"{frame_id}/{wait_id}.{i}". A child that ended keeps its own result, so this object never
    grows with the number of children.
    """

    wait_id: int
    total: int
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    concurrency: int = 0
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage: float | None = None
    map_run: str | None = None  # ARN of the Map Run, when the children are those of a distributed Map


Wait: TypeAlias = TimerWait | RetryWait | TaskAttempt | ChildrenWait


@dataclass(slots=True, kw_only=True)
class Frame:
    """One active position: the root, a Parallel branch, a Map iteration. Changed only inside `advance`, on a copy.

    `state` is the state that it is in, or about to enter when READY. `entered_event_id` is the id of the
    …StateEntered event; 0 while READY to enter afresh. `previous_event_id` is what the frame's next history event
    follows. `variables` includes what enclosing scopes had assigned when the frame began.
    """

    id: str
    branch: str
    state: str
    input: JsonValue
    parent: str | None = None
    index: int = 0
    phase: Phase = Phase.READY
    previous_event_id: int = 0
    entered_event_id: int = 0
    entered_at: int = 0
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    retries: tuple[int, ...] = ()
    wait: Wait | None = None
    items: list[JsonValue] | None = None  # a Map's array while its iterations run
    map_run: str | None = None  # ARN of the Map Run that this frame is a child execution of, or is inside of
    items_input: JsonValue = None  # what the children of a Parallel or the ItemSelector of a Map get as `$`
    item: JsonValue | Absent = ABSENT  # an iteration's own item: $$.Map.Item.Value
    output: JsonValue = None

    def copy(self) -> Frame:
        """The same frame, free to be changed."""
        twin = object.__new__(Frame)
        for name in FRAME_FIELDS:
            setattr(twin, name, getattr(self, name))
        return twin

    @property
    def retry_count(self) -> int:
        """How often the current state entry has been retried: `$$.State.RetryCount`."""
        return sum(self.retries)


FRAME_FIELDS = tuple(f.name for f in fields(Frame))


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a state machine. `sequence` and `at` are those of the newest record folded into it.

    `aws_limits` says whether AWS's payload and history limits hold: it is pinned, whoever takes the execution up later.
    `seed` feeds everything that looks random and signs task tokens. `ready` lists the frames to run next, in order.
    `started_at`, `stopped_at` and `timeout_at` are epoch milliseconds. `revision` names what the state machine was when
    the execution started, where state machines are kept as resources. `timer_at` is the moment of the one durable timer
    that a host without a memory keeps for everything in the execution that waits.
    """

    arn: str
    name: str
    state_machine_arn: str
    definition_sha256: str
    input: JsonValue
    started_at: int
    seed: str
    role_arn: str = ""
    state_machine_version_arn: str | None = None
    state_machine_alias_arn: str | None = None
    revision: str | None = None
    status: ExecutionStatus = ExecutionStatus.RUNNING
    output: JsonValue = None
    error: str | None = None
    cause: str | None = None
    stopped_at: int | None = None
    timeout_at: int | None = None
    aws_limits: bool = False
    sequence: int = -1
    at: int = 0
    last_event_id: int = 0
    redrive_count: int = 0
    frames: Mapping[str, Frame] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    ignored_events: int = 0
    timer_at: int | None = None

    def changed(self, changes: Mapping[str, object]) -> Execution:
        """A copy with these fields changed. Every advance makes one, and `dataclasses.replace` takes twice the time."""
        twin = object.__new__(Execution)
        for name in EXECUTION_FIELDS:
            object.__setattr__(twin, name, changes[name] if name in changes else getattr(self, name))
        return twin

    @property
    def state_machine_name(self) -> str:
        """The last part of the state machine's ARN."""
        return self.state_machine_arn.rpartition(":")[2]


EXECUTION_FIELDS = tuple(f.name for f in fields(Execution))
