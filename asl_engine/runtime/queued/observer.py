"""What the queued host tells whoever watches, for logs and metrics. No payloads."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Protocol

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.outcome import Outcome
from asl_engine.runtime.queued.ports import Received
from asl_engine.runtime.tasks import TaskCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """One record, now durable. `events` and `commands` are the names of their types.

    `duration_milliseconds` is from the first attempt at it to the write.
    The record with sequence 0 started the execution; the one whose `status` is not RUNNING ended it.
    """

    execution_arn: str
    sequence: int
    owner: str
    status: ExecutionStatus
    events: tuple[str, ...]
    commands: tuple[str, ...]
    duration_milliseconds: int

    @classmethod
    def of(cls, outcome: Outcome, owner: str, duration_milliseconds: int) -> Advanced:
        """What there is to tell of an outcome that is durable."""
        return cls(
            execution_arn=outcome.execution.arn,
            sequence=outcome.execution.sequence,
            owner=owner,
            status=outcome.execution.status,
            events=tuple(type(event).__name__ for event in outcome.events),
            commands=tuple(type(command).__name__ for command in outcome.commands),
            duration_milliseconds=duration_milliseconds,
        )


class HostObserver(Protocol):
    """Each method returns quickly and raises nothing."""

    def advanced(self, advanced: Advanced) -> None:
        """A record was written here."""

    def lost_race(self, execution_arn: str, sequence: int) -> None:
        """Somebody else wrote the record of that number first. Who lost plans again, or finds nothing left to do."""

    def ignored(self, execution_arn: str, events: tuple[str, ...]) -> None:
        """Events, by the names of their types, answered waits that were over."""

    def failed(self, received: Received, error: Exception) -> None:
        """A message could not be handled now and will be delivered again."""

    def poisoned(self, received: Received, error: Exception) -> None:
        """A message failed for the last time: its execution was failed."""

    def set_aside(self, received: Received, error: Exception) -> None:
        """A message is a dead letter: it can be neither handled nor failed, and its execution stays as it is."""

    def unknown(self, received: Received) -> None:
        """A message was dropped after several deliveries: its execution never came to be."""

    def unstopped(self, call: TaskCall, reason: str) -> None:
        """A job runs on although its result no longer counts."""

    def unseen(self, call: TaskCall, reason: str) -> None:
        """A job could not be looked at; it will be again."""


def place_of(error: Exception) -> str | None:
    """The innermost line that raised it: what to say of a defect, whose text may quote a payload."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else None


class Unobserved:
    """Nobody watches."""

    def advanced(self, advanced: Advanced) -> None:
        """See HostObserver."""

    def lost_race(self, execution_arn: str, sequence: int) -> None:
        """See HostObserver."""

    def ignored(self, execution_arn: str, events: tuple[str, ...]) -> None:
        """See HostObserver."""

    def failed(self, received: Received, error: Exception) -> None:
        """See HostObserver."""

    def poisoned(self, received: Received, error: Exception) -> None:
        """See HostObserver."""

    def set_aside(self, received: Received, error: Exception) -> None:
        """See HostObserver."""

    def unknown(self, received: Received) -> None:
        """See HostObserver."""

    def unstopped(self, call: TaskCall, reason: str) -> None:
        """See HostObserver."""

    def unseen(self, call: TaskCall, reason: str) -> None:
        """See HostObserver."""
