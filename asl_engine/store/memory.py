"""MemoryStore: journals in this process's memory, for tests and for runs that need not survive it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from asl_engine.errors import Conflict, ExecutionClaimed, ExecutionDoesNotExist, StoreCorrupt, StoreUnavailable
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.inbox import refuse_second_answer
from asl_engine.store.journal import Record, Tail, fold
from asl_engine.store.protocol import ExecutionSummary, InboxMessage


@dataclass(slots=True)
class _Journal:
    records: list[Record] = field(default_factory=list)
    keyframe: int = 0  # sequence of the newest
    tail: Tail = field(default_factory=Tail)
    execution_fields: dict[str, Any] = field(default_factory=dict)
    inbox: dict[int, Event] = field(default_factory=dict)

    def append(self, record: Record) -> None:
        if record.keyframe:
            self.keyframe = record.sequence
        self.tail = self.tail.followed_by(record, size=0)
        self.records.append(record)
        self.execution_fields.update(record.execution_fields)
        for message_id in record.consumed:
            self.inbox.pop(message_id, None)

    def summary(self, arn: str) -> ExecutionSummary:
        known = self.execution_fields
        return ExecutionSummary(
            arn=arn,
            name=known["name"],
            state_machine_arn=known["state_machine_arn"],
            status=known["status"],
            started_at=known["started_at"],
            stopped_at=known["stopped_at"],
            state_machine_version_arn=known["state_machine_version_arn"],
            state_machine_alias_arn=known["state_machine_alias_arn"],
        )


class MemoryStore:
    """An ExecutionStore that ends with its process."""

    def __init__(self) -> None:
        self._journals: dict[str, _Journal] = {}
        self._definitions: dict[str, str] = {}
        self._claimed: set[str] = set()
        self._message_ids = count(1)
        self._closed = False

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append."""
        self._check_open()
        if record.sequence == 0:
            journal = self._journals.setdefault(record.execution_arn, _Journal())
        else:
            journal = self._journal(record.execution_arn)
        if record.sequence < len(journal.records):
            raise Conflict(f"record {record.sequence} of {record.execution_arn} exists")
        assert record.sequence == len(journal.records), "a journal has no gaps"
        journal.append(record)

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        """See ExecutionStore.load."""
        journal = self._journal(execution_arn)
        if held is not None and held.sequence >= journal.keyframe:
            return fold(journal.records[held.sequence + 1 :], held)
        return fold(journal.records[journal.keyframe :])

    def keyframe_due(self, execution_arn: str) -> bool:
        """See ExecutionStore.keyframe_due."""
        journal = self._journals.get(execution_arn)
        return journal is not None and journal.tail.keyframe_due

    async def named(self, name_or_arn: str) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.named."""
        named = [summary for summary in await self.executions() if name_or_arn in {summary.arn, summary.name}]
        if not named:
            raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{name_or_arn}'")
        return named

    async def history(
        self, execution_arn: str, *, after: int = 0, reverse: bool = False
    ) -> AsyncIterator[HistoryEvent]:
        """See ExecutionStore.history."""
        records = tuple(self._journal(execution_arn).records)
        for record in reversed(records) if reverse else records:
            for event in reversed(record.history) if reverse else record.history:
                if not after or (event.id < after if reverse else event.id > after):
                    yield event

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        """See ExecutionStore.records."""
        records = tuple(self._journal(execution_arn).records)
        for record in reversed(records) if newest_first else records:
            yield record

    async def executions(
        self,
        status: ExecutionStatus | None = None,
        *,
        state_machine_arn: str | None = None,
        qualified_arn: str | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.executions."""
        self._check_open()
        newest_first = [journal.summary(arn) for arn, journal in reversed(self._journals.items())]
        newest_first.sort(key=lambda summary: summary.started_at, reverse=True)
        if before is not None:
            self._journal(before)
            newest_first = newest_first[[summary.arn for summary in newest_first].index(before) + 1 :]
        chosen = [
            summary
            for summary in newest_first
            if status in {None, summary.status}
            and state_machine_arn in {None, summary.state_machine_arn}
            and qualified_arn in {None, summary.state_machine_version_arn, summary.state_machine_alias_arn}
        ]
        return chosen[:limit]

    async def put_definition(self, sha256: str, text: str) -> None:
        """See ExecutionStore.put_definition."""
        self._check_open()
        self._definitions.setdefault(sha256, text)

    async def definition(self, sha256: str) -> str:
        """See ExecutionStore.definition."""
        self._check_open()
        if sha256 not in self._definitions:
            raise StoreCorrupt(f"the definition {sha256} is not in this store")
        return self._definitions[sha256]

    async def send(self, execution_arn: str, event: Event) -> None:
        """See ExecutionStore.send."""
        inbox = self._journal(execution_arn).inbox
        refuse_second_answer(event, inbox.values())
        inbox[next(self._message_ids)] = event

    async def inbox(self, execution_arn: str) -> Sequence[InboxMessage]:
        """See ExecutionStore.inbox."""
        return [InboxMessage(id_, execution_arn, event) for id_, event in self._journal(execution_arn).inbox.items()]

    async def addressees(self) -> Sequence[str]:
        """See ExecutionStore.addressees."""
        self._check_open()
        return [arn for arn, journal in self._journals.items() if journal.inbox]

    async def claim(self, execution_arn: str) -> None:
        """See ExecutionStore.claim."""
        self._check_open()
        if execution_arn in self._claimed:
            raise ExecutionClaimed(f"{execution_arn} is already being run by this process")
        self._claimed.add(execution_arn)

    async def release(self, execution_arn: str) -> None:
        """See ExecutionStore.release."""
        self._claimed.discard(execution_arn)

    async def close(self) -> None:
        """See ExecutionStore.close."""
        self._closed = True
        self._claimed.clear()

    def _journal(self, execution_arn: str) -> _Journal:
        self._check_open()
        try:
            return self._journals[execution_arn]
        except KeyError:
            raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{execution_arn}'") from None

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("this store is closed; open it again to use it")
