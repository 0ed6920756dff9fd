"""Commands: what to do, and goes out. Carried out only once the record that holds them is durable.

Each is recognisable when repeated: (execution, frame, wait) names one attempt or one timer for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from asl_engine.interpreter.execution import TaskAttempt


@dataclass(frozen=True, slots=True)
class ScheduleTask:
    """Perform a task attempt. `attempt` is the same object as the frame's wait."""

    frame_id: str
    attempt: TaskAttempt


@dataclass(frozen=True, slots=True)
class CancelTask:
    """Stop the work of an attempt whose result no longer counts (timed out, stopped, a sibling failed)."""

    frame_id: str
    attempt: TaskAttempt


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Deliver TimerFired(frame_id, wait_id) at `at` (milliseconds since the epoch)."""

    frame_id: str
    wait_id: int
    at: int


@dataclass(frozen=True, slots=True)
class StartExecutionTimer:
    """Deliver ExecutionTimerFired at `at`."""

    at: int


@dataclass(frozen=True, slots=True)
class Continue:
    """Advance again: the bound on one advance was reached while frames could still run."""


Command: TypeAlias = ScheduleTask | CancelTask | StartTimer | StartExecutionTimer | Continue
