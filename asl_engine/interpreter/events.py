"""Events: what happened and comes in. Each names the frame and the wait that it answers.

A wait is numbered by the id of the history event that began it, which is unique in the execution. An event for a wait
that is over is ignored and counted: that makes results apply exactly once, however often they are delivered.
Times are milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from asl_engine.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class TaskSubmitted:
    """The service took the request of a `.sync` or `.waitForTaskToken` task; its result will come later."""

    frame_id: str
    wait_id: int
    output: JsonValue


@dataclass(frozen=True, slots=True)
class ActivityStarted:
    """A worker took an activity task. `worker_name` may be empty."""

    frame_id: str
    wait_id: int
    worker_name: str = ""


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """A task attempt ended well."""

    frame_id: str
    wait_id: int
    output: JsonValue


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """A task attempt failed. A missing error or cause is None, as SendTaskFailure allows."""

    frame_id: str
    wait_id: int
    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class TaskHeartbeat:
    """A task attempt reported that it is alive."""

    frame_id: str
    wait_id: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A moment that the frame asked for has come. It may come early or twice: the interpreter checks the time."""

    frame_id: str
    wait_id: int


@dataclass(frozen=True, slots=True)
class ExecutionTimerFired:
    """The execution's own TimeoutSeconds may be over."""


@dataclass(frozen=True, slots=True)
class StopRequested:
    """StopExecution."""

    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class FailRequested:
    """The host cannot go on with this execution, and says why."""

    error: str
    cause: str


Event: TypeAlias = (
    TaskSubmitted
    | ActivityStarted
    | TaskSucceeded
    | TaskFailed
    | TaskHeartbeat
    | TimerFired
    | ExecutionTimerFired
    | StopRequested
    | FailRequested
)
