from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError, InvalidExpression, PathNotFound
from asl_engine.expressions.path import compile_path, compile_path_or_intrinsic
from asl_engine.expressions.scope import Scope
from asl_engine.json_value import JsonObject, JsonValue


def context() -> JsonObject:
    return {"State": {"Name": "Ship"}, "Map": {"Item": {"Value": [1, 2]}}}


SCOPE = Scope({"a": {"b": [1, 2, 3]}}, variables={"total": {"net": 9}, "items": ["x", "y"]}, context=context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", SCOPE.input),
        ("$.a.b", [1, 2, 3]),
        ("$.a.b[-1]", 3),
        ("$$", context()),
        ("$$.State.Name", "Ship"),
        ("$$.Map.Item.Value[*]", [1, 2]),
        ("$total", {"net": 9}),
        ("$total.net", 9),
        ("$items[1]", "y"),
        ("$items[1:]", ["y"]),
    ],
)
def test_the_text_before_the_first_segment_says_where_to_look(text: str, expected: JsonValue) -> None:
    assert compile_path(text).evaluate(SCOPE) == expected


@pytest.mark.parametrize(("text", "is_reference"), [("$.a[0]", True), ("$$", True), ("$v.a", True), ("$.a[*]", False)])
def test_a_path_knows_whether_it_is_a_reference_path(text: str, is_reference: bool) -> None:
    assert compile_path(text).is_reference is is_reference


def test_a_path_names_the_variable_it_reads() -> None:
    assert compile_path("$total.net").references_variables == {"total"}
    assert compile_path("$.total").references_variables == frozenset()


@pytest.mark.parametrize("text", ["$missing", "$missing.a", "$missing[*]"])
def test_a_variable_that_was_never_assigned_is_not_found(text: str) -> None:
    with pytest.raises(PathNotFound, match="No results for path: \\$\\['missing'\\]"):
        compile_path(text).evaluate(SCOPE)


def test_the_context_object_is_built_only_for_who_reads_it() -> None:
    def refuse() -> JsonObject:
        raise AssertionError

    assert compile_path("$.a.b[0]").evaluate(Scope(SCOPE.input, context=refuse)) == 1


@pytest.mark.parametrize("text", ["", "a", "Error", " $.a", "$ a", "$-1", "$$$", "$..", "$.a."])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidExpression):
        compile_path(text)


@pytest.mark.parametrize("text", ["name", "States", "States.", "JsonToString($)", " States.UUID()", "states.UUID()"])
def test_a_dynamic_member_holds_a_path_or_a_call(text: str) -> None:
    with pytest.raises(InvalidExpression):
        compile_path_or_intrinsic(text)


def test_both_are_evaluated_alike() -> None:
    assert compile_path_or_intrinsic("$total.net").evaluate(SCOPE) == 9
    assert compile_path_or_intrinsic("States.MathAdd($total.net, 1)").evaluate(SCOPE) == 10


FRAGMENTS = st.lists(
    st.sampled_from(
        "$ $$ . .. a b [ ] * 0 -1 : , 'x' ' \" \\ ?( @ ( ) == && || ! in =~ /a+/ 1e5 null .length()".split()  # noqa: SIM905
    )
    | st.sampled_from([" ", "States.Format(", "'{}'"]),
    max_size=14,
)


@given(FRAGMENTS.map("".join) | st.text(max_size=20).map("$".__add__) | st.text(max_size=20).map("States.".__add__))
def test_any_text_compiles_or_is_refused_and_what_compiles_evaluates_or_fails_as_a_state_can(text: str) -> None:
    with contextlib.suppress(InvalidExpression):
        expression = compile_path_or_intrinsic(text)
        with contextlib.suppress(EvaluationError):
            expression.evaluate(SCOPE)
