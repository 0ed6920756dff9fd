"""Reading and writing the records of one execution.

A record says which record is the newest keyframe, so loading reads a page of the newest records and then exactly what
is missing. The page is as large as one read unit: six records of a typical Task, 700 bytes each.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from asl_engine.errors import ExecutionDoesNotExist, StoreCorrupt
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.codec import decode_history, decode_record, encode_record
from asl_engine.store.dynamodb.bodies import Bodies
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.heads import Head, first_head, head_of_execution
from asl_engine.store.dynamodb.table import (
    EXPIRY_ATTRIBUTE,
    FIRST_RECORD,
    LAST_ATTRIBUTE,
    LAST_RECORD,
    Item,
    key,
    record_sk,
)
from asl_engine.store.journal import Record, Tail, fold

_NEWEST_RECORDS: Final = 6
_FIRST_PAGE_RECORDS: Final = 16
_PAGE_RECORDS: Final = 128
_WRITE_ID_BYTES: Final = 6
_RECORDS_BETWEEN: Final = "pk = :pk AND sk BETWEEN :first AND :last"


@dataclass(frozen=True, slots=True)
class Known:
    """What this process knows of an execution as of its newest record here. `keyframe` is the sequence of the newest.

    `consumed` are inbox messages that are answered, and that may lie in the inbox still.
    """

    head: Head
    sequence: int
    keyframe: int
    at: int
    last_event_id: int
    tail: Tail
    consumed: frozenset[int] = field(default_factory=frozenset)


def new_write_id() -> dict[str, bytes]:
    """Tells this write from any other, as the value of `w`."""
    return {"B": secrets.token_bytes(_WRITE_ID_BYTES)}


class Journals:
    """The journals in a table."""

    def __init__(self, client: Client, bodies: Bodies) -> None:
        self._client, self._bodies = client, bodies

    async def append(self, record: Record, before: Known | None) -> Known | None:
        """Write a record behind what is known; None: its sequence number exists."""
        body = encode_record(record, small=True)
        after = _known_after(record, before, len(body))
        item = key(record.execution_arn, record_sk(record.sequence))
        item |= {"k": {"N": str(after.keyframe)}, "e": {"N": str(after.last_event_id)}, "w": new_write_id()}
        what = f"record {record.sequence} of {record.execution_arn}"
        item |= await self._bodies.kept(body, what)
        return after if await self._client.put_if(item) else None

    async def load(self, execution_arn: str) -> tuple[Execution, Known]:
        """The execution, folded from its newest keyframe. Raises ExecutionDoesNotExist."""
        items = await self._tail(execution_arn)
        bodies = await asyncio.gather(*[self._body(item) for item in items])
        records, tail = [], Tail()
        for item, body in zip(items, bodies, strict=True):
            record = self._read(item, body)
            records.append(record)
            tail = tail.followed_by(record, len(body))
        with self._naming("the journal", execution_arn):
            execution = fold(records)
        known = Known(
            head_of_execution(execution),
            execution.sequence,
            records[0].sequence,
            execution.at,
            int(items[-1]["e"]["N"]),
            tail,
            frozenset(message for record in records for message in record.consumed),
        )
        return execution, known

    async def caught_up(self, held: Execution, known: Known) -> tuple[Execution, Known] | None:
        """The execution that is held, and newer records folded into it; None: it takes a load to know, or less.

        What is known must be no older than what is held.
        """
        values = {":pk": held.arn, ":first": record_sk(held.sequence + 1), ":last": LAST_RECORD}
        items: list[Item] = []
        async for page in self._client.query(_RECORDS_BETWEEN, values, page=_PAGE_RECORDS):
            items += page
            if len(items) >= _PAGE_RECORDS:  # a load begins at the newest keyframe, however far behind this is
                return None
        if not items or expires(items[-1]):
            return None
        bodies = await asyncio.gather(*[self._body(item) for item in items])
        records = [self._read(item, body) for item, body in zip(items, bodies, strict=True)]
        for record, body in zip(records, bodies, strict=True):
            if record.sequence > known.sequence:
                known = _known_after(record, known, len(body))
        with self._naming("the journal", held.arn):
            return fold(records, held), known

    async def first(self, execution_arn: str) -> Head:
        """The head after record 0. Raises ExecutionDoesNotExist."""
        item = await self._client.get(key(execution_arn, FIRST_RECORD))
        if item is None:
            raise does_not_exist(execution_arn)
        if expires(item):
            await self._newest(execution_arn, 1)
        return first_head(self._read(item, await self._body(item)))

    async def bodies(
        self, execution_arn: str, *, newest_first: bool, start: int | None = None
    ) -> AsyncIterator[tuple[Item, bytes]]:
        """The record items and their bodies in order, from the sequence `start`.

        Raises ExecutionDoesNotExist, also behind some of them if that is where they begin to be missing.
        """
        first, last = FIRST_RECORD, LAST_RECORD
        if start is not None:
            first, last = (first, record_sk(start)) if newest_first else (record_sk(start), last)
        last_read: Item | None = None
        async for page in self._client.query(
            _RECORDS_BETWEEN,
            {":pk": execution_arn, ":first": first, ":last": last},
            newest_first=newest_first,
            first_page=_FIRST_PAGE_RECORDS,
            page=_PAGE_RECORDS,
        ):
            bodies = await asyncio.gather(*[self._body(item) for item in page])
            for item, body in zip(page, bodies, strict=True):
                if last_read is not None:
                    _check_follows(*((item, last_read) if newest_first else (last_read, item)))
                elif start is None:
                    _check_end(item, newest_first=newest_first)
                elif _sequence(item) != start:
                    raise _missing(start, item)
                last_read = item
                yield item, body
        if last_read is None:
            raise does_not_exist(execution_arn)
        _check_end(last_read, newest_first=not newest_first)

    async def records(self, execution_arn: str, *, newest_first: bool) -> AsyncIterator[Record]:
        """The records in order. Raises ExecutionDoesNotExist."""
        async for item, body in self.bodies(execution_arn, newest_first=newest_first):
            yield self._read(item, body)

    def history_of(self, item: Item, body: bytes) -> tuple[HistoryEvent, ...]:
        """The history events in a record's body."""
        with self._naming(_sequence(item), item["pk"]["S"]):
            return decode_history(body, execution_arn=item["pk"]["S"])

    async def items(self, execution_arn: str) -> AsyncIterator[Item]:
        """The record items, oldest first, without their bodies in S3."""
        values = {":pk": execution_arn, ":first": FIRST_RECORD, ":last": LAST_RECORD}
        async for page in self._client.query(_RECORDS_BETWEEN, values, page=_PAGE_RECORDS):
            for item in page:
                yield item

    async def leaves_traces(self, execution_arn: str) -> bool:
        """Whether there is any item of such an execution, eventually consistent."""
        async for _page in self._client.query("pk = :pk", {":pk": execution_arn}, page=1, consistent=False):
            return True
        return False

    async def sequence_reaching(self, execution_arn: str, event_id: int) -> int | None:
        """The sequence of the first record by which history has this event; None if it has not come so far.

        Each record names its last event, so this halves what is left with one read. Raises ExecutionDoesNotExist.
        """
        newest = await self._newest(execution_arn, 1)
        if int(newest[0]["e"]["N"]) < event_id:
            return None
        low, high = 0, _sequence(newest[0])
        while low < high:
            middle = (low + high) // 2
            item = await self._client.get(key(execution_arn, record_sk(middle)))
            if item is None:
                raise _missing(middle, newest[0])
            low, high = (low, middle) if int(item["e"]["N"]) >= event_id else (middle + 1, high)
        return low

    async def _newest(self, execution_arn: str, count: int) -> list[Item]:
        """The newest record items, newest first. Raises ExecutionDoesNotExist, also if newer ones have expired."""
        values = {":pk": execution_arn, ":first": FIRST_RECORD, ":last": LAST_RECORD}
        async for page in self._client.query(_RECORDS_BETWEEN, values, newest_first=True, page=count):
            _check_end(page[0], newest_first=True)
            return page
        raise does_not_exist(execution_arn)

    async def _tail(self, execution_arn: str) -> list[Item]:
        """The items from the newest keyframe on, oldest first. Raises ExecutionDoesNotExist."""
        newest = await self._newest(execution_arn, _NEWEST_RECORDS)
        keyframe, oldest = int(newest[0]["k"]["N"]), _sequence(newest[-1])
        older: list[Item] = []
        if oldest > keyframe:
            values = {":pk": execution_arn, ":first": record_sk(keyframe), ":last": record_sk(oldest - 1)}
            older = [item async for page in self._client.query(_RECORDS_BETWEEN, values) for item in page]
        items = older + [item for item in reversed(newest) if _sequence(item) >= keyframe]
        whole = range(keyframe, _sequence(newest[0]) + 1)
        if expires(newest[0]) and [_sequence(item) for item in items] != [*whole]:
            raise does_not_exist(execution_arn)
        return items

    async def _body(self, item: Item) -> bytes:
        with self._naming(_sequence(item), item["pk"]["S"]):
            return await self._bodies.body(item)

    def _read(self, item: Item, body: bytes) -> Record:
        with self._naming(_sequence(item), item["pk"]["S"]):
            return decode_record(body, execution_arn=item["pk"]["S"])

    @contextmanager
    def _naming(self, part: int | str, execution_arn: str) -> Iterator[None]:
        """Say where it was that something could not be read."""
        try:
            yield
        except StoreCorrupt as error:
            name = f"record {part}" if isinstance(part, int) else part
            place = f"dynamodb:{self._client.table}"
            raise StoreCorrupt(f"{place}: {name} of {execution_arn} cannot be read: {error}") from error


