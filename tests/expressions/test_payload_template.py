from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError, InvalidExpression
from asl_engine.expressions.payload_template import PayloadTemplate, compile_template
from asl_engine.expressions.scope import Constant, Scope
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.limits import TEMPLATE_DEPTH_MAX


def context() -> JsonObject:
    return {"Execution": {"Id": "arn"}}


SCOPE = Scope({"id": 7, "r": {"n": 1}}, variables={"rate": 3}, context=context)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["a.$", "b.$", "c"]), inner, max_size=3)
    ),
    max_leaves=10,
)


def filled(template: JsonValue) -> JsonValue:
    return compile_template(template, field="Parameters").evaluate(SCOPE)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"a.$": "$.id"}, {"a": 7}),
        ({"a.$": "$"}, {"a": {"id": 7, "r": {"n": 1}}}),
        ({"a.$": "$$.Execution.Id"}, {"a": "arn"}),
        ({"a.$": "$rate"}, {"a": 3}),
        ({"a.$": "States.MathAdd($.id, $rate)"}, {"a": 10}),
        ({"a": {"b": {"c.$": "$.r.n"}, "d": 1}}, {"a": {"b": {"c": 1}, "d": 1}}),
        ({"a": ["$.id", {"b.$": "$.id"}, [{"c.$": "$.r"}]]}, {"a": ["$.id", {"b": 7}, [{"c": {"n": 1}}]]}),
        ([{"a.$": "$.id"}], [{"a": 7}]),
        ({"a.$.$": "$.id"}, {"a.$": 7}),
        ({".$": "$.id"}, {"": 7}),
        ({"a.$": "$.id  "}, {"a": 7}),
    ],
)
def test_members_that_end_in_dollar_are_filled(template: JsonValue, expected: JsonValue) -> None:
    assert filled(template) == expected


def test_members_keep_their_order() -> None:
    built = filled({"z.$": "$.id", "b": 1, "a.$": "$.r", "c": 2})
    assert isinstance(built, dict)
    assert list(built) == ["z", "b", "a", "c"]


@pytest.mark.parametrize("template", [{"a": "$.id"}, {"a": "States.UUID()"}, "$.id", ["$"], None, 1, {}, {"$": "$.id"}])
def test_what_has_no_such_member_is_returned_as_it_is(template: JsonValue) -> None:
    compiled = compile_template(template, field="Parameters")
    assert isinstance(compiled, Constant)
    assert compiled.evaluate(SCOPE) is template


def test_constant_parts_are_not_rebuilt() -> None:
    template: JsonObject = {"constant": {"deep": [1]}, "id.$": "$.id"}
    built = filled(template)
    assert isinstance(built, dict)
    assert built["constant"] is template["constant"]


def test_each_evaluation_builds_anew() -> None:
    compiled = compile_template({"a.$": "$.id", "l": [{"b.$": "$.id"}]}, field="Parameters")
    first = compiled.evaluate(SCOPE)
    assert compiled.evaluate(Scope({"id": 8})) == {"a": 8, "l": [{"b": 8}]}
    assert first == {"a": 7, "l": [{"b": 7}]}


@pytest.mark.parametrize(
    ("template", "cause"),
    [
        ({"a.$": "$.no"}, "The JSONPath '$.no' specified for the field 'a.$'"),
        ({"a.$": "$$.no"}, "The JSONPath '$$.no' specified for the field 'a.$'"),
        ({"a.$": "$no"}, "The JSONPath '$no' specified for the field 'a.$'"),
        ({"o": {"b.$": "$.r.no"}}, "The JSONPath '$.r.no' specified for the field 'b.$'"),
        ({"o": [{"b.$": "$.r.n.x"}]}, "The JSONPath '$.r.n.x' specified for the field 'b.$'"),
        ({"ok.$": "$.id", "bad.$": "$.no"}, "The JSONPath '$.no' specified for the field 'bad.$'"),
    ],
)
def test_a_path_that_finds_nothing_is_told_with_its_member_and_the_input(template: JsonValue, cause: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        filled(template)
    assert caught.value.error == "States.Runtime"
    assert caught.value.cause == cause + """ could not be found in the input '{"id":7,"r":{"n":1}}'"""


def test_a_wildcard_that_finds_nothing_is_an_empty_list() -> None:
    assert filled({"a.$": "$.no[*].x"}) == {"a": []}


def test_a_path_within_an_intrinsic_function_fails_with_the_function() -> None:
    with pytest.raises(EvaluationError, match=r"The function 'States.Array\(\$.no\)' had the following error"):
        filled({"a.$": "States.Array($.no)"})


def test_the_first_mistake_is_raised() -> None:
    with pytest.raises(InvalidExpression, match="no intrinsic function"):
        compile_template({"a.$": "States.Xyz()", "b.$": "?"}, field="Parameters")


def test_all_mistakes_are_gathered_with_their_places() -> None:
    problems: list[tuple[tuple[str | int, ...], InvalidExpression]] = []
    template: JsonValue = {"a.$": "x", "ok.$": "$.id", "o": [{"b.$": 5}, {"c.$": "$.["}], "d": 1, "d.$": "$.id"}
    compile_template(template, field="Parameters", problems=problems)
    assert [place for place, _ in problems] == [("a.$",), ("o", 0, "b.$"), ("o", 1, "c.$"), ("d.$",)]
    assert "must be a path or an intrinsic function, not number" in problems[1][1].reason
    assert "twice" in problems[3][1].reason


def test_a_template_nested_too_deeply_is_refused() -> None:
    template: JsonValue = {"a.$": "$.id"}
    for _ in range(TEMPLATE_DEPTH_MAX + 1):
        template = {"a": template}
    with pytest.raises(InvalidExpression, match="Parameters is nested too deeply"):
        compile_template(template, field="Parameters")


def test_a_template_names_the_variables_it_reads() -> None:
    template: JsonValue = {"a.$": "$rate", "b": [{"c.$": "States.Array($x, States.Array($y.z))"}], "d": "$unread"}
    compiled = compile_template(template, field="Parameters")
    assert isinstance(compiled, PayloadTemplate)
    assert compiled.references_variables == {"rate", "x", "y"}


@given(json_values)
def test_any_value_compiles_or_is_refused_and_stays_as_it_was(value: JsonValue) -> None:
    before = repr(value)
    with contextlib.suppress(InvalidExpression, EvaluationError):
        filled(value)
    assert repr(value) == before
