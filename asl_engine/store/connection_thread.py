"""A thread that owns one SQLite connection and commits what is queued for it in groups.

Whatever arrives while a commit is under way goes into the next transaction together, so fifty appends cost a few
syncs of the disk and not fifty. A piece of work that raises an AslError has written nothing and spoils nothing for
its neighbours; when SQLite itself fails, the transaction is rolled back and each piece gets one of its own.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from asl_engine.errors import AslError, StoreUnavailable
from asl_engine.store.connection import connect, lengthen_log, store_error

T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], T]

READING: Final = "BEGIN"
WRITING: Final = "BEGIN IMMEDIATE"

_GROUP_MAX: Final = 256


class _Job:
    """Work that somebody awaits, and how it went."""

    __slots__ = ("future", "result", "work")

    def __init__(self, work: Work[Any], future: asyncio.Future[Any]) -> None:
        self.work, self.future = work, future
        self.result: object = None

    def perform(self, connection: sqlite3.Connection) -> None:
        try:
            self.result = self.work(connection)
        except AslError as error:
            self.result = error

    def settle(self) -> None:
        """Tell whoever awaits it. Runs in their event loop."""
        if self.future.done():
            return
        if isinstance(self.result, Exception):
            self.future.set_exception(self.result)
        else:
            self.future.set_result(self.result)


class ConnectionThread:
    """Performs work on its own connection. `begin` opens each transaction: READING or WRITING."""

    def __init__(self, path: Path, *, begin: str, busy_seconds: float) -> None:
        self._path, self._begin, self._busy_seconds = path, begin, busy_seconds
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """What the work returns or raises, once its transaction is committed. Raises StoreError."""
        if self._closed:
            raise StoreUnavailable(f"{self._path}: this store is closed; open it again to use it")
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"asl-store {self._path.name}", daemon=True)
            self._thread.start()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, future))
        return await future

    async def close(self) -> None:
        """Perform what is queued, close the connection and end the thread."""
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _serve(self) -> None:
        for group in self._groups():
            self._perform(group)
            _settle(group)
        if self._connection is not None:
            self._connection.close()

    def _perform(self, group: list[_Job]) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._path, self._busy_seconds)
                if self._begin == WRITING:
                    lengthen_log(self._connection, self._path)
            self._commit(self._connection, group)
        except Exception as error:  # whoever awaits the work is told
            failure = store_error(error, self._path) if isinstance(error, sqlite3.Error) else error
            for job in group:
                job.result = failure

    def _groups(self) -> Iterator[list[_Job]]:
        """What is queued, as much as there is at once, until the store is closed."""
        while (job := self._jobs.get()) is not None:
            group = [job]
            while len(group) < _GROUP_MAX and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    self._jobs.put(None)
                    break
                group.append(following)
            yield group

    def _commit(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        connection.execute(self._begin)  # when this fails, each alone would wait as long, for the same
        try:
            for job in group:
                job.perform(connection)
            connection.execute("COMMIT")
        except Exception:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(group) == 1:
                raise
            for job in group:
                self._perform([job])


def _settle(group: list[_Job]) -> None:
    """Wake each event loop once for all that it awaits."""
    jobs_of: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in group:
        jobs_of.setdefault(job.future.get_loop(), []).append(job)
    for loop, jobs in jobs_of.items():
        try:
            loop.call_soon_threadsafe(_settle_all, jobs)
        except RuntimeError:  # its loop is closed, so nobody awaits them any more
            continue


def _settle_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()
