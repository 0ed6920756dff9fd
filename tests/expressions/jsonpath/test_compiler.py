from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError, PathNotFound
from asl_engine.expressions.jsonpath.compiler import compile_query
from asl_engine.json_value import JsonValue

SHOP: JsonValue = {
    "books": [
        {"title": "Ada", "price": 8, "tags": ["code", "life"], "isbn": "1"},
        {"title": "Bob", "price": 12.5, "tags": []},
        {"title": "Cyd", "price": 23, "tags": ["code"], "isbn": None},
    ],
    "limit": 10,
    "map": {"x": 1, "y": 2},
    "numbers": [3, 1, 2],
    "nested": [[1, 2], [3]],
}


def find(path: str, root: JsonValue = SHOP) -> JsonValue:
    return compile_query(path, 1)(root)


def titles(condition: str) -> JsonValue:
    return find(f"$.books[?({condition})].title")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.limit", 10),
        ("$.books[*].title", ["Ada", "Bob", "Cyd"]),
        ("$.books.*.price", [8, 12.5, 23]),
        ("$.map.*", [1, 2]),
        ("$.map[*]", [1, 2]),
        ("$.books[-1].title", "Cyd"),
        ("$.books[(@.length-2)].title", "Bob"),
        ("$.books[1:].title", ["Bob", "Cyd"]),
        ("$.books[:1].title", ["Ada"]),
        ("$.books[-2:].title", ["Bob", "Cyd"]),
        ("$.numbers[0:3:2]", [3, 2]),
        ("$.books[0,2].title", ["Ada", "Cyd"]),
        ("$.books[0]['title','price']", {"title": "Ada", "price": 8}),
        (
            "$.books[*].['title', 'isbn']",
            [{"title": "Ada", "isbn": "1"}, {"title": "Bob"}, {"title": "Cyd", "isbn": None}],
        ),
        ("$['limit','map'].x", [1]),
        ("$..isbn", ["1", None]),
        (
            "$..[0]",
            [{"title": "Ada", "price": 8, "tags": ["code", "life"], "isbn": "1"}, "code", "code", 3, [1, 2], 1, 3],
        ),
        ("$.nested..*", [[1, 2], [3], 1, 2, 3]),
        ("$..[?(@.price > 20)].title", ["Cyd"]),
        ("$.books[*].tags[0]", ["code", "code"]),
        ("$.[*].x", [1]),
    ],
)
def test_a_path_selects(path: str, expected: JsonValue) -> None:
    assert find(path) == expected


@pytest.mark.parametrize(
    "path",
    ["$.no.items[*]", "$.no[:1]", "$.no[1:5].value", "$.limit[*]", "$.books[7:]", "$..no", "$.no[?(@.a)]", "$[1:]"],
)
def test_an_indefinite_path_over_missing_data_finds_an_empty_list(path: str) -> None:
    assert find(path) == []


@pytest.mark.parametrize("path", ["$.books[-9]", "$.no[-1]", "$.no.length()", "$.limit['a','b']"])
def test_a_definite_path_over_missing_data_is_an_error(path: str) -> None:
    with pytest.raises(PathNotFound):
        find(path)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("@.price > 8", ["Bob", "Cyd"]),
        ("@.price >= 8 && @.price < 20", ["Ada", "Bob"]),
        ("@.price<$.limit", ["Ada"]),
        ("@.title == 'Bob'", ["Bob"]),
        ('@.title == "Bob"', ["Bob"]),
        ("@.title==Bob", ["Bob"]),
        ("'Bob' == @.title", ["Bob"]),
        ("@.price == 8.0", ["Ada"]),
        ("@.title != 'Bob'", ["Ada", "Cyd"]),
        ("@.isbn", ["Ada", "Cyd"]),
        ("!@.isbn", ["Bob"]),
        ("@.isbn == null", ["Cyd"]),
        ("@.isbn == 1", ["Ada"]),
        ("@.isbn != null", ["Ada", "Bob"]),
        ("@['price'] == 23", ["Cyd"]),
        ("!(@.price > 10) || @.title == 'Cyd'", ["Ada", "Cyd"]),
        ("@.price > 20 || @.price < 9 && @.title == 'x'", ["Cyd"]),
        ("(@.price > 20 || @.price < 9) && @.title == 'Ada'", ["Ada"]),
        ("@.title in ['Ada', 'Cyd']", ["Ada", "Cyd"]),
        ("@.title nin ['Ada', 'Cyd']", ["Bob"]),
        ("@.tags contains 'life'", ["Ada"]),
        ("@.title contains 'y'", ["Cyd"]),
        ("@.tags anyof ['life', 'x']", ["Ada"]),
        ("@.tags noneof ['life']", ["Bob", "Cyd"]),
        ("@.tags subsetof ['code']", ["Bob", "Cyd"]),
        ("@.tags size 2", ["Ada"]),
        ("@.tags empty true", ["Bob"]),
        ("@.tags empty false", ["Ada", "Cyd"]),
        ("@.tags == ['code']", ["Cyd"]),
        ("@.tags[0] == 'code'", ["Ada", "Cyd"]),
        ("@.tags.length() > 1", ["Ada"]),
        ("@.tags[?(@ == 'life')]", ["Ada"]),
        ("@.title =~ /[ab].*/i", ["Ada", "Bob"]),
        ("@.title =~ /[ab].*/", []),
        ("@.title > 'B'", ["Bob", "Cyd"]),
        ("@.title > 3", []),
        ("@.price == true", []),
        ("@.no.such == 1", []),
        ("@.no == @.such", []),
        ("@.tags == ['life', 'code']", []),
        ("@.tags == @.title", []),
        ("@.title.x", []),
        ("@.isbn =~ /1/", ["Ada"]),
        ("@..isbn", ["Ada", "Cyd"]),
        ("$.no[*]", []),
        ("@ == 1", []),
    ],
)
def test_a_filter_keeps_the_items_for_which_its_condition_holds(condition: str, expected: JsonValue) -> None:
    assert titles(condition) == expected


