"""What a running execution waits for, one entry per frame that waits for anything but its own children."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from asl_engine.expressions.scope import Absent
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.interpreter.execution import Execution, Frame, RetryWait, TaskAttempt, TimerWait
from asl_engine.json_value import JsonObject


class WaitKind(StrEnum):
    """Who or what ends the wait."""

    TASK = "TASK"  # whoever performs it: with a task token, not yet submitted
    CALLBACK = "CALLBACK"  # whoever holds the task token of a submitted task
    TIMER = "TIMER"
    RETRY = "RETRY"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWait:
    """One wait. `attempt` counts from 1; `iteration` is the index in the nearest Map; `until` is epoch milliseconds."""

    frame_id: str
    wait_id: int
    state_name: str
    kind: WaitKind
    attempt: int = 1
    iteration: int | None = None
    until: int | None = None
    task_token: str | None = None

    def as_json(self) -> JsonObject:
        """The wait for machines: members that say nothing are left out."""
        shown: JsonObject = {"state": self.state_name, "for": self.kind.value, "attempt": self.attempt}
        if self.iteration is not None:
            shown["iteration"] = self.iteration
        if self.until is not None:
            shown["until"] = format_timestamp(self.until)
        if self.task_token is not None:
            shown["taskToken"] = self.task_token
        return shown


def open_waits(execution: Execution) -> list[OpenWait]:
    """The waits of an execution in the order of its frames; none once it is over."""
    waits = [_open_wait(execution, frame) for frame in execution.frames.values()]
    return [wait for wait in waits if wait is not None]


def _open_wait(execution: Execution, frame: Frame) -> OpenWait | None:
    kind, until, task_token = WaitKind.TASK, None, None
    match frame.wait:
        case TimerWait(at=at):
            kind, until = WaitKind.TIMER, at
        case RetryWait(at=at):
            kind, until = WaitKind.RETRY, at
        case TaskAttempt() as attempt:
            until = min((at for at in (attempt.timeout_at, attempt.heartbeat_at) if at is not None), default=None)
            if _is_answered_from_outside(attempt):
                kind = WaitKind.CALLBACK if attempt.submitted else WaitKind.TASK
                task_token = attempt.task_token
        case _:
            return None
    return OpenWait(
        frame_id=frame.id,
        wait_id=frame.wait.wait_id,
        state_name=frame.state,
        kind=kind,
        attempt=frame.retry_count + 1,
        iteration=_iteration(execution, frame),
        until=until,
        task_token=task_token,
    )


def _is_answered_from_outside(attempt: TaskAttempt) -> bool:
    return attempt.resource.endswith(".waitForTaskToken") or _ACTIVITY in attempt.resource


def _iteration(execution: Execution, frame: Frame) -> int | None:
    while isinstance(frame.item, Absent):
        if frame.parent is None:
            return None
        frame = execution.frames[frame.parent]
    return frame.index


_ACTIVITY: Final = ":activity:"
