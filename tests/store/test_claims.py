"""A claim excludes everybody else, and ends with its process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asl_engine.errors import ExecutionClaimed, StoreUnavailable
from asl_engine.store.claims import Claims

HOLDER = """
import sys, pathlib
from asl_engine.store.claims import Claims
Claims(pathlib.Path(sys.argv[1])).take("arn:held")
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db.lock"


@pytest.fixture
def claims(path: Path) -> Iterator[Claims]:
    claims = Claims(path)
    yield claims
    claims.close()


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the claim on arn:held."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
        process.kill()


def test_a_claim_of_another_process_is_respected_until_it_dies(
    claims: Claims, path: Path, holder: subprocess.Popen[str]
) -> None:
    claims.take("arn:free")
    message = f"arn:held is being run by another live process, which holds its lock in {path}. Let that process finish"
    for _ in range(2):
        with pytest.raises(ExecutionClaimed, match=message):
            claims.take("arn:held")
    holder.kill()
    holder.wait()
    claims.take("arn:held")


def test_a_process_claims_an_execution_once(claims: Claims) -> None:
    claims.take("arn:a")
    with pytest.raises(ExecutionClaimed, match="arn:a is already being run by this process"):
        claims.take("arn:a")
    claims.give_back("arn:a")
    claims.take("arn:a")


def test_stores_of_one_process_exclude_each_other(claims: Claims, path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)
    for other in (Claims(path), Claims(link)):
        claims.take("arn:a")
        with pytest.raises(ExecutionClaimed):
            other.take("arn:a")
        claims.give_back("arn:a")
        other.take("arn:a")
        other.close()


def test_closing_one_store_does_not_drop_the_claims_of_another(path: Path, claims: Claims) -> None:
    """The kernel drops all locks of a process on a file when any of its descriptors is closed."""
    claims.take("arn:held")
    other = Claims(path)
    other.take("arn:other")
    other.close()
    claims.take("arn:other")
    failed = subprocess.run([sys.executable, "-c", HOLDER, str(path)], capture_output=True, text=True, check=False)
    assert "arn:held is being run by another live process" in failed.stderr


def test_only_the_holder_gives_a_claim_back(path: Path, claims: Claims) -> None:
    claims.take("arn:a")
    other = Claims(path)
    other.give_back("arn:a")
    other.take("arn:b")
    other.give_back("arn:a")
    with pytest.raises(ExecutionClaimed):
        other.take("arn:a")
    other.close()


def test_closed_claims_cannot_be_used(path: Path) -> None:
    claims = Claims(path)
    claims.close()
    claims.close()
    with pytest.raises(StoreUnavailable, match="this store is closed; open it again"):
        claims.take("arn:a")
    assert not path.exists()


def test_a_place_where_no_lock_file_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place, reason in (("no/such/store.lock", "No such file or directory"), ("file/store.lock", "Not a directory")):
        claims = Claims(tmp_path / place)
        message = f"{place}: the lock file could not be opened: {reason}. Its directory must exist and be writable"
        with pytest.raises(StoreUnavailable, match=message):
            claims.take("arn:a")
