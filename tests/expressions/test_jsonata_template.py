"""JSON values in which strings may be JSONata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError, InvalidExpression
from asl_engine.expressions.jsonata_template import Problem, compile_jsonata_template
from asl_engine.expressions.scope import Scope
from asl_engine.json_value import JsonValue, dump_json

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("{% $v %}")
TEMPLATES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


def evaluate(template: JsonValue, scope: Scope) -> JsonValue:
    return compile_jsonata_template(template, field="Output").evaluate(scope)


def test_expressions_at_any_depth_are_replaced_and_the_rest_stays_in_order() -> None:
    template: JsonValue = {"b": 1, "a": [None, "{% $states.input.x %}", {"c": "{%$n%}", "d": " {% $n %} "}], "z": "$n"}
    filled = evaluate(template, Scope({"x": [True]}, {"n": 0.5}))
    assert dump_json(filled) == '{"b":1,"a":[null,[true],{"c":0.5,"d":" {% $n %} "}],"z":"$n"}'


def test_a_template_may_be_one_expression() -> None:
    assert evaluate("{% $states.input %}", Scope({"x": 1})) == {"x": 1}


def test_names_of_members_are_never_expressions() -> None:
    assert evaluate({"{% 1 %}": 2}, Scope(None)) == {"{% 1 %}": 2}


def test_constant_parts_are_the_same_objects_each_time() -> None:
    constant: JsonValue = {"deep": [1, {"er": 2}]}
    assert evaluate(constant, Scope(None)) is constant
    filled = evaluate({"constant": constant, "v": "{% 1 %}"}, Scope(None))
    assert isinstance(filled, dict)
    assert filled["constant"] is constant


def test_evaluating_leaves_the_template_as_it_was() -> None:
    template: JsonValue = {"a": ["{% $v %}"]}
    compiled = compile_jsonata_template(template, field="Output")
    assert compiled.evaluate(Scope(None, {"v": 1})) == {"a": [1]}
    assert compiled.evaluate(Scope(None, {"v": 2})) == {"a": [2]}
    assert template == {"a": ["{% $v %}"]}


@pytest.mark.parametrize(
    ("template", "location"),
    [
        ("{% $no %}", "Arguments"),
        ({"Payload": {"id": "{% $no %}"}}, "Arguments/Payload/id"),
        (["{% 1 %}", ["{% $no %}"]], "Arguments/1/0"),
    ],
)
def test_a_failure_names_the_place_in_the_field(template: JsonValue, location: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_jsonata_template(template, field="Arguments").evaluate(Scope(None))
    assert caught.value.location == location
    assert f"specified for the field '{location}' returned nothing (undefined)." in caught.value.cause


def test_all_problems_are_collected_with_their_paths() -> None:
    problems: list[Problem] = []
    template: JsonValue = {"a": ["{% 1 + %}", "fine"], "b": "{% 1", "c": "{% 1 %}"}
    compile_jsonata_template(template, field="Output", problems=problems)
    assert [(path, error.reason) for path, error in problems] == [
        (("a", 0), "S0207: Unexpected end of expression"),
        (("b",), "a JSONata expression that begins with {% must end with %}"),
    ]


@pytest.mark.parametrize("template", [{"a": ["{% 1 + %}"]}, "{% 1", "1 %}"])
def test_the_first_problem_is_raised_when_nobody_collects(template: JsonValue) -> None:
    with pytest.raises(InvalidExpression):
        compile_jsonata_template(template, field="Output")


@given(TEMPLATES)
def test_what_comes_out_has_the_shape_of_the_template(template: JsonValue) -> None:
    problems: list[Problem] = []
    filled = compile_jsonata_template(template, field="Output", problems=problems).evaluate(Scope(None, {"v": 7}))
    assert dump_json(filled) == dump_json(template).replace('"{% $v %}"', "7")
