"""Sweeper: the net under the protocol. Finds executions that nothing will move, and sends what moves them.

It writes no record itself: what it sends takes the normal path. In a healthy system it finds nothing, so each finding
is worth an alarm. It sends nothing while the queue is behind: what seems lost may wait there, and one message more at
every sweep would put the queue further behind, and perform the same tasks once for each. It loads every open execution
once, which costs a read for each. What is left at its deadline is for the next sweep.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from asl_engine.errors import ExecutionDoesNotExist, StoreCorrupt
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.runtime.queued.definitions import Definition
from asl_engine.runtime.queued.moments import uncovered
from asl_engine.runtime.queued.ports import Message, MessageQueue, OpenListing
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.store.protocol import ExecutionStore

# Longer than an attempt may be in a runner's hands: 15 minutes in the first runner's, and as long in its successor's.
QUIET_MILLISECONDS: Final = 35 * 60_000
# How late a durable timer may be that is not lost.
LATE_MILLISECONDS: Final = 5 * 60_000
# More is for the sweeps to come: the queue shows whether it bore this.
REPAIRS_MAX: Final = 1_000
_PAGE: Final = 100
_AT_ONCE: Final = 50


class Reason(StrEnum):
    """Why nothing will move an execution."""

    LOST_TIMER = "LOST_TIMER"  # the durable timer is long past: it is sent again
    NO_TIMER = "NO_TIMER"  # something waits for a moment that no timer covers
    LOST_ATTEMPT = "LOST_ATTEMPT"  # an attempt is in nobody's hands
    NOT_CONTINUED = "NOT_CONTINUED"  # frames are ready, and nobody goes on with them
    UNREADABLE = "UNREADABLE"  # its journal cannot be read: nothing is sent


@dataclass(frozen=True, slots=True)
class Finding:
    """An execution that stood still; whether what moves it was sent."""

    execution_arn: str
    reason: Reason
    is_repaired: bool = True


@dataclass(frozen=True, slots=True)
class SweepReport:
    """How many open executions were looked at, and what was found and repaired.

    `stopped_at`: where to go on, since the deadline came first; None: all were looked at. `queue_is_behind`: nothing
    was repaired for that.
    """

    looked_at: int
    findings: tuple[Finding, ...]
    stopped_at: str | None = None
    queue_is_behind: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    reason: Reason
    messages: tuple[Message, ...] = ()


class _Repairs:
    """Sends what moves executions, within bounds. It asks the queue once, and only if there is something to send."""

    def __init__(self, queue: MessageQueue) -> None:
        self._queue = queue
        self._asked = self.queue_is_behind = False
        self._left = REPAIRS_MAX

    async def make(self, found: _Found) -> bool:
        """Whether it was done. Raises QueueUnavailable."""
        if not found.messages or not self._left:
            return False
        if not self._asked:
            self.queue_is_behind = (await self._queue.backlog()).is_behind
            self._asked = True
        if self.queue_is_behind:
            return False
        for message in found.messages:
            await self._queue.send(message)
        self._left -= 1
        return True


async def sweep(
    wiring: Wiring, quiet_milliseconds: int = QUIET_MILLISECONDS, *, after: str = "", deadline: int | None = None
) -> SweepReport:
    """Look at every open execution whose newest record is older than that. Raises StoreError or QueueUnavailable.

    `after` is where another sweep stopped; `deadline`, epoch milliseconds, when this one stops.
    """
    looked_at = 0
    findings: list[Finding] = []
    repairs = _Repairs(wiring.queue)
    async for batch in _batches(_open_executions(wiring, after)):
        if deadline is not None and wiring.clock.now() >= deadline:
            return SweepReport(looked_at, tuple(findings), after, repairs.queue_is_behind)
        looking = (_look_at(wiring, arn, quiet_milliseconds) for arn, _place in batch)
        for (arn, place), found in zip(batch, await asyncio.gather(*looking, return_exceptions=True), strict=True):
            if isinstance(found, BaseException):
                raise found
            if found is not None:
                findings.append(Finding(arn, found.reason, await repairs.make(found)))
            after = place
        looked_at += len(batch)
    return SweepReport(looked_at, tuple(findings), None, repairs.queue_is_behind)


def _open_executions(wiring: Wiring, after: str) -> AsyncIterator[tuple[str, str]]:
    store = wiring.store
    return store.open_executions(after) if isinstance(store, OpenListing) else _newest_first(store, after)


async def _newest_first(store: ExecutionStore, after: str) -> AsyncIterator[tuple[str, str]]:
    while page := await store.executions(ExecutionStatus.RUNNING, before=after or None, limit=_PAGE):
        for summary in page:
            yield summary.arn, summary.arn
        after = page[-1].arn


async def _batches(listed: AsyncIterator[tuple[str, str]]) -> AsyncIterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    async for each in listed:
        batch.append(each)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _look_at(wiring: Wiring, arn: str, quiet_milliseconds: int) -> _Found | None:
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
        return _Found(Reason.UNREADABLE)
    except ExecutionDoesNotExist:  # expired since it was listed
        return None
    if reason is None:
        return None
    if reason is Reason.LOST_TIMER:
        return _Found(reason, (Message(execution_arn=arn, owner=wiring.new_owner(), timer_at=execution.timer_at),))
    return _Found(reason, tuple(Message(execution_arn=arn, owner=owner) for owner in sorted(owners)))


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
