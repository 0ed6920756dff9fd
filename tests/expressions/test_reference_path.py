from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError, InvalidExpression, PathNotFound
from asl_engine.expressions.reference_path import bracketed, compile_reference_path
from asl_engine.json_value import JsonValue

ORDER: JsonValue = {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}], "to": {"city": "Bern"}, "note": "hi", "gift": None}

names = st.text(min_size=1, max_size=4)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(names, values, max_size=4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", ORDER),
        ("$.id", 7),
        ("$.to.city", "Bern"),
        ("$.lines[1].sku", "b"),
        ("$['to']['city']", "Bern"),
        ('$.to["city"]', "Bern"),
        ("$.lines.[0].sku", "a"),
        ("$.gift", None),
        ("$.to ", {"city": "Bern"}),
    ],
)
def test_a_path_finds_its_node(text: str, expected: JsonValue) -> None:
    assert compile_reference_path(text).read(ORDER) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("$.delivery-partner", "delivery-partner"),
        ("$.@type", "@type"),
        ("$.aws:stack", "aws:stack"),
        ("$.größe", "größe"),
        ("$.${Column}", "${Column}"),
        (r"$.a\.b", "a.b"),
        (r"$.foo\@bar", "foo@bar"),
        ("$['a b']", "a b"),
        ("$['a.b[0]']", "a.b[0]"),
        (r"$['it\'s']", "it's"),
        (r"""$['say \"hi\"']""", r"say \"hi\""),
        ("$['']", ""),
    ],
)
def test_a_name_may_hold_anything_that_does_not_end_it(text: str, name: str) -> None:
    """Within single quotes AWS keeps a backslash before a double quote."""
    assert compile_reference_path(text).segments == (name,)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("$.missing", "No results for path: $['missing']"),
        ("$.to.street", "No results for path: $['to']['street']"),
        ("$.no.such.path", "Missing property in path $['no']"),
        ("$.to.no.such", "Missing property in path $['to']['no']"),
        ("$.lines[0].no", "No results for path: $['lines'][0]['no']"),
        ("$.lines[5]", "No results for path: $['lines'][5]"),
        ("$.lines[5].sku", "No results for path: $['lines'][5]['sku']"),
        ("$.to[0]", "Filter: [0] can only be applied to arrays. Current context is: {city=Bern}"),
        ("$.note[0]", "Filter: [0] can only be applied to arrays. Current context is: hi"),
        ("$.gift[0]", "The path $['gift'] is null"),
    ],
)
def test_a_miss_is_told_in_the_words_of_jayway(text: str, detail: str) -> None:
    with pytest.raises(PathNotFound) as caught:
        compile_reference_path(text).read(ORDER)
    assert caught.value.detail == detail
    assert caught.value.cause == f"Invalid path '{text}' : {detail}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$.note.x", "java.lang.String"),
        ("$.id.x", "java.lang.Integer"),
        ("$.gift.x", "null"),
        ("$.lines.x", "java.util.ArrayList"),
    ],
)
def test_a_name_below_something_else_than_an_object_says_what_was_found(text: str, found: str) -> None:
    with pytest.raises(PathNotFound, match="Expected to find an object with property \\['x'\\]") as caught:
        compile_reference_path(text).read(ORDER)
    assert f"but found '{found}'" in caught.value.detail


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("a.b", 0),
        ("$a", 1),
        ("$$.a", 1),
        ("$.a[*]", 3),
        ("$.a..b", 3),
        ("$.a[-1]", 3),
        ("$.a[?(@.b)]", 3),
        ("$.a['b','c']", 3),
        ("$.a b", 3),
        ("$.a]", 3),
        ("$.", 1),
        ("$['a", 1),
        (" $.a", 0),
        ("$.a()", 3),
    ],
)
def test_what_may_name_several_nodes_or_is_no_path_is_refused_with_its_place(text: str, position: int) -> None:
    with pytest.raises(InvalidExpression) as caught:
        compile_reference_path(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "root", "written"),
    [
        ("$", {"a": 1}, "new"),
        ("$.a", {"a": 1, "b": 2}, {"a": "new", "b": 2}),
        ("$.c", {"a": 1}, {"a": 1, "c": "new"}),
        ("$.x.y.z", {"a": 1}, {"a": 1, "x": {"y": {"z": "new"}}}),
        ("$.l[1]", {"l": [1, 2, 3]}, {"l": [1, "new", 3]}),
        ("$.l[0].k", {"l": [{"k": 1, "m": 2}]}, {"l": [{"k": "new", "m": 2}]}),
        ("$[0]", [1], ["new"]),
    ],
)
def test_writing_copies_the_way_and_creates_missing_objects(text: str, root: JsonValue, written: JsonValue) -> None:
    assert compile_reference_path(text).write(root, "new") == written


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("$.a", [1]),
        ("$.a", "text"),
        ("$.a", None),
        ("$.a.b", {"a": 1}),
        ("$.a.b", {"a": None}),
        ("$.l[3]", {"l": [1]}),
        ("$.o[0]", {"o": {}}),
        ("$.new[0]", {}),
    ],
)
def test_writing_where_the_data_has_another_shape_fails_the_result_path(text: str, root: JsonValue) -> None:
    with pytest.raises(EvaluationError, match="Unable to apply ReferencePath") as caught:
        compile_reference_path(text).write(root, 0)
    assert caught.value.error == "States.ResultPathMatchFailure"


def test_the_text_of_a_failed_write_shows_path_and_input() -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_reference_path("$.a.b").write({"a": [1]}, 0)
    assert caught.value.cause == 'Unable to apply ReferencePath $.a.b to input {"a":[1]}'


@given(objects, st.lists(names, min_size=1, max_size=4), values)
def test_what_was_written_is_read_back_and_siblings_are_untouched(
    root: dict[str, JsonValue], path_names: list[str], value: JsonValue
) -> None:
    quoted = "".join("['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']" for name in path_names)
    path = compile_reference_path("$" + quoted)
    before = repr(root)
    try:
        written = path.write(root, value)
    except EvaluationError:
        written = None
    assert repr(root) == before
    if written is None:
        return
    assert path.read(written) is value
    assert isinstance(written, dict)
    assert {name: kept for name, kept in written.items() if name != path_names[0]} == {
        name: kept for name, kept in root.items() if name != path_names[0]
    }


@given(st.text(alphabet="$.[]'\"ab0 \\*?(-", max_size=12))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        compile_reference_path(text)
    except InvalidExpression:
        return
    assert text.startswith("$")


def test_a_very_long_path_is_written_without_recursion() -> None:
    path = compile_reference_path("$" + ".a" * 5_000)
    assert path.read(path.write({}, 1)) == 1


def test_a_path_is_spelled_in_brackets() -> None:
    assert bracketed(("a", 0, "b c")) == "$['a'][0]['b c']"