def does_not_exist(name_or_arn: str) -> ExecutionDoesNotExist:
    """No execution has this name or ARN."""
    return ExecutionDoesNotExist(f"Execution Does Not Exist: '{name_or_arn}'")


def expires(item: Item) -> bool:
    """Whether it is a record of an execution that has ended, and is deleted some day, in no particular order."""
    return EXPIRY_ATTRIBUTE in item


def _check_end(item: Item, *, newest_first: bool) -> None:
    """Check that no record is missing after the newest that is there, or before the oldest."""
    sequence = _sequence(item)
    if newest_first and expires(item) and item.get(LAST_ATTRIBUTE) != {"N": str(sequence)}:
        raise _missing(sequence + 1, item)
    if not newest_first and sequence != 0:
        raise _missing(sequence - 1, item)


def _check_follows(item: Item, following: Item) -> None:
    """Check that no record is missing between two."""
    if _sequence(following) != _sequence(item) + 1:
        raise _missing(_sequence(item) + 1, following)


def _missing(sequence: int, beside: Item) -> ExecutionDoesNotExist | StoreCorrupt:
    """What a missing record means: what expires is gone with its first item, and nothing else is ever deleted."""
    arn = beside["pk"]["S"]
    if expires(beside):
        return does_not_exist(arn)
    return StoreCorrupt(f"record {sequence} of {arn} is missing; restore the table from a backup")


def _sequence(item: Item) -> int:
    return int(item["sk"]["S"][1:])


def _known_after(record: Record, before: Known | None, size: int) -> Known:
    last = record.history[-1].id if record.history else before.last_event_id if before is not None else 0
    consumed = frozenset(record.consumed)
    if before is None:
        return Known(
            first_head(record),
            record.sequence,
            record.sequence,
            record.at,
            last,
            Tail().followed_by(record, size),
            consumed,
        )
    return Known(
        before.head.after(record),
        record.sequence,
        record.sequence if record.keyframe else before.keyframe,
        record.at,
        last,
        before.tail.followed_by(record, size),
        before.consumed | consumed,
    )
