"""Code comes in small pieces. The lists of exceptions may only shrink: whoever mends one must take it off."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median, quantiles

from tests.architecture.source_tree import CODE, functions, name_of, python_files, text

FUNCTION_LINES_MAX = 60
FUNCTION_LINES_MEDIAN_MAX = 10
FUNCTION_LINES_P90_MAX = 30
FILE_LINES_MAX = 500

# "path:function" or "path": the length it may have.
LONG_FUNCTIONS: Mapping[str, int] = {}
LONG_FILES: Mapping[str, int] = {}


def too_long(lengths: Mapping[str, int], limit: int, exceptions: Mapping[str, int]) -> list[str]:
    """What is longer than the limit, or than the exception made for it."""
    return [
        f"{name}: {lines} lines, {exceptions.get(name, limit)} allowed"
        for name, lines in lengths.items()
        if lines > exceptions.get(name, limit)
    ]


def stale(lengths: Mapping[str, int], limit: int, exceptions: Mapping[str, int]) -> list[str]:
    """Exceptions that are no longer needed, or grant more than is needed."""
    return [
        f"{name}: {lengths.get(name, 0)} lines now"
        for name, allowed in exceptions.items()
        if lengths.get(name, 0) <= limit or lengths[name] < allowed
    ]


def function_lengths(*directories: str) -> dict[str, int]:
    return {f"{name_of(path)}:{name}": lines for path in python_files(*directories) for name, lines in functions(path)}


def file_lengths() -> dict[str, int]:
    return {name_of(path): len(text(path).splitlines()) for path in python_files(*CODE)}


def test_no_function_is_longer_than_a_screen() -> None:
    assert too_long(function_lengths(*CODE), FUNCTION_LINES_MAX, LONG_FUNCTIONS) == []


def test_no_file_is_longer_than_it_can_be_read_in_one_go() -> None:
    assert too_long(file_lengths(), FILE_LINES_MAX, LONG_FILES) == []


def test_an_exception_that_is_no_longer_needed_is_taken_off_its_list() -> None:
    assert stale(function_lengths(*CODE), FUNCTION_LINES_MAX, LONG_FUNCTIONS) == []
    assert stale(file_lengths(), FILE_LINES_MAX, LONG_FILES) == []


def test_most_functions_are_short() -> None:
    lengths = list(function_lengths("asl_engine").values())

    assert median(lengths) <= FUNCTION_LINES_MEDIAN_MAX
    assert quantiles(lengths, n=10)[-1] <= FUNCTION_LINES_P90_MAX


def test_an_exception_covers_what_it_names_and_no_more() -> None:
    """The tests above see no exceptions most of the time, so their judgement is tried here."""
    assert too_long({"a.py:f": 70}, 60, {}) == ["a.py:f: 70 lines, 60 allowed"]
    assert too_long({"a.py:f": 70}, 60, {"a.py:f": 70}) == []
    assert too_long({"a.py:f": 71}, 60, {"a.py:f": 70}) == ["a.py:f: 71 lines, 70 allowed"]
    assert stale({"a.py:f": 70}, 60, {"a.py:f": 70}) == []
    assert stale({"a.py:f": 65}, 60, {"a.py:f": 70}) == ["a.py:f: 65 lines now"]
    assert stale({}, 60, {"a.py:f": 70}) == ["a.py:f: 0 lines now"]
