"""Sweeper: the net under the protocol. Finds executions that nothing will move, and sends what moves them.

It writes no record itself: what it sends takes the normal path. In a healthy system it finds nothing, so each finding
is worth an alarm. It loads every open execution once, which costs a read for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from asl_engine.errors import ExecutionDoesNotExist, StoreCorrupt
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.runtime.queued.definitions import Definition
from asl_engine.runtime.queued.moments import uncovered
from asl_engine.runtime.queued.ports import Message
from asl_engine.runtime.queued.wiring import Wiring

# Longer than an attempt may be in a runner's hands: 15 minutes in the first runner's, and as long in its successor's.
QUIET_MILLISECONDS: Final = 35 * 60_000
# How late a durable timer may be that is not lost.
LATE_MILLISECONDS: Final = 5 * 60_000
_PAGE: Final = 100


class Reason(StrEnum):
    """Why nothing will move an execution."""

    LOST_TIMER = "LOST_TIMER"  # the durable timer is long past: it is sent again
    NO_TIMER = "NO_TIMER"  # something waits for a moment that no timer covers
    LOST_ATTEMPT = "LOST_ATTEMPT"  # an attempt is in nobody's hands
    NOT_CONTINUED = "NOT_CONTINUED"  # frames are ready, and nobody goes on with them
    UNREADABLE = "UNREADABLE"  # its journal cannot be read: nothing is sent


@dataclass(frozen=True, slots=True)
class Finding:
    """An execution that stood still."""

    execution_arn: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class SweepReport:
    """How many open executions were looked at, and what was found and repaired."""

    looked_at: int
    findings: tuple[Finding, ...]


async def sweep(wiring: Wiring, quiet_milliseconds: int = QUIET_MILLISECONDS) -> SweepReport:
    """Look at every open execution whose newest record is older than that. Raises StoreError or QueueUnavailable."""
    looked_at, findings = 0, []
    async for arn in _open_executions(wiring):
        looked_at += 1
        reason = await _look_at(wiring, arn, quiet_milliseconds)
        if reason is not None:
            findings.append(Finding(arn, reason))
    return SweepReport(looked_at, tuple(findings))


async def _open_executions(wiring: Wiring) -> AsyncIterator[str]:
    before: str | None = None
    while page := await wiring.store.executions(ExecutionStatus.RUNNING, before=before, limit=_PAGE):
        for summary in page:
            yield summary.arn
        before = page[-1].arn


async def _look_at(wiring: Wiring, arn: str, quiet_milliseconds: int) -> Reason | None:
    now = wiring.clock.now()
    try:
        execution = await wiring.store.load(arn)
        if execution.status is not ExecutionStatus.RUNNING or execution.at > now - quiet_milliseconds:
            return None
        definition = await wiring.definitions.get(execution.definition_sha256)
        reason, owners = _stands_still(execution, definition, now)
        if reason in {Reason.NO_TIMER, Reason.NOT_CONTINUED}:
            owners = {await _newest_owner(wiring, arn)}
    except StoreCorrupt:
        return Reason.UNREADABLE
    except ExecutionDoesNotExist:  # expired since it was listed
        return None
    if reason is Reason.LOST_TIMER:
        message = Message(execution_arn=arn, owner=wiring.new_owner(), timer_at=execution.timer_at)
        await wiring.queue.send(message)
    for owner in sorted(owners):
        await wiring.queue.send(Message(execution_arn=arn, owner=owner))
    return reason


def _stands_still(execution: Execution, definition: Definition, now: int) -> tuple[Reason | None, set[str]]:
    """What is wrong, and the messages that own the attempts that were lost."""
    owners = {
        frame.wait.owner
        for frame in execution.frames.values()
        if isinstance(frame.wait, TaskAttempt) and not frame.wait.submitted and ":activity:" not in frame.wait.resource
    }
    if owners:
        return Reason.LOST_ATTEMPT, owners
    if execution.ready:
        return Reason.NOT_CONTINUED, set()
    if execution.timer_at is not None and execution.timer_at < now - LATE_MILLISECONDS:
        return Reason.LOST_TIMER, set()
    if uncovered(execution, definition, now) is not None:
        return Reason.NO_TIMER, set()
    return None, set()


async def _newest_owner(wiring: Wiring, arn: str) -> str:
    async for record in wiring.store.records(arn):
        return record.owner.partition(" ")[0]
    raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'")
