"""What the documents say is so: marked examples run, links lead somewhere, the change log knows the version.

A code block that follows the line `<!-- runnable -->` is run as a reader would who has set the project up: in a
directory with `.venv/` and `state_machines/`. A `python` or `sh` block must end well. In a `console` block each line
after `$ ` is a command; the lines below it must occur in what it prints, in that order, and `…` stands for anything.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, documents, name_of, text

RUNNABLE = re.compile(r"^<!-- runnable -->\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)")
COMMANDS = re.compile(r"^\$ ", re.MULTILINE)
SECONDS_MAX = 120


@dataclass(frozen=True, slots=True)
class Example:
    """A code block that is marked as runnable."""

    language: str
    code: str


def examples() -> list[object]:
    """Every runnable block, with the place it stands at as its test's name."""
    return [
        pytest.param(
            Example(found[1], found[2]), id=f"{name_of(path)}:{text(path).count(chr(10), 0, found.start()) + 2}"
        )
        for path in documents()
        for found in RUNNABLE.finditer(text(path))
    ]


def run(command: list[str], directory: Path) -> str:
    """What a command prints; it must end with exit code 0."""
    ended = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout + ended.stderr


def assert_prints(code: str, directory: Path) -> None:
    """Run each command of a console block and look for the lines below it in what it prints."""
    for block in COMMANDS.split(code)[1:]:
        command, _, expected = block.partition("\n")
        printed = run(["sh", "-c", command], directory)
        lines = [re.escape(line.strip()).replace("…", ".*") for line in expected.splitlines() if line.strip()]
        assert re.search(".*".join(lines), printed, re.DOTALL), f"$ {command}\n{printed}"


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The directory of somebody who has cloned the project and set it up."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "state_machines").symlink_to(ROOT / "state_machines")
    return tmp_path


@pytest.mark.parametrize("example", examples())
def test_a_runnable_example_runs(example: Example, reader: Path) -> None:
    match example.language:
        case "python":
            run([sys.executable, "-c", example.code], reader)
        case "sh":
            run(["sh", "-e", "-c", example.code], reader)
        case "console":
            assert_prints(example.code, reader)
        case other:
            pytest.fail(f"nobody knows how to run {other}")


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_a_link_leads_somewhere(document: Path) -> None:
    assert [link for link in LINK.findall(text(document)) if not (document.parent / link).exists()] == []


def test_the_change_log_has_an_entry_for_this_version() -> None:
    version = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]["version"]

    assert re.search(rf"^## \[{re.escape(version)}\] - \S+", text(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_a_console_example_that_prints_something_else_is_noticed(reader: Path) -> None:
    assert_prints("$ echo one two; echo three\none …\nthree\n", reader)
    with pytest.raises(AssertionError, match="echo one"):
        assert_prints("$ echo one\ntwo\n", reader)
    with pytest.raises(AssertionError, match="exit 3"):
        assert_prints("$ exit 3\n", reader)
