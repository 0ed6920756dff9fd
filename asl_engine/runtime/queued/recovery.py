"""Recovery: what the records of redelivered messages asked for and left no trace of in the execution.

An open attempt names its message, and a deadline is found in its frame. A cancelled attempt is gone from the frames,
and that a timer was set does not say that it was sent: for these the records are read again, newest first, as far back
as the message may reach. A job may have been asked for just before another runner cancelled its attempt, which found
nothing to stop: so whoever has a message stops what was cancelled of its attempts, too, whosever record did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from asl_engine.errors import ExecutionDoesNotExist, StoreUnavailable
from asl_engine.interpreter.commands import CancelTask
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.runtime.queued.plan import Plan
from asl_engine.runtime.queued.ports import Received
from asl_engine.store.journal import Record
from asl_engine.store.protocol import ExecutionStore

# How much older than its message a record may seem that the message led to: clocks of two hosts differ.
_CLOCKS_DIFFER_MILLISECONDS: Final = 600_000
# Two runners with copies of a message might write the same record; then each may take it for its own.
_identity = attrgetter("sequence", "at", "owner", "events")


async def append(store: ExecutionStore, plan: Plan) -> None:
    """Make a plan's record durable. Raises Conflict, and StoreUnavailable if nobody knows whether it is.

    A store that fails may have written, or failed with what follows the record: it is read, or else a record that is
    durable would be told to nobody, and what it asks for would wait for the next delivery of its message.
    """
    record = plan.keyframe if store.keyframe_due(plan.record.execution_arn) else plan.record
    try:
        await store.append(record)
    except StoreUnavailable:
        if not await _is_written(store, record):
            raise


async def _is_written(store: ExecutionStore, record: Record) -> bool:
    with suppress(ExecutionDoesNotExist):
        async for each in store.records(record.execution_arn):
            if each.sequence <= record.sequence:
                return _identity(each) == _identity(record)
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far back messages may reach: to the record after `after`, and to the time at which the first was sent.

    What is handed over may be as old as it wants: there, only `after` counts.
    """

    after: int
    sent_at: int

    @classmethod
    def of(cls, received: Sequence[Received]) -> Reach:
        """The reach of messages together."""
        return cls(
            after=min(each.message.after for each in received),
            sent_at=min(0 if each.message.only_goes_on else each.sent_at for each in received),
        )

    def ends_before(self, record: Record) -> bool:
        """Whether neither the record nor an older one is theirs."""
        return record.sequence <= self.after or record.at < self.sent_at - _CLOCKS_DIFFER_MILLISECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """`newest` is the owner of the newest record if it is one of ours; `set_timer` says that we set the timer that is
    set; `is_behind`, that a newer record than the execution's was written meanwhile."""

    cancels: tuple[CancelTask, ...] = ()
    newest: str | None = None
    set_timer: bool = False
    is_behind: bool = False

    def cancelled_early(self, job_states: frozenset[str]) -> bool:
        """Whether a job was cancelled before it was known to have started: it may start yet."""
        attempts = [command.attempt for command in self.cancels]
        return any(each.state_name in job_states and not each.submitted for each in attempts)


async def recover(
    store: ExecutionStore,
    execution: Execution,
    owners: frozenset[str],
    *,
    loaded: int,
    reach: Reach,
    has_jobs: bool,
) -> Recovered:
    """Read the records of these owners back to where their messages begin; the newest in any case.

    Those after the sequence that was `loaded` were written by whoever asks, who does what they ask for. Where there are
    no jobs to stop, the record that set the timer is the last one that matters.
    """
    newest, cancels, set_by_us = None, [], False
    setter_is_known = execution.timer_at is None or execution.status is not ExecutionStatus.RUNNING
    async for record in store.records(execution.arn):
        is_newest = record.sequence >= execution.sequence
        if record.sequence > execution.sequence:
            return Recovered(is_behind=True)
        if not is_newest and (reach.ends_before(record) or (setter_is_known and not has_jobs)):
            break
        ours = bool(owners.intersection(record.owner.split()))
        if ours and is_newest:
            newest = record.owner.partition(" ")[0]
        undone = ours and record.sequence <= loaded
        if record.sequence <= loaded:
            cancelled = (command for command in record.commands if isinstance(command, CancelTask))
            cancels += [command for command in cancelled if undone or command.attempt.owner in owners]
        if not setter_is_known and _may_have_set_timer(record, execution) and (undone or not record.keyframe):
            setter_is_known, set_by_us = True, undone
    return Recovered(cancels=tuple(cancels), newest=newest, set_timer=set_by_us)


async def consumed(store: ExecutionStore, execution_arn: str, event: Event, owner: str, after: int) -> bool:
    """Whether a record after that one consumed the event of this message."""
    async for record in store.records(execution_arn):
        if record.sequence <= after:
            return False
        if owner in record.owner.split() and event in record.events:
            return True
    return False


def _may_have_set_timer(record: Record, execution: Execution) -> bool:
    """A keyframe repeats every field: one says nothing unless it may have been ours to finish."""
    return record.execution_fields.get("timer_at") == execution.timer_at
