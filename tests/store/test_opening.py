"""A store is named by one text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from asl_engine.errors import StoreUnavailable
from asl_engine.store.memory import MemoryStore
from asl_engine.store.opening import open_store
from asl_engine.store.sqlite import SqliteStore


def test_memory_is_a_store() -> None:
    assert isinstance(open_store("memory"), MemoryStore)


def test_a_file_is_a_store(tmp_path: Path) -> None:
    assert isinstance(open_store(f"sqlite:{tmp_path}/runs:2.db"), SqliteStore)


@pytest.mark.parametrize("spec", ["", "sqlite", "sqlite:", "memory:", "postgres:runs", "runs.db"])
def test_anything_else_is_refused_with_the_way_out(spec: str) -> None:
    with pytest.raises(
        StoreUnavailable, match=f"no store is called '{spec}': it must be `memory`, `sqlite:FILE` or `dynamodb:TABLE`"
    ):
        open_store(spec)


def test_a_memory_store_does_not_load_sqlite() -> None:
    code = "import sys; from asl_engine.store.opening import open_store; open_store('memory'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "sqlite3" not in loaded
