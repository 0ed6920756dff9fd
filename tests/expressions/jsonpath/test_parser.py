from __future__ import annotations

import pytest

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.jsonpath.parser import parse_query
from asl_engine.expressions.jsonpath.syntax import Comparison, Filter, ItemRange, Items, Literal, Member, Query
from asl_engine.limits import FILTER_NESTING_MAX


def test_a_path_becomes_its_steps() -> None:
    query = parse_query("$.a['b c'][-1][1:2]", 1)
    assert query.steps == (Member("a"), Member("b c"), Items((-1,)), ItemRange(1, 2, None))
    assert not query.is_definite


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1", 1),
        ("-2.5", -2.5),
        ("1e2", 100.0),
        ("true", True),
        ("null", None),
        ("word", "word"),
        ("[1, [2]]", [1, [2]]),
        ("[]", []),
        ("''", ""),
        (r"'it\'s'", "it's"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_a_literal_in_a_filter_has_its_json_value(literal: str, value: object) -> None:
    (step,) = parse_query(f"$[?(@.a == {literal})]", 1).steps
    assert isinstance(step, Filter)
    assert step.condition == Comparison(Query(from_root=False, steps=(Member("a"),)), "==", Literal(value))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$.a.", "cannot end with a dot"),
        ("$.a..", "expected a name"),
        ("$.a[", "expected an index"),
        ("$.a[0", "expected ]"),
        ("$.a['b'", "expected ]"),
        ("$.a['b',0]", "expected a quoted name"),
        ("$.a[0,'b']", "expected an index"),
        ("$.a[0,]", "expected an index"),
        ("$.a[::0]", "cannot be 0"),
        ("$.a[?@.b]", "expected ("),
        ("$.a[?(@.b]", "expected )"),
        ("$.a[?()]", "expected a path"),
        ("$.a[?('b')]", "expected a comparison"),
        ("$.a[?(@.b ==)]", "expected a path"),
        ("$.a[?(@.b like 'x')]", "no operator is named like"),
        ("$.a[?(@.b =~ 'x')]", "compares a value with a /pattern/"),
        ("$.a[?(@.b == /x/)]", "compares a value with a /pattern/"),
        ("$.a[?(@.b =~ /x)]", "has no end"),
        ("$.a[?(@.b =~ /(x/)]", "invalid pattern"),
        ("$.a[?(@.b =~ /x/q)]", "unknown flag q"),
        ("$.a.median()", "no function is named median()"),
        ("$.a.min(1)", "takes no argument"),
        ("$.a.index()", "takes an integer"),
        ("$.a.length().b", "a function ends the path"),
        ("$..length()", "cannot follow .."),
        ("$.a b", "expected .name"),
        ("$.a|$.b c", "expected .name"),
    ],
)
def test_a_mistake_is_told_with_its_place(path: str, reason: str) -> None:
    with pytest.raises(InvalidExpression) as caught:
        parse_query(path, 1)
    assert reason in caught.value.reason
    assert caught.value.position is not None


@pytest.mark.parametrize(
    ("before", "after"), [("$[?(" + "(" * 5_000, ")"), ("$" + "[?(@" * 5_000, ")]"), ("$[?(@.a in " + "[" * 5_000, "]")]
)
def test_nesting_is_bounded(before: str, after: str) -> None:
    with pytest.raises(InvalidExpression, match=f"nested {FILTER_NESTING_MAX} deep"):
        parse_query(before + after * 5_000, 1)


def test_filters_may_be_nested_to_the_bound() -> None:
    depth = FILTER_NESTING_MAX - 1
    assert parse_query(f"$[?({'(' * depth}@.a{')' * depth})]", 1).steps


def test_a_condition_may_have_thousands_of_terms() -> None:
    assert parse_query(f"$[?({' && '.join(['@.a == 1'] * 3_000)})]", 1).steps
