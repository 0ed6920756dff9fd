"""SqliteResources: documents in the file of a SqliteStore, written and read by its threads.

What was read lately is kept in memory: starting an execution reads its state machine, and going to the reader's thread
takes longer than the rest. Another process's write is noticed at the latest by the Conflict of the next write; only one
server writes a file at a time.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Final

from asl_engine.store.connection_thread import ConnectionThread
from asl_engine.store.resources import Change, Resource, check_revision

_RECENT_MAX: Final = 256
_KEY_END: Final = "\U0010ffff"
_SELECT: Final = "SELECT key, revision, document FROM resources WHERE kind = ? AND key = ?"
_SELECT_MANY: Final = """SELECT key, revision, document FROM resources
    WHERE kind = ? AND key >= ? AND key > ? AND key < ? ORDER BY key LIMIT ?"""
_UPSERT: Final = """INSERT INTO resources (kind, key, revision, document) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, key) DO UPDATE SET revision = excluded.revision, document = excluded.document"""


class SqliteResources:
    """A ResourceStore beside the executions. It is closed with their store."""

    def __init__(self, writer: ConnectionThread, reader: ConnectionThread) -> None:
        self._writer, self._reader = writer, reader
        self._writes = 0
        self._recent: OrderedDict[tuple[str, str], Resource] = OrderedDict()

    async def get(self, kind: str, key: str) -> Resource | None:
        """See ResourceStore.get."""
        recent = self._recent.get((kind, key))
        if recent is not None:
            return recent
        writes = self._writes
        found = await self._reader.run(partial(_rows, kind, _SELECT, (kind, key)))
        if not found:
            return None
        if writes == self._writes:
            self._remember(found[0])
        return found[0]

    async def write(self, *changes: Change) -> None:
        """See ResourceStore.write."""
        try:
            await self._writer.run(partial(_write, changes))
        finally:
            self._writes += 1
            for change in changes:
                self._recent.pop((change.kind, change.key), None)

    async def list(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int | None = None
    ) -> Sequence[Resource]:
        """See ResourceStore.list."""
        values = (kind, prefix, after, prefix + _KEY_END, -1 if limit is None else limit)
        return await self._reader.run(partial(_rows, kind, _SELECT_MANY, values))

    def _remember(self, resource: Resource) -> None:
        self._recent[resource.kind, resource.key] = resource
        if len(self._recent) > _RECENT_MAX:
            self._recent.popitem(last=False)


def _rows(kind: str, statement: str, values: Sequence[object], connection: sqlite3.Connection) -> list[Resource]:
    return [
        Resource(kind=kind, key=key, revision=revision, document=json.loads(document))
        for key, revision, document in connection.execute(statement, values)
    ]


def _write(changes: Sequence[Change], connection: sqlite3.Connection) -> None:
    for change in changes:
        row = connection.execute(
            "SELECT revision FROM resources WHERE kind = ? AND key = ?", (change.kind, change.key)
        ).fetchone()
        check_revision(change, row[0] if row is not None else 0)
    for change in changes:
        if change.document is None:
            connection.execute("DELETE FROM resources WHERE kind = ? AND key = ?", (change.kind, change.key))
        else:
            text = json.dumps(change.document, ensure_ascii=True)
            connection.execute(_UPSERT, (change.kind, change.key, change.revision + 1, text))
