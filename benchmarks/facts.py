"""What a figure means nothing without: the machine, the versions, and what a bare durable commit costs here."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

_COMMITS: Final = 200
_RECORD_BYTES: Final = 800


def machine_facts() -> dict[str, str]:
    """The facts, by what they are facts of."""
    return {
        "processor": f"{os.cpu_count()}x {_processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "node": _version("node"),
        "load": f"{os.getloadavg()[0]:.1f}",
        "bare commit": f"{bare_commit_seconds() * 1e6:.0f} µs (SQLite, WAL, synchronous=FULL, log growing)",
    }


def bare_commit_seconds() -> float:
    """The median of a transaction with one small row, with nothing around it."""
    with tempfile.TemporaryDirectory() as directory:
        connection = sqlite3.connect(Path(directory, "probe.sqlite"), isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE records (key INTEGER PRIMARY KEY, body BLOB)")
        body, seconds = os.urandom(_RECORD_BYTES), []
        for key in range(_COMMITS):
            started = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO records VALUES (?, ?)", (key, body))
            connection.execute("COMMIT")
            seconds.append(time.perf_counter() - started)
        connection.close()
    return median(seconds)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(command: str) -> str:
    if shutil.which(command) is None:
        return "none"
    return subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout.strip()
