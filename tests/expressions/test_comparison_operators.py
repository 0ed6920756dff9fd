from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.expressions.comparison_operators import OPERATORS, OperandType, accepts
from asl_engine.expressions.scope import ABSENT, Absent
from asl_engine.json_value import JsonValue

ORDERINGS = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
ONE_OF_EACH_TYPE: tuple[JsonValue | Absent, ...] = (None, True, 1, 1.5, "text", "2024-01-01T00:00:00Z", [], {}, ABSENT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


def holds(name: str, value: JsonValue | Absent, operand: JsonValue) -> bool:
    return OPERATORS[name].predicate(value, operand)


def test_every_operator_of_the_specification_has_its_row() -> None:
    compared = {f"{kind}{ordering}" for kind in ("String", "Numeric", "Timestamp") for ordering in ORDERINGS}
    paired = {*compared, "BooleanEquals"}
    tests = {"IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"}
    assert set(OPERATORS) == paired | tests | {"StringMatches"}
    assert {name for name, row in OPERATORS.items() if row.has_path_form} == paired
    assert all(name == row.name for name, row in OPERATORS.items())


@pytest.mark.parametrize(
    ("kind", "small", "large"),
    [
        ("String", "A", "B"),
        ("String", "A", "AB"),
        ("Numeric", 1, 2),
        ("Numeric", -1.5, 0),
        ("Timestamp", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z"),
        ("Timestamp", "2024-01-01T00:00:00.0001Z", "2024-01-01T00:00:00.0002Z"),
        ("Timestamp", "2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00.1Z"),
    ],
)
def test_two_values_are_ordered_one_way_only(kind: str, small: JsonValue, large: JsonValue) -> None:
    def results(value: JsonValue, operand: JsonValue) -> list[bool]:
        return [holds(f"{kind}{ordering}", value, operand) for ordering in ORDERINGS]

    assert results(small, large) == [False, True, False, True, False]
    assert results(large, small) == [False, False, True, False, True]
    assert results(small, small) == [True, False, False, True, True]


@pytest.mark.parametrize(
    ("kind", "operand", "own"),
    [("String", "text", str), ("Numeric", 1, (int, float)), ("Timestamp", "2024-01-01T00:00:00Z", str)],
)
def test_a_value_of_another_type_is_neither_equal_nor_ordered(
    kind: str, operand: JsonValue, own: type | tuple[type, ...]
) -> None:
    for value in ONE_OF_EACH_TYPE:
        if isinstance(value, bool) or not isinstance(value, own):
            assert not any(holds(f"{kind}{ordering}", value, operand) for ordering in ORDERINGS)


def test_booleans_are_no_numbers_and_numbers_no_booleans() -> None:
    assert holds("BooleanEquals", True, True)
    assert not holds("BooleanEquals", 1, True)
    assert not holds("NumericEquals", True, 1)
    assert not holds("NumericEquals", 1, True)


def test_integers_and_reals_are_compared_as_numbers() -> None:
    assert holds("NumericEquals", 1, 1.0)


def test_the_same_instant_may_be_written_in_two_zones() -> None:
    assert holds("TimestampEquals", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("name", "matching"),
    [
        ("IsNull", [None]),
        ("IsBoolean", [True]),
        ("IsNumeric", [1, 1.5]),
        ("IsString", ["text", "2024-01-01T00:00:00Z"]),
        ("IsTimestamp", ["2024-01-01T00:00:00Z"]),
        ("IsPresent", [None, True, 1, 1.5, "text", "2024-01-01T00:00:00Z", [], {}]),
    ],
)
def test_a_type_test_tells_the_types_apart(name: str, matching: list[JsonValue]) -> None:
    found = [value for value in ONE_OF_EACH_TYPE if holds(name, value, True)]
    assert [repr(value) for value in found] == [repr(value) for value in matching]
    assert all(holds(name, value, False) is not holds(name, value, True) for value in ONE_OF_EACH_TYPE)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("log-*.txt", "log-1.txt", True),
        ("log-*.txt", "log-.txt", True),
        ("log-*.txt", "log-1.txt.gz", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("*b*", "abc", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("plain", "plain", True),
        ("plain", "plainer", False),
        (r"a\*c", "a*c", True),
        (r"a\*c", "abc", False),
        (r"a\\*", "a\\b", True),
        (r"a\b", "a\\b", True),
        ("a.c", "abc", False),
        ("line*end", "line\nend", True),
    ],
)
def test_a_star_matches_any_characters(pattern: str, text: str, expected: bool) -> None:
    assert holds("StringMatches", text, pattern) is expected


@given(st.text(alphabet="ab*", max_size=6), st.text(alphabet="ab", max_size=8))
def test_stars_match_as_in_a_shell(pattern: str, text: str) -> None:
    assert holds("StringMatches", text, pattern) is fnmatch.fnmatchcase(text, pattern)


@given(st.sampled_from(sorted(OPERATORS)), JSON, JSON)
def test_a_comparison_never_raises(name: str, value: JsonValue, operand: JsonValue) -> None:
    assert holds(name, value, operand) in (True, False)


@pytest.mark.parametrize(
    ("operand_type", "good", "bad"),
    [
        (OperandType.STRING, "a", 1),
        (OperandType.NUMBER, 1.5, True),
        (OperandType.NUMBER, 1, "1"),
        (OperandType.BOOLEAN, False, 0),
        (OperandType.TIMESTAMP, "2024-01-01T00:00:00Z", "2024-01-01"),
    ],
)
def test_an_operand_has_the_type_of_its_operator(operand_type: OperandType, good: JsonValue, bad: JsonValue) -> None:
    assert accepts(operand_type, good)
    assert not accepts(operand_type, bad)