def test_a_filter_of_scalars_tests_the_items_themselves() -> None:
    assert find("$.numbers[?(@ >= 2)]") == [3, 2]


def test_a_filter_on_an_object_tests_the_object() -> None:
    assert find("$.map[?(@.x == 1)].y") == [2]
    assert find("$.map[?(@.x == 2)].y") == []


def test_true_is_not_one_in_a_filter() -> None:
    assert find("$[?(@.v == 1)]", [{"v": True}, {"v": 1}, {"v": 1.0}]) == [{"v": 1}, {"v": 1.0}]
    assert find("$[?(@.v == true)].v", [{"v": True}, {"v": 1}]) == [True]
    assert find("$[?(@ == [[1]])]", [[[True]], [[1]]]) == [[[1]]]


def test_objects_are_compared_by_their_members() -> None:
    root: JsonValue = {"list": [{"a": 1}, {"a": True}, {"b": 1}, {"a": 1, "b": 1}], "wanted": {"a": 1}}
    assert find("$.list[?(@ == $.wanted)]", root) == [{"a": 1}]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.numbers.length()", 3),
        ("$.map.length()", 2),
        ("$.limit.length()", None),
        ("$.books[*].tags.length()", 3),
        ("$.no[*].length()", 0),
        ("$.numbers.min()", 1.0),
        ("$.numbers.max()", 3.0),
        ("$.numbers.sum()", 6.0),
        ("$.numbers.avg()", 2.0),
        ("$.nested[0].stddev()", 0.5),
        ("$.books[*].price.sum()", 43.5),
        ("$.numbers.first()", 3),
        ("$.numbers.last()", 2),
        ("$.numbers.index(1)", 1),
        ("$.map.keys()", ["x", "y"]),
    ],
)
def test_a_function_applies_to_what_the_path_found(path: str, expected: JsonValue) -> None:
    found = find(path)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    "path", ["$.books.sum()", "$.limit.max()", "$.no[*].avg()", "$.numbers.index(3)", "$.map.first()"]
)
def test_a_function_of_nothing_fails_the_state(path: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        find(path)
    assert caught.value.error == "States.Runtime"


def test_numbers_that_overflow_fail_the_state() -> None:
    with pytest.raises(EvaluationError, match="too large"):
        find("$.sum()", [1e308, 1e308])
    with pytest.raises(EvaluationError, match="too large"):
        find("$.avg()", [10**400])


@pytest.mark.parametrize("path", ["$..*..*..*", "$..*[?($..*[?($..*)])]", "$..*..*[0:]"])
def test_a_path_that_multiplies_its_nodes_ends_at_a_bound(path: str) -> None:
    deep: JsonValue = list(range(20))
    for _ in range(300):
        deep = [deep, *range(20)]
    with pytest.raises(EvaluationError, match="visits more than"):
        find(path, deep)


def test_a_pattern_that_makes_backtracking_explode_ends_at_once() -> None:
    assert find("$[?(@ =~ /(a+)+(b|a*)*c/)]", ["a" * 300]) == []


def test_data_nested_deeper_than_calls_may_be_is_searched() -> None:
    deep: JsonValue = {"leaf": 1}
    for _ in range(3_000):
        deep = {"x": deep}
    assert find("$..leaf", deep) == [1]


@given(st.integers(-6, 6) | st.none(), st.integers(-6, 6) | st.none(), st.lists(st.integers(), max_size=5))
def test_a_slice_is_a_slice(start: int | None, stop: int | None, items: list[int]) -> None:
    text = f"$[{'' if start is None else start}:{'' if stop is None else stop}]"
    assert find(text, list(items)) == items[start:stop]


def test_what_is_found_is_the_very_node_and_nothing_is_changed() -> None:
    before = repr(SHOP)
    assert isinstance(SHOP, dict)
    books = SHOP["books"]
    assert isinstance(books, list)
    found = find("$.books[?(@.price == 8)]")
    assert isinstance(found, list)
    assert found[0] is books[0]
    assert repr(SHOP) == before
