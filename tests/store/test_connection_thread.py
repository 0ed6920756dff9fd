"""Work is committed in groups, and a failure stays with whoever caused it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import Conflict, StoreUnavailable
from asl_engine.store.connection_thread import ConnectionThread, Work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def with_thread(path: Path, told: Callable[[ConnectionThread], Coroutine[Any, Any, None]]) -> None:
    """Tell a story to a thread that writes, and close it."""

    async def tell() -> None:
        thread = ConnectionThread(path, begin="BEGIN IMMEDIATE", busy_seconds=0.05)
        try:
            await told(thread)
        finally:
            await thread.close()

    asyncio.run(tell())


def keep(name: str, text: str = "{}") -> Work[None]:
    """Work that writes something."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO definitions (sha256, text) VALUES (?, ?)", (name, text))

    return insert


def fail_after(work: Work[None], error: Exception) -> Work[None]:
    def do_both(connection: sqlite3.Connection) -> None:
        work(connection)
        raise error

    return do_both


def kept(connection: sqlite3.Connection) -> list[str]:
    """The names of what is in the database."""
    return [name for (name,) in connection.execute("SELECT sha256 FROM definitions ORDER BY sha256")]


def limit_pages(pages: int) -> Work[object]:
    """Let the database grow no further, as on a disk that is full."""
    return lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()


async def gather(thread: ConnectionThread, *works: Work[None]) -> list[BaseException | None]:
    return await asyncio.gather(*map(thread.run, works), return_exceptions=True)


def test_work_is_durable_when_its_caller_hears_of_it(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        await thread.run(keep("a"))
        with closing(sqlite3.connect(path)) as other:
            assert kept(other) == ["a"]

    with_thread(path, told)


def test_what_arrives_together_is_committed_together(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        statements: list[str] = []
        await thread.run(lambda connection: connection.set_trace_callback(statements.append))
        release = threading.Event()
        first = asyncio.ensure_future(thread.run(lambda _connection: release.wait()))
        others = [asyncio.ensure_future(thread.run(keep(str(number)))) for number in range(100)]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(first, *others)
        assert statements.count("COMMIT") <= 3

    with_thread(path, told)


def test_an_error_of_ours_fails_only_its_own_work(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        def conflict(_connection: sqlite3.Connection) -> None:
            raise Conflict("taken")

        a, failure, b = await gather(thread, keep("a"), conflict, keep("b"))
        assert (a, b) == (None, None)
        assert isinstance(failure, Conflict)
        assert await thread.run(kept) == ["a", "b"]

    with_thread(path, told)


def test_a_failure_of_sqlite_undoes_only_its_own_work(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        await thread.run(limit_pages(40))
        a, failure, b = await gather(thread, keep("a"), keep("large", "x" * 400_000), keep("b"))
        assert (a, b) == (None, None)
        assert isinstance(failure, StoreUnavailable)
        assert "store.db: the disk or the database is full (SQLite: database or disk is full)" in str(failure)
        assert await thread.run(kept) == ["a", "b"]
        await thread.run(limit_pages(10_000))
        await thread.run(keep("large", "x" * 400_000))

    with_thread(path, told)


def test_a_defect_undoes_what_its_work_had_written(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        a, failure, c = await gather(thread, keep("a"), fail_after(keep("b"), OverflowError()), keep("c"))
        assert (a, c) == (None, None)
        assert isinstance(failure, OverflowError)
        assert await thread.run(kept) == ["a", "c"]

    with_thread(path, told)


def test_a_file_that_may_not_be_written_is_named(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        await thread.run(lambda connection: connection.execute("PRAGMA query_only = ON").fetchall())
        with pytest.raises(StoreUnavailable, match=r"store\.db: it may not be written .*make the file and"):
            await thread.run(keep("a"))

    with_thread(path, told)


def test_a_lock_that_another_holds_too_long_fails_all_at_once(path: Path) -> None:
    """A group does not wait once for each of its members."""

    async def told(thread: ConnectionThread) -> None:
        await thread.run(keep("a"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            ends = await gather(thread, *[keep(f"b{number}") for number in range(200)])
            assert {type(end) for end in ends} == {StoreUnavailable}
            assert "store.db: another process has kept it locked for too long" in str(ends[0])
        await thread.run(keep("c"))
        assert await thread.run(kept) == ["a", "c"]

    with_thread(path, told)


def test_a_place_that_was_mended_can_be_used(tmp_path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        with pytest.raises(StoreUnavailable, match="it cannot be opened"):
            await thread.run(keep("a"))
        (tmp_path / "later").mkdir()
        await thread.run(keep("a"))

    with_thread(tmp_path / "later" / "store.db", told)


def test_a_caller_that_was_cancelled_spoils_nothing(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        works = [asyncio.ensure_future(thread.run(keep(name))) for name in "ab"]
        await asyncio.sleep(0)
        works[0].cancel()
        await works[1]

    with_thread(path, told)


def test_an_event_loop_that_ended_meanwhile_spoils_nothing(path: Path) -> None:
    thread = ConnectionThread(path, begin="BEGIN IMMEDIATE", busy_seconds=1)
    release = threading.Event()

    async def leave() -> None:
        waiting = asyncio.ensure_future(thread.run(lambda _connection: release.wait()))
        await asyncio.sleep(0)
        waiting.cancel()

    async def come_back() -> None:
        await thread.run(keep("a"))
        await thread.close()

    asyncio.run(leave())
    release.set()
    asyncio.run(come_back())


def test_closing_performs_what_is_queued_and_ends_the_thread(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        works = [asyncio.ensure_future(thread.run(keep(str(number)))) for number in range(20)]
        await asyncio.sleep(0)
        await thread.close()
        assert await asyncio.gather(*works) == [None] * 20

    before = threading.active_count()
    with_thread(path, told)
    assert threading.active_count() == before
    with closing(sqlite3.connect(path)) as other:
        assert len(kept(other)) == 20


def test_a_closed_thread_takes_no_work(path: Path) -> None:
    async def told(thread: ConnectionThread) -> None:
        await thread.close()
        with pytest.raises(StoreUnavailable, match=r"store\.db: this store is closed; open it again to use it"):
            await thread.run(keep("a"))

    with_thread(path, told)
    assert not path.exists()
