"""SqliteStore keeps the contract, across stores and crashes, and says what is wrong with a file."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from asl_engine.errors import Conflict, ExecutionClaimed, StoreCorrupt
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution
from asl_engine.store.journal import KEYFRAME_RECORDS_MIN, record_of
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.sqlite import SqliteStore
from tests.store.contract import FIRST, OrderedStoreContract, append_all, ids
from tests.store.journals import arn_of, started, task_done


class TestSqliteStore(OrderedStoreContract):
    def open(self, directory: Path) -> ExecutionStore:
        return SqliteStore(directory / "store.db")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def write(path: Path, tasks: int) -> Execution:
    store = SqliteStore(path)
    execution = await append_all(store, "first", tasks)
    await store.close()
    return execution


async def load(path: Path, held: Execution | None = None) -> Execution:
    store = SqliteStore(path)
    try:
        return await store.load(FIRST, held)
    finally:
        await store.close()


def tamper(path: Path, statement: str, *values: object) -> None:
    """Change the file as something else than a store would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_another_store_on_the_file_reads_what_was_written(path: Path) -> None:
    execution = asyncio.run(write(path, tasks=40))
    assert asyncio.run(load(path)) == execution


def test_a_store_may_be_used_from_one_event_loop_after_another(path: Path) -> None:
    store = SqliteStore(path)
    execution = asyncio.run(append_all(store, "first", tasks=2))
    assert asyncio.run(store.load(FIRST)) == execution
    asyncio.run(store.close())


def test_a_store_that_is_not_used_touches_nothing(path: Path) -> None:
    asyncio.run(SqliteStore(path).close())
    assert list(path.parent.iterdir()) == []


def test_closing_leaves_no_thread_and_no_file_but_the_store(path: Path) -> None:
    before = threading.active_count()
    asyncio.run(write(path, tasks=1))
    assert threading.active_count() == before
    assert list(path.parent.iterdir()) == [path]


def test_stores_that_race_for_a_new_file_share_it(path: Path) -> None:
    """As processes do that are started together."""

    async def race() -> None:
        stores = [SqliteStore(path) for _ in range(8)]
        appends = [store.append(record_of(started(f"run-{n}"))) for n, store in enumerate(stores)]
        await asyncio.gather(*appends)
        assert len(await stores[0].executions()) == 8
        outcome = task_done(started("run-0").execution)
        ends = await asyncio.gather(*[store.append(record_of(outcome)) for store in stores], return_exceptions=True)
        assert (ends.count(None), sum(isinstance(end, Conflict) for end in ends)) == (1, 7)
        for store in stores:
            await store.close()

    asyncio.run(race())


def test_a_keyframe_is_due_to_a_store_that_found_a_long_tail(path: Path) -> None:
    async def due_after_loading() -> bool:
        store = SqliteStore(path)
        assert not store.keyframe_due(FIRST)
        await store.load(FIRST)
        due = store.keyframe_due(FIRST)
        await store.close()
        return due

    asyncio.run(write(path, tasks=KEYFRAME_RECORDS_MIN))
    assert asyncio.run(due_after_loading())


def test_nothing_before_the_newest_keyframe_is_read(path: Path) -> None:
    async def write_keyframe() -> Execution:
        execution = await write(path, tasks=3)
        store = SqliteStore(path)
        outcome = task_done(execution)
        await store.append(record_of(outcome, keyframe=True))
        await store.close()
        return outcome.execution

    execution = asyncio.run(write_keyframe())
    tamper(path, "UPDATE records SET body = x'00' WHERE key & 0xffff < 4")
    assert asyncio.run(load(path)) == execution
    assert asyncio.run(load(path, held=started().execution)) == execution


def test_large_frames_are_not_written_again_for_small_records(path: Path) -> None:
    noise = random.Random(1).randbytes(50_000).hex()

    async def due_after(tasks: int) -> bool:
        store = SqliteStore(path)
        outcome = started(input=noise)
        await store.append(record_of(outcome))
        for _ in range(tasks):
            outcome = task_done(outcome.execution)
            await store.append(record_of(outcome))
        due = store.keyframe_due(FIRST)
        await store.close()
        return due

    assert not asyncio.run(due_after(KEYFRAME_RECORDS_MIN * 2))


@contextmanager
def crashing_writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.store.crashing_writer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged_until_killed(path: Path, lines: int) -> dict[str, int]:
    """Kill a writer after some lines. The newest sequence that it said was durable, for each execution."""
    newest: dict[str, int] = {}
    with crashing_writer(path) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout):
            if number == lines:
                process.kill()
            if line.endswith("\n"):
                name, sequence = line.split()
                newest[name] = int(sequence)
    return newest


@pytest.mark.parametrize("lines", [0, 7, 50, 180, 400])
def test_every_acknowledged_record_survives_a_kill(path: Path, lines: int) -> None:
    newest = acknowledged_until_killed(path, lines)

    async def check() -> None:
        store = SqliteStore(path)
        for name, sequence in newest.items():
            execution = await store.load(arn_of(name))
            assert execution.sequence >= sequence
            written = [event.id async for event in store.history(arn_of(name))]
            assert written == list(range(1, execution.last_event_id + 1))
            await store.append(record_of(task_done(execution)))
        await store.close()

    assert newest
    asyncio.run(check())


