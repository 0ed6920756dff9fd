"""DynamoDbStore: journals in a DynamoDB table that any number of processes use at once.

An append is one conditional put. What follows from the journal is written after it, by puts that may be repeated: an
execution's head when its status changes, and the removal of the inbox messages that a record consumed.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from asl_engine.errors import Conflict, StoreCorrupt
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.dynamodb.bodies import Bodies
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.expiry import Expiry
from asl_engine.store.dynamodb.heads import Head, head_of_execution
from asl_engine.store.dynamodb.journals import Journals, Known
from asl_engine.store.dynamodb.leases import Leases
from asl_engine.store.dynamodb.listing import Listing
from asl_engine.store.dynamodb.mailbox import Mailbox
from asl_engine.store.dynamodb.resources import DynamoDbResources
from asl_engine.store.dynamodb.table import key
from asl_engine.store.journal import Record
from asl_engine.store.protocol import ExecutionSummary, InboxMessage

_KNOWN_MAX: Final = 20_000
# What is known here was true then. An execution may have ended elsewhere since and expire after a day at the soonest,
# and nothing may be appended to what is left of it.
_KNOWN_MILLISECONDS_MAX: Final = 12 * 60 * 60 * 1000
# Of how many executions it is known here that they are listed. Whoever put a head is soon asked to make sure of it.
_LISTED_MAX: Final = 2_000
# From here on marking the records takes seconds, and the listing should not be behind for so long.
_LONG_RECORDS: Final = 1_000


class DynamoDbStore:
    """An ExecutionStore in a table. `bucket` keeps what is large; `expire_days` after its end an execution expires."""

    def __init__(self, client: Client, *, bucket: str | None = None, expire_days: int | None = None) -> None:
        self.client, self.expire_days = client, expire_days
        self._bodies = Bodies(client, bucket)
        self._journals = Journals(client, self._bodies)
        self._expiry = Expiry(client, self._journals, expire_days)
        self._listing = Listing(client, self._journals)
        self._mailbox = Mailbox(client, self._bodies)
        self._leases = Leases(client)
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._listed: OrderedDict[str, ExecutionSummary] = OrderedDict()
        self._definitions: set[str] = set()

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append. The head follows when the status changes; StoreUnavailable may come from there."""
        arn = record.execution_arn
        before = None if record.sequence == 0 else await self._known_before(record)
        if before is not None and _redrives(before, record):
            await self._expiry.unmark(arn, before.sequence)
        is_possible = before is not None or await self._expiry.make_room(arn)
        after = await self._journals.append(record, before) if is_possible else None
        if after is None:
            if before is None:
                await self._repeat_start(arn)
            raise Conflict(f"record {record.sequence} of {arn} exists")
        self._remember(arn, after)
        if before is None or after.head is not before.head:
            await self._put_head(after.head, None if before is None else before.head)
        if record.consumed:
            await self._mailbox.delete(arn, record.consumed)
            self._remember(arn, replace(after, consumed=after.consumed.difference(record.consumed)))

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        """See ExecutionStore.load."""
        known, caught_up = self._known.get(execution_arn), None
        if held is not None and known is not None and known.sequence >= held.sequence:
            caught_up = await self._journals.caught_up(held, known)
        execution, known = caught_up or await self._journals.load(execution_arn)
        self._remember(execution_arn, known)
        return execution

    def keyframe_due(self, execution_arn: str) -> bool:
        """See ExecutionStore.keyframe_due."""
        return execution_arn in self._known and self._known[execution_arn].tail.keyframe_due

    async def named(self, name_or_arn: str) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.named. A name, unlike an ARN, is looked for among all executions."""
        return await self._listing.named(name_or_arn)

    async def history(
        self, execution_arn: str, *, after: int = 0, reverse: bool = False
    ) -> AsyncIterator[HistoryEvent]:
        """See ExecutionStore.history."""
        start: int | None = None
        if after > 0:
            start = await self._journals.sequence_reaching(execution_arn, after - 1 if reverse else after + 1)
            if start is None and not reverse:
                return
        async for item, body in self._journals.bodies(execution_arn, newest_first=reverse, start=start):
            events = self._journals.history_of(item, body)
            for event in reversed(events) if reverse else events:
                if not after or (event.id < after if reverse else event.id > after):
                    yield event

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        """See ExecutionStore.records."""
        async for record in self._journals.records(execution_arn, newest_first=newest_first):
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
        """See ExecutionStore.executions. Eventually consistent."""
        return await self._listing.executions(status, state_machine_arn, qualified_arn, before, limit)

    def open_executions(self, after: str = "") -> AsyncIterator[tuple[str, str]]:
        """ARNs of executions that are RUNNING, or were lately, and the place of each: `after` it one can go on."""
        return self._listing.open_executions(after)

    async def ensure_listed(self, execution: Execution) -> None:
        """Write the execution's head if it is missing or stale, and its expiry if it has ended."""
        head = head_of_execution(execution)
        if self._listed.pop(execution.arn, None) == head.summary:
            return
        # To put a head twice costs little, to mark all records twice does not.
        listed = await self._listing.head(
            execution.arn, consistent=self._expiry.expires_at(execution.stopped_at) is not None
        )
        if listed is None or (
            self._lacks_expiry(listed) if listed.summary == head.summary else listed.sequence < head.sequence
        ):
            await self._put_head(head, listed)

    async def put_definition(self, sha256: str, text: str) -> None:
        """See ExecutionStore.put_definition. Reading whether it is there costs a tenth of writing it."""
        self.client.check_open()
        if sha256 in self._definitions:
            return
        place = key(f"definition#{sha256}", "-")
        if await self.client.get(place, consistent=False) is None:
            body = zlib.compress(text.encode("utf-8", "surrogatepass"))
            await self.client.put(place | await self._bodies.kept(body, f"the definition {sha256}"))
        self._definitions.add(sha256)

    async def definition(self, sha256: str) -> str:
        """See ExecutionStore.definition."""
        item = await self.client.get(key(f"definition#{sha256}", "-"))
        if item is None:
            place = f"dynamodb:{self.client.table}"
            raise StoreCorrupt(f"{place}: the definition {sha256} is not in this store. Restore it from a backup")
        return zlib.decompress(await self._bodies.body(item)).decode("utf-8", "surrogatepass")

    async def send(self, execution_arn: str, event: Event) -> None:
        """See ExecutionStore.send."""
        if execution_arn not in self._known:
            await self._journals.first(execution_arn)
        await self._mailbox.send(execution_arn, event)

    async def inbox(self, execution_arn: str) -> Sequence[InboxMessage]:
        """See ExecutionStore.inbox. What a record consumed whose writer then died is deleted here."""
        known = self._known.get(execution_arn)
        if known is None:
            _execution, known = await self._journals.load(execution_arn)
            self._remember(execution_arn, known)
        consumed = known.consumed
        messages = await self._mailbox.messages(execution_arn)
        left_over = [message.id for message in messages if message.id in consumed]
        await self._mailbox.delete(execution_arn, left_over)
        return [message for message in messages if message.id not in consumed]

    async def addressees(self) -> Sequence[str]:
        """See ExecutionStore.addressees."""
        return await self._mailbox.addressees()

    def resources(self) -> DynamoDbResources:
        """The resources that are kept in the same table. They are closed with this store."""
        return DynamoDbResources(self.client, self._bodies)

    async def claim(self, execution_arn: str) -> None:
        """See ExecutionStore.claim. The claim of a process that was killed ends after half a minute."""
        await self._leases.take(execution_arn)

    async def release(self, execution_arn: str) -> None:
        """See ExecutionStore.release."""
        self._known.pop(execution_arn, None)
        await self._leases.give_back(execution_arn)

    async def close(self) -> None:
        """See ExecutionStore.close."""
        await self._leases.close()
        await self.client.close()
        self._known.clear()

    async def _known_before(self, record: Record) -> Known:
        """What the record follows. Raises Conflict and ExecutionDoesNotExist."""
        arn = record.execution_arn
        self.client.check_open()
        known = self._known.get(arn)
        is_old = known is not None and record.at - known.at > _KNOWN_MILLISECONDS_MAX
        if known is None or is_old or known.sequence < record.sequence - 1:
            _execution, known = await self._journals.load(arn)
            self._remember(arn, known)
        if known.sequence >= record.sequence:
            raise Conflict(f"record {record.sequence} of {arn} exists")
        assert known.sequence == record.sequence - 1, "a journal has no gaps"
        return known

    async def _repeat_start(self, execution_arn: str) -> None:
        """A start that is repeated may be one whose writer died before it put the head."""
        execution, _known = await self._journals.load(execution_arn)
        await self.ensure_listed(execution)

    async def _put_head(self, head: Head, before: Head | None) -> None:
        """A head expires once all records do: while it does not, or is stale, they are still to be marked."""
        expires_at = self._expiry.expires_at(head.summary.stopped_at)
        if expires_at is None or head.sequence >= _LONG_RECORDS:
            await self._listing.put(head, replaces=before)
            before = head
        if expires_at is not None:
            await self._expiry.mark(head.summary.arn, expires_at, head.sequence)
            await self._listing.put(replace(head, expires_at=expires_at), replaces=before)
        self._listed[head.summary.arn] = head.summary
        if len(self._listed) > _LISTED_MAX:
            self._listed.popitem(last=False)

    def _lacks_expiry(self, head: Head) -> bool:
        return head.expires_at is None and self._expiry.expires_at(head.summary.stopped_at) is not None

    def _remember(self, execution_arn: str, known: Known) -> None:
        if known.head.summary.status is not ExecutionStatus.RUNNING and not known.consumed:
            self._known.pop(execution_arn, None)
            return
        self._known[execution_arn] = known
        self._known.move_to_end(execution_arn)
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)


def _redrives(before: Known, record: Record) -> bool:
    """Whether the record redrives an execution that has ended."""
    status = record.execution_fields.get("status", before.head.summary.status)
    return before.head.summary.status is not ExecutionStatus.RUNNING and status is ExecutionStatus.RUNNING
