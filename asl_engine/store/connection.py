"""SQLite connections to a store file: its schema, whether a file is one of ours, and what SQLite's errors mean.

A foreign file is never changed: it is recognised by its application id before anything is written.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import Final, cast

from asl_engine.errors import StoreCorrupt, StoreError, StoreUnavailable

APPLICATION_ID: Final = int.from_bytes(b"ASLe", "big")

_BUSY_PAUSE_SECONDS: Final = 0.005

# The log is as long as this from the start, and written over from its beginning as often as it is full. A sync of a log
# that grows has to wait for the file system's own journal too: twice as long, and longer when others write.
_LOG_PAGES: Final = 512
_LOG_FRAME_BYTES: Final = 4096 + 24

# A record's key is its execution's id and its sequence in one integer, so that a journal lies together in one B-tree:
# with two columns, each record would be written to an index as well, or past 1 KB spill to a page of its own.
SEQUENCE_BITS: Final = 32
# Each text takes a file from the version before it to its own, counted from 1. One that was released never changes.
_SCHEMAS: Final = (
    """
CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    state_machine_arn TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    stopped_at INTEGER
);
CREATE INDEX executions_by_name ON executions (name);
CREATE TABLE records (
    key INTEGER PRIMARY KEY,
    keyframe INTEGER NOT NULL,
    first_event_id INTEGER,
    last_event_id INTEGER,
    body BLOB NOT NULL
);
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL REFERENCES executions,
    event BLOB NOT NULL
);
CREATE INDEX inbox_by_execution ON inbox (execution);
CREATE TABLE definitions (
    sha256 TEXT PRIMARY KEY,
    text TEXT NOT NULL
);
""",
    """
ALTER TABLE executions ADD COLUMN state_machine_version_arn TEXT;
ALTER TABLE executions ADD COLUMN state_machine_alias_arn TEXT;
CREATE INDEX executions_by_state_machine ON executions (state_machine_arn, started_at);
CREATE INDEX executions_running ON executions (state_machine_arn) WHERE status = 'RUNNING';
CREATE TABLE resources (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
""",
)
SCHEMA_VERSION: Final = len(_SCHEMAS)

# One statement sees one moment, although another process may be creating the schema.
_SELECT_IDENTITY: Final = """
SELECT (SELECT application_id FROM pragma_application_id),
       (SELECT user_version FROM pragma_user_version),
       (SELECT count(*) FROM sqlite_master)
"""


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """A connection to a store file, which is created if nothing is there. Raises StoreUnavailable and StoreCorrupt."""
    try:
        _create_for_owner_only(path)
        _refuse_second_name(path)
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    try:
        _version(connection, path)
        _use_write_ahead_log(connection, busy_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        _create_schema(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(error, path) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _refuse_second_name(path: Path) -> None:
    """Raises StoreUnavailable for a file with hard links: SQLite would keep a log, and we claims, for each name."""
    with contextlib.suppress(OSError):  # what is wrong with the file, SQLite says
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            raise StoreUnavailable(
                f"{path}: the file has several names (hard links), and SQLite keeps its log beside one of them: "
                "remove the others, or use a symbolic link"
            )


def lengthen_log(connection: sqlite3.Connection, path: Path) -> None:
    """Give the write-ahead log its full length at once: with pages of a transaction that is never committed."""
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size >= _LOG_PAGES * _LOG_FRAME_BYTES:
        return
    with contextlib.suppress(sqlite3.OperationalError):  # busy, or the disk is full: the next commit will tell
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA cache_size = 8")  # what does not fit into it is written before the end
        connection.execute("INSERT INTO definitions VALUES ('', zeroblob(?))", (_LOG_PAGES * 4096,))
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("PRAGMA cache_size = -2000")


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """What an error of SQLite means for the caller: which file, what was found, what to do."""
    primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    kind, found, remedy = _MEANINGS.get(primary_code, (StoreUnavailable, "SQLite could not do it", "see SQLite's text"))
    translated = kind(f"{path}: {found} (SQLite: {error}). To mend it: {remedy}")
    translated.__cause__ = error
    return translated


_NOT_WRITABLE = "make the file and its directory writable for this user"
_MEANINGS: Final[dict[int, tuple[type[StoreError], str, str]]] = {
    sqlite3.SQLITE_NOTADB: (StoreCorrupt, "this is no SQLite database", "name another file"),
    sqlite3.SQLITE_CORRUPT: (
        StoreCorrupt,
        "the database is damaged",
        "restore it from a copy, or use `sqlite3 .recover`",
    ),
    sqlite3.SQLITE_ERROR: (StoreCorrupt, "the tables are not those of a store", "restore it from a copy"),
    sqlite3.SQLITE_BUSY: (
        StoreUnavailable,
        "another process has kept it locked for too long",
        "end what holds it (a shell with an open transaction, a backup) and try again",
    ),
    sqlite3.SQLITE_FULL: (StoreUnavailable, "the disk or the database is full", "make room and try again"),
    sqlite3.SQLITE_IOERR: (StoreUnavailable, "the disk failed", "check the disk and the file system"),
    sqlite3.SQLITE_READONLY: (StoreUnavailable, "it may not be written", _NOT_WRITABLE),
    sqlite3.SQLITE_PERM: (StoreUnavailable, "it may not be opened", _NOT_WRITABLE),
    sqlite3.SQLITE_CANTOPEN: (
        StoreUnavailable,
        "it cannot be opened",
        "create its directory, and see that the path is a file that this user may write",
    ),
}


_creating: Final = threading.Lock()


def _create_for_owner_only(path: Path) -> None:
    """A new file is nobody else's to read: it holds payloads, and the seeds that sign task tokens.

    Closing any descriptor of a file drops the locks that this process's connections hold on it, and then whoever else
    closes the file deletes the log under them. So a file that exists is never opened here, and a new one by one thread.
    """
    with _creating, contextlib.suppress(OSError):  # SQLite tells better what is wrong with the path
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the store's schema; 0 for an empty file. Raises StoreCorrupt for anything else."""
    application_id, version, objects = connection.execute(_SELECT_IDENTITY).fetchone()
    if application_id == 0 and objects == 0:
        return 0
    if application_id != APPLICATION_ID:
        raise StoreCorrupt(f"{path}: this SQLite database belongs to another application. Name another file")
    if not 1 <= version <= SCHEMA_VERSION:
        raise StoreCorrupt(
            f"{path}: its schema is version {version}, and this asl-engine knows version {SCHEMA_VERSION}. "
            "Use the asl-engine that wrote it, or a newer one"
        )
    return cast("int", version)


def _use_write_ahead_log(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Change the mode, waiting for a writer in the old one as SQLite does not: processes may create a file together."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_SECONDS)
        else:
            return


def _create_schema(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for schema in _SCHEMAS[_version(connection, path) :]:  # another process may have been first
        for statement in schema.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