def test_a_claim_holds_against_another_process_and_dies_with_it(path: Path) -> None:
    async def claim() -> None:
        store = SqliteStore(path)
        try:
            await store.claim(arn_of("a"))
        finally:
            await store.close()

    with crashing_writer(path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        message = rf"{arn_of('a')} is being run by another live process, which holds its lock in .*store\.db\.lock"
        with pytest.raises(ExecutionClaimed, match=message):
            asyncio.run(claim())
    asyncio.run(claim())


def test_a_claim_is_one_whatever_symbolic_link_leads_to_the_file(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)

    async def claims(first: SqliteStore, second: SqliteStore) -> None:
        await first.claim(arn_of("a"))
        with pytest.raises(ExecutionClaimed):
            await second.claim(arn_of("a"))
        await first.close()
        await second.close()

    asyncio.run(claims(SqliteStore(path), SqliteStore(link)))


def test_a_missing_table_is_a_damaged_store(path: Path) -> None:
    asyncio.run(write(path, tasks=0))
    tamper(path, "DROP TABLE records")
    with pytest.raises(StoreCorrupt, match=r"store\.db: the tables are not those of a store .*restore it"):
        asyncio.run(load(path))


def test_damaged_pages_are_a_damaged_store(path: Path) -> None:
    asyncio.run(write(path, tasks=30))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StoreCorrupt, match=r"store\.db: the database is damaged .*restore it from a copy"):
        asyncio.run(load(path))


@pytest.mark.parametrize("tampering", ["substr(body, 1, 40)", "body || x'00'", "''", "x'09' || substr(body, 2)"])
def test_a_damaged_record_is_named(path: Path, tampering: str) -> None:
    asyncio.run(write(path, tasks=4))
    tamper(path, f"UPDATE records SET body = CAST({tampering} AS BLOB) WHERE key & 0xffff = 3")
    message = rf"store\.db: record 3 of {FIRST} cannot be read: its (checksum|format)"
    with pytest.raises(StoreCorrupt, match=message):
        asyncio.run(load(path))

    async def read_history() -> None:
        store = SqliteStore(path)
        try:
            await ids(store)
        finally:
            await store.close()

    with pytest.raises(StoreCorrupt, match=message):
        asyncio.run(read_history())


def test_a_lost_record_is_named(path: Path) -> None:
    asyncio.run(write(path, tasks=4))
    tamper(path, "DELETE FROM records WHERE key & 0xffff = 3")
    with pytest.raises(StoreCorrupt, match=rf"the journal of {FIRST} cannot be read: record 4 follows record 2"):
        asyncio.run(load(path))


def test_a_damaged_message_is_named(path: Path) -> None:
    async def send_and_damage() -> None:
        store = SqliteStore(path)
        await append_all(store, "first", tasks=0)
        await store.send(FIRST, StopRequested())
        tamper(path, "UPDATE inbox SET event = x'0101'")
        try:
            await store.inbox(FIRST)
        finally:
            await store.close()

    with pytest.raises(StoreCorrupt, match=f"the inbox of {FIRST} cannot be read: its checksum"):
        asyncio.run(send_and_damage())


def test_another_process_that_closes_the_file_leaves_the_log_to_this_one(path: Path) -> None:
    """SQLite deletes the log when the last connection closes: the locks of this process must say that it is not."""
    look = "import contextlib, sqlite3, sys\nwith contextlib.closing(sqlite3.connect(sys.argv[1])) as c: "
    look += "print(c.execute('SELECT count(*) FROM records').fetchone()[0])"

    async def write_on() -> None:
        store = SqliteStore(path)
        execution = await append_all(store, "first", tasks=1)
        assert await store.load(FIRST) == execution  # both of its connections are open now
        subprocess.run([sys.executable, "-c", look, str(path)], check=True, capture_output=True)
        await store.append(record_of(task_done(execution)))
        seen = subprocess.run([sys.executable, "-c", look, str(path)], check=True, capture_output=True)
        await store.close()
        assert seen.stdout == b"3\n"

    asyncio.run(write_on())


def test_reading_goes_on_while_another_process_writes(path: Path) -> None:
    async def load_while_locked() -> None:
        execution = await write(path, tasks=1)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await load(path) == execution

    asyncio.run(load_while_locked())


def test_work_that_fails_in_the_middle_leaves_nothing_behind(path: Path) -> None:
    """A value that SQLite cannot hold is met after the record was inserted."""

    async def append_wrong() -> None:
        store = SqliteStore(path)
        execution = await append_all(store, "first", tasks=0)
        wrong = record_of(task_done(execution), consumed=[2**70])
        beside = record_of(started("second"))
        failure, end = await asyncio.gather(store.append(wrong), store.append(beside), return_exceptions=True)
        assert isinstance(failure, OverflowError)
        assert end is None
        assert await store.load(FIRST) == execution
        await store.close()

    asyncio.run(append_wrong())


def test_a_new_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """It holds payloads, and the seeds that sign task tokens."""
    file = tmp_path / "runs.sqlite"

    async def story() -> None:
        store = SqliteStore(file)
        await store.executions()
        await store.close()

    asyncio.run(story())
    assert file.stat().st_mode & 0o777 == 0o600
