"""SqliteStore: journals in one SQLite file that several processes may use at once.

One thread writes and commits in groups with a full sync of the disk, another reads; both start with their first work.
An append is one transaction: the record, its execution's line in the listing, and the inbox messages it consumed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from asl_engine.errors import Conflict, ExecutionDoesNotExist, StoreCorrupt
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.claims import Claims
from asl_engine.store.codec import decode_event, decode_history, decode_record, encode_event, encode_record
from asl_engine.store.connection import SEQUENCE_BITS
from asl_engine.store.connection_thread import READING, WRITING, ConnectionThread
from asl_engine.store.inbox import refuse_second_answer
from asl_engine.store.journal import Record, Tail, fold
from asl_engine.store.protocol import ExecutionSummary, InboxMessage
from asl_engine.store.sqlite_resources import SqliteResources

_BUSY_SECONDS: Final = 10.0
_RECORDS_AT_ONCE: Final = 64
_MAX: Final = (1 << 63) - 1
_SEQUENCE_MASK: Final = (1 << SEQUENCE_BITS) - 1
_SELECT_NEWEST_FIRST: Final = "SELECT key, keyframe, body FROM records WHERE key >= ? AND key < ? ORDER BY key DESC"
_SELECT_HISTORY: Final = {
    False: """SELECT key, body FROM records
        WHERE key BETWEEN ? AND ? AND last_event_id > ? AND first_event_id < ? ORDER BY key LIMIT ?""",
    True: """SELECT key, body FROM records
        WHERE key BETWEEN ? AND ? AND last_event_id > ? AND first_event_id < ? ORDER BY key DESC LIMIT ?""",
}
_SELECT_RECORDS: Final = {
    False: "SELECT key, body FROM records WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?",
    True: "SELECT key, body FROM records WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT ?",
}
_SELECT_NEWEST_KEY: Final = """SELECT id, (SELECT max(key) FROM records WHERE key < (executions.id + 1) * ?)
    FROM executions WHERE arn = ?"""
_SELECT_ADDRESSEES: Final = "SELECT arn FROM executions WHERE id IN (SELECT execution FROM inbox)"
# What an execution's line in the listing shows.
_SUMMARY: Final = (
    "arn, name, state_machine_arn, status, started_at, stopped_at, state_machine_version_arn, state_machine_alias_arn"
)
_SELECT_NAMED: Final = (
    f"SELECT {_SUMMARY} FROM executions WHERE arn = ?1 OR name = ?1 ORDER BY started_at DESC, id DESC"  # noqa: S608
)
# Fields of an execution that can change and that its line in the listing shows.
_UPDATE_EXECUTION: Final = {
    "status": "UPDATE executions SET status = ? WHERE id = ?",
    "stopped_at": "UPDATE executions SET stopped_at = ? WHERE id = ?",
}


class SqliteStore:
    """An ExecutionStore in a file. `busy_seconds` bounds the wait for another process's write."""

    def __init__(self, path: str | Path, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._path = Path(os.path.realpath(path))  # whatever links lead to it, its claims are the same
        self._writer = ConnectionThread(self._path, begin=WRITING, busy_seconds=busy_seconds)
        self._reader = ConnectionThread(self._path, begin=READING, busy_seconds=busy_seconds)
        self._claims = Claims(self._path.with_name(f"{self._path.name}.lock"))
        self._tails: dict[str, Tail] = {}

    async def append(self, record: Record) -> None:
        """See ExecutionStore.append."""
        body = encode_record(record)
        await self._writer.run(partial(_append, record, body))
        arn = record.execution_arn
        if record.execution_fields.get("status", ExecutionStatus.RUNNING) is ExecutionStatus.RUNNING:
            self._tails[arn] = self._tails.get(arn, Tail()).followed_by(record, len(body))
        else:
            self._tails.pop(arn, None)

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        """See ExecutionStore.load."""
        execution, tail = await self._reader.run(partial(self._load, execution_arn, held))
        if execution.status is ExecutionStatus.RUNNING:
            self._tails[execution_arn] = tail
        return execution

    def keyframe_due(self, execution_arn: str) -> bool:
        """See ExecutionStore.keyframe_due."""
        return execution_arn in self._tails and self._tails[execution_arn].keyframe_due

    async def named(self, name_or_arn: str) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.named."""
        return await self._reader.run(partial(_named, name_or_arn))

    async def history(
        self, execution_arn: str, *, after: int = 0, reverse: bool = False
    ) -> AsyncIterator[HistoryEvent]:
        """See ExecutionStore.history."""
        above, below = (0, after or _MAX) if reverse else (after, _MAX)
        pages = self._pages(_SELECT_HISTORY[reverse], execution_arn, (above, below), reverse=reverse)
        async for sequence, body in pages:
            with self._naming(sequence, execution_arn):
                events = decode_history(body)
            for event in reversed(events) if reverse else events:
                if above < event.id < below:
                    yield event

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        """See ExecutionStore.records."""
        pages = self._pages(_SELECT_RECORDS[newest_first], execution_arn, (), reverse=newest_first)
        async for sequence, body in pages:
            with self._naming(sequence, execution_arn):
                record = decode_record(body)
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
        return await self._reader.run(partial(_executions, status, state_machine_arn, qualified_arn, before, limit))

    async def put_definition(self, sha256: str, text: str) -> None:
        """See ExecutionStore.put_definition."""
        statement = "INSERT OR IGNORE INTO definitions (sha256, text) VALUES (?, ?)"
        await self._writer.run(partial(_rows, statement, (sha256, text)))

    async def definition(self, sha256: str) -> str:
        """See ExecutionStore.definition."""
        statement = "SELECT text FROM definitions WHERE sha256 = ?"
        rows = await self._reader.run(partial(_rows, statement, (sha256,)))
        if not rows:
            raise StoreCorrupt(f"{self._path}: the definition {sha256} is not in this store. Restore it from a copy")
        return cast("str", rows[0][0])

    async def send(self, execution_arn: str, event: Event) -> None:
        """See ExecutionStore.send."""
        with self._naming("the inbox", execution_arn):
            await self._writer.run(partial(_send, execution_arn, event))

    async def inbox(self, execution_arn: str) -> Sequence[InboxMessage]:
        """See ExecutionStore.inbox."""
        rows = await self._reader.run(partial(_inbox, execution_arn))
        with self._naming("the inbox", execution_arn):
            return [InboxMessage(number, execution_arn, decode_event(body)) for number, body in rows]

    async def addressees(self) -> Sequence[str]:
        """See ExecutionStore.addressees."""
        rows = await self._reader.run(partial(_rows, _SELECT_ADDRESSEES, ()))
        return [arn for (arn,) in rows]

    def resources(self) -> SqliteResources:
        """The resources that are kept in the same file. They are closed with this store."""
        return SqliteResources(self._writer, self._reader)

    async def claim(self, execution_arn: str) -> None:
        """See ExecutionStore.claim."""
        self._claims.take(execution_arn)

    async def release(self, execution_arn: str) -> None:
        """See ExecutionStore.release."""
        self._claims.give_back(execution_arn)
        self._tails.pop(execution_arn, None)

    async def close(self) -> None:
        """See ExecutionStore.close."""
        await self._reader.close()
        await self._writer.close()
        self._claims.close()
        self._tails.clear()

    async def _pages(
        self, statement: str, execution_arn: str, conditions: tuple[int, ...], *, reverse: bool
    ) -> AsyncIterator[tuple[int, bytes]]:
        """Sequence and body of the records that a statement selects, read a few at a time."""
        execution = await self._reader.run(partial(_execution_id, execution_arn))
        first, last = _key(execution, 0), _key(execution + 1, 0) - 1
        while True:
            values = (first, last, *conditions, _RECORDS_AT_ONCE)
            page = await self._reader.run(partial(_rows, statement, values))
            for key, body in page:
                yield key & _SEQUENCE_MASK, body
            if len(page) < _RECORDS_AT_ONCE:
                return
            first, last = (first, page[-1][0] - 1) if reverse else (page[-1][0] + 1, last)

    def _load(
        self, execution_arn: str, held: Execution | None, connection: sqlite3.Connection
    ) -> tuple[Execution, Tail]:
        execution = _execution_id(execution_arn, connection)
        after = -1 if held is None else held.sequence
        rows = connection.execute(_SELECT_NEWEST_FIRST, (_key(execution, after + 1), _key(execution + 1, 0)))
        newest_first: list[tuple[Record, int]] = []
        for key, is_keyframe, body in rows:
            with self._naming(key & _SEQUENCE_MASK, execution_arn):
                newest_first.append((decode_record(body), len(body)))
            if is_keyframe:
                held = None  # it is older
                break
        rows.close()
        tail = Tail() if held is None else self._tails.get(execution_arn, Tail())
        for record, size in reversed(newest_first):
            tail = tail.followed_by(record, size)
        with self._naming("the journal", execution_arn):
            return fold((record for record, _size in reversed(newest_first)), held), tail

    @contextmanager
    def _naming(self, part: int | str, execution_arn: str) -> Iterator[None]:
        """Say where it was that something could not be read."""
        try:
            yield
        except StoreCorrupt as error:
            name = f"record {part}" if isinstance(part, int) else part
            raise StoreCorrupt(f"{self._path}: {name} of {execution_arn} cannot be read: {error}") from error


def _key(execution: int, sequence: int) -> int:
    return execution << SEQUENCE_BITS | sequence


def _rows(statement: str, values: Sequence[object], connection: sqlite3.Connection) -> list[Any]:
    return connection.execute(statement, values).fetchall()


def _execution_id(execution_arn: str, connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT id FROM executions WHERE arn = ?", (execution_arn,)).fetchone()
    if row is None:
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{execution_arn}'")
    return cast("int", row[0])


def _append(record: Record, body: bytes, connection: sqlite3.Connection) -> None:
    if record.sequence == 0:
        execution = _insert_execution(record, connection)
    else:
        execution = _check_next(record, connection)
        for name in _UPDATE_EXECUTION.keys() & record.execution_fields.keys():
            connection.execute(_UPDATE_EXECUTION[name], (record.execution_fields[name], execution))
    first, last = (record.history[0].id, record.history[-1].id) if record.history else (None, None)
    connection.execute(
        "INSERT INTO records (key, keyframe, first_event_id, last_event_id, body) VALUES (?, ?, ?, ?, ?)",
        (_key(execution, record.sequence), record.keyframe, first, last, body),
    )
    if record.consumed:
        connection.executemany("DELETE FROM inbox WHERE id = ?", [(number,) for number in record.consumed])


def _insert_execution(record: Record, connection: sqlite3.Connection) -> int:
    known = record.execution_fields
    cursor = connection.execute(
        f"INSERT INTO executions ({_SUMMARY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (arn) DO NOTHING",  # noqa: S608
        (
            record.execution_arn,
            known["name"],
            known["state_machine_arn"],
            known["status"],
            known["started_at"],
            known["stopped_at"],
            known["state_machine_version_arn"],
            known["state_machine_alias_arn"],
        ),
    )
    if cursor.rowcount == 0:
        raise Conflict(f"{record.execution_arn} exists")
    return cast("int", cursor.lastrowid)


def _check_next(record: Record, connection: sqlite3.Connection) -> int:
    """The execution's id, if the record is the next of its journal."""
    row = connection.execute(_SELECT_NEWEST_KEY, (_key(1, 0), record.execution_arn)).fetchone()
    if row is None:
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{record.execution_arn}'")
    execution, newest = cast("tuple[int, int]", row)
    key = _key(execution, record.sequence)
    if key <= newest:
        raise Conflict(f"record {record.sequence} of {record.execution_arn} exists")
    assert key == newest + 1, "a journal has no gaps"
    return execution


def _named(name_or_arn: str, connection: sqlite3.Connection) -> list[ExecutionSummary]:
    rows = connection.execute(_SELECT_NAMED, (name_or_arn,)).fetchall()
    if not rows:
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{name_or_arn}'")
    return [_summary(*row) for row in rows]


def _executions(
    status: ExecutionStatus | None,
    state_machine_arn: str | None,
    qualified_arn: str | None,
    before: str | None,
    limit: int | None,
    connection: sqlite3.Connection,
) -> list[ExecutionSummary]:
    conditions = {
        "status = ?": status,
        "state_machine_arn = ?": state_machine_arn,
        "? IN (state_machine_version_arn, state_machine_alias_arn)": qualified_arn,
        "(started_at, id) < (SELECT started_at, id FROM executions WHERE id = ?)": before
        and _execution_id(before, connection),
    }
    chosen = {condition: value for condition, value in conditions.items() if value is not None}
    where = f"WHERE {' AND '.join(chosen)}" if chosen else ""
    rows = connection.execute(
        f"SELECT {_SUMMARY} FROM executions {where} ORDER BY started_at DESC, id DESC LIMIT ?",  # noqa: S608
        (*chosen.values(), -1 if limit is None else limit),
    )
    return [_summary(*row) for row in rows]


def _summary(
    arn: str,
    name: str,
    machine_arn: str,
    status: str,
    started_at: int,
    stopped_at: int | None,
    version_arn: str | None,
    alias_arn: str | None,
) -> ExecutionSummary:
    return ExecutionSummary(
        arn=arn,
        name=name,
        state_machine_arn=machine_arn,
        status=ExecutionStatus(status),
        started_at=started_at,
        stopped_at=stopped_at,
        state_machine_version_arn=version_arn,
        state_machine_alias_arn=alias_arn,
    )


def _send(execution_arn: str, event: Event, connection: sqlite3.Connection) -> None:
    execution = _execution_id(execution_arn, connection)
    refuse_second_answer(event, (decode_event(body) for _, body in _inbox(execution_arn, connection)))
    connection.execute("INSERT INTO inbox (execution, event) VALUES (?, ?)", (execution, encode_event(event)))


def _inbox(execution_arn: str, connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    execution = _execution_id(execution_arn, connection)
    return connection.execute("SELECT id, event FROM inbox WHERE execution = ? ORDER BY id", (execution,)).fetchall()
