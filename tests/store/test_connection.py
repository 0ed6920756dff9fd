"""A file is recognised before it is changed, and what SQLite says is told with file, finding and way out."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from asl_engine.errors import StoreCorrupt, StoreUnavailable
from asl_engine.store.connection import connect, lengthen_log, store_error


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else to a store that exists."""
    connect(path, 1).close()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_a_new_file_is_made_a_store_that_syncs_every_commit(path: Path) -> None:
    with closing(connect(path, 1)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM executions").fetchone() == (0,)
    assert list(path.parent.iterdir()) == [path]


def test_a_file_with_two_names_is_refused_under_both(path: Path) -> None:
    connect(path, 1).close()
    link = path.with_name("link.db")
    link.hardlink_to(path)
    for name in (path, link):
        with pytest.raises(StoreUnavailable, match=r"has several names \(hard links\)"):
            connect(name, 1)
    link.unlink()
    connect(path, 1).close()


def test_an_empty_file_is_made_a_store(path: Path) -> None:
    path.touch()
    connect(path, 1).close()
    connect(path, 1).close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"SELECT * FROM nothing; " * 100)
    with pytest.raises(StoreCorrupt, match=r"store\.db: this is no SQLite database .*name another file"):
        connect(path, 1)
    assert path.read_bytes() == b"SELECT * FROM nothing; " * 100


def test_a_database_of_another_application_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE photos (id)")
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match=r"store\.db: this SQLite database belongs to another application"):
        connect(path, 1)
    assert path.read_bytes() == before


def test_a_schema_of_another_version_is_refused(path: Path, other: sqlite3.Connection) -> None:
    other.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreCorrupt, match=r"its schema is version 7, and this asl-engine knows version 2\. Use the"):
        connect(path, 1)


@pytest.mark.parametrize("place", ["no/such/directory/store.db", "file/store.db", "directory"])
def test_a_place_where_no_file_can_be_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    with pytest.raises(StoreUnavailable, match=rf"{place}: it cannot be opened .*create its directory"):
        connect(tmp_path / place, 1)


def test_opening_waits_for_a_writer_in_the_old_journal_mode(path: Path, other: sqlite3.Connection) -> None:
    """As when processes create the file together; SQLite itself does not wait there."""
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process has kept it locked"):
        connect(path, 0.02)
    ending = threading.Timer(0.02, lambda: other.execute("COMMIT"))
    ending.start()
    connect(path, 10).close()
    ending.join()


def test_opening_gives_up_on_a_lock_that_is_held_for_ever(path: Path, other: sqlite3.Connection) -> None:
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match=r"locked for too long \(SQLite: database is locked\)\. To mend it: end"):
        connect(path, 0.02)


def test_an_error_without_a_meaning_of_its_own_is_passed_on() -> None:
    error = sqlite3.OperationalError("something odd")
    translated = store_error(error, Path("runs.db"))
    assert isinstance(translated, StoreUnavailable)
    assert str(translated) == "runs.db: SQLite could not do it (SQLite: something odd). To mend it: see SQLite's text"
    assert translated.__cause__ is error


def test_a_log_is_given_its_length_without_anything_being_written(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    with closing(connect(path, 1)) as connection:
        before = path.read_bytes()
        lengthen_log(connection, path)
        length = log.stat().st_size
        assert length > 2_000_000
        assert connection.execute("SELECT count(*) FROM definitions").fetchone() == (0,)
        assert not connection.in_transaction
        for number in range(100):
            connection.execute("INSERT INTO definitions VALUES (?, 'text')", (str(number),))
        assert log.stat().st_size == length, "a commit writes over what is there"
        assert path.read_bytes() == before, "nothing was checkpointed yet"
    assert connect(path, 1).execute("SELECT count(*) FROM definitions").fetchone() == (100,)


def test_a_log_that_is_long_enough_is_left_as_it_is(path: Path) -> None:
    """Another process lengthened it, and may be writing."""
    with closing(connect(path, 1)) as connection, closing(connect(path, 0.01)) as second:
        lengthen_log(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        lengthen_log(second, path)
        assert not second.in_transaction


def test_a_log_that_cannot_be_lengthened_is_used_as_it_is(path: Path, other: sqlite3.Connection) -> None:
    with closing(connect(path, 0.01)) as connection:
        other.execute("BEGIN IMMEDIATE")
        lengthen_log(connection, path)
        assert not connection.in_transaction
        other.execute("ROLLBACK")
        connection.execute("PRAGMA max_page_count = 30")
        lengthen_log(connection, path)
        assert not connection.in_transaction
        connection.execute("INSERT INTO definitions VALUES ('a', 'text')")
