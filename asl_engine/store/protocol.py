"""The promise of a store. One contract suite (tests/store/contract.py) runs against every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.journal import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSummary:
    """One line of a listing. Times are epoch milliseconds."""

    arn: str
    name: str
    state_machine_arn: str
    status: ExecutionStatus
    started_at: int
    stopped_at: int | None
    state_machine_version_arn: str | None = None
    state_machine_alias_arn: str | None = None


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """An event from outside (a callback, a stop) that is durable but not yet applied."""

    id: int
    execution_arn: str
    event: Event


class ExecutionStore(Protocol):
    """Journals of executions, the definitions they are pinned to, and the events waiting for them.

    Every method may raise StoreUnavailable, StoreRefused or StoreCorrupt.
    """

    async def append(self, record: Record) -> None:
        """Make one outcome durable. Raises Conflict: this sequence number exists, nothing was written.

        Record 0 begins an execution; any other raises ExecutionDoesNotExist without one. When the caller is cancelled
        or the store fails meanwhile, the record may have been written: load to know.
        """

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        """Fold the journal from its newest keyframe. Raises ExecutionDoesNotExist.

        Of an execution that is `held`, as of one of its records, only the newer records are read, if the store can.
        """

    def keyframe_due(self, execution_arn: str) -> bool:
        """Whether the next record should be a keyframe (see journal.Tail). False for what was neither loaded nor
        appended to here."""

    async def named(self, name_or_arn: str) -> Sequence[ExecutionSummary]:
        """The execution with this ARN, or all with this name, newest first: each state machine has names of its own.

        Raises ExecutionDoesNotExist when there is none.
        """

    def history(self, execution_arn: str, *, after: int = 0, reverse: bool = False) -> AsyncIterator[HistoryEvent]:
        """History events with an id above `after` in order of id; when `reverse`, those below it (all for 0), newest
        first. Raises ExecutionDoesNotExist on the first step."""

    def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        """The records of an execution, read as they are asked for. Raises ExecutionDoesNotExist on the first step."""

    async def executions(
        self,
        status: ExecutionStatus | None = None,
        *,
        state_machine_arn: str | None = None,
        qualified_arn: str | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> Sequence[ExecutionSummary]:
        """Executions, newest first; `before` is the ARN of the one to go on behind.

        `qualified_arn` is that of the version or alias that they were started by.

        Raises ExecutionDoesNotExist when there is no such ARN.
        """

    async def put_definition(self, sha256: str, text: str) -> None:
        """Keep a definition's text under the hash of its content. Idempotent."""

    async def definition(self, sha256: str) -> str:
        """The text kept under this hash. Raises StoreCorrupt when it is missing."""

    async def send(self, execution_arn: str, event: Event) -> None:
        """Put an event from outside into the execution's inbox, durably. Raises ExecutionDoesNotExist.

        Raises Conflict when another answer to the same attempt waits there.
        """

    async def inbox(self, execution_arn: str) -> Sequence[InboxMessage]:
        """The events that wait for this execution, oldest first. A record that consumes them deletes them."""

    async def addressees(self) -> Sequence[str]:
        """The ARNs of the executions for which events wait in an inbox."""

    async def claim(self, execution_arn: str) -> None:
        """Become the one that runs this execution, until `release`, `close` or the end of this process.

        It need not exist yet. Raises ExecutionClaimed, also when this process holds the claim already.
        """

    async def release(self, execution_arn: str) -> None:
        """Give the claim back. Does nothing without one."""

    async def close(self) -> None:
        """Finish what was begun and let go of claims, files and threads. Anything later raises StoreUnavailable."""
