"""Words and shortcuts that have no place in this project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import CODE, ROOT, documents, name_of, python_files, text

THIS_FILE = Path(__file__)
PROJECT_FILES = [ROOT / name for name in ("Makefile", "pyproject.toml", ".ci/run")]
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

FORBIDDEN_IN_TEXT = {
    "a path of one machine": r"(?<![\w.:/~-])/(?:home|root|Users|work)/\w",
    "work left for later": r"\b(?:TODO|FIXME|XXX)\b",
}
FORBIDDEN_IN_CODE = {
    "a bare except": r"^\s*except\s*:",
    "an error that vanishes": r"except (?:Base)?Exception(?: as \w+)?:\s*(?:pass|\.\.\.)\s*$",
    "a banner": r"^\s*#\s*[-=#*~]{4,}",
}
FORBIDDEN_IN_TESTS = {
    "a test that may not run": r"\bpytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b",
    "a real pause": r"\btime\.sleep\(|asyncio\.sleep\([^)]*[1-9]",
    "an assertion that cannot fail": r"\bassert True\b",
}


def findings(files: list[Path], pattern: str) -> list[str]:
    """Each place in the files that the pattern matches."""
    expression = re.compile(pattern, re.MULTILINE)
    return [
        f"{name_of(path)}:{text(path).count(chr(10), 0, match.start()) + 1}: {match.group().strip()}"
        for path in files
        if path != THIS_FILE
        for match in expression.finditer(text(path))
    ]


@pytest.mark.parametrize("pattern", FORBIDDEN_IN_TEXT.values(), ids=FORBIDDEN_IN_TEXT)
def test_no_file_contains(pattern: str) -> None:
    assert findings([*python_files(*CODE), *documents(), *PROJECT_FILES], pattern) == []


@pytest.mark.parametrize("pattern", FORBIDDEN_IN_CODE.values(), ids=FORBIDDEN_IN_CODE)
def test_no_code_contains(pattern: str) -> None:
    assert findings(python_files(*CODE), pattern) == []


@pytest.mark.parametrize("pattern", FORBIDDEN_IN_TESTS.values(), ids=FORBIDDEN_IN_TESTS)
def test_no_test_contains(pattern: str) -> None:
    assert findings([path for path in python_files("tests") if path.name != "needs.py"], pattern) == []


def test_a_file_name_says_what_is_in_it() -> None:
    vague = [path for path in python_files(*CODE) if VAGUE_NAMES & {path.stem, path.parent.name}]

    assert [name_of(path) for path in vague] == []
