from __future__ import annotations

import pytest

from asl_engine.errors import EvaluationError, InvalidExpression
from asl_engine.expressions.intrinsic_functions import compile_intrinsic
from asl_engine.expressions.scope import Scope
from asl_engine.json_value import JsonValue

DATA: JsonValue = {"a b": 1, "rows": [{"k": "x", "v": [5]}, {"k": "y, z)", "v": [6]}], "n": 2, "c,d": 7, "it's": 8}


def call(text: str) -> JsonValue:
    return compile_intrinsic(text).evaluate(Scope(DATA, variables={"var": {"m": 3}}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("States.Array( 1 ,2,  3 )", [1, 2, 3]),
        ("States.Array(1)   ", [1]),
        ("States.Array($['a b'], $.n)", [1, 2]),
        ("States.Array($.rows[?(@.k == x)].v, 0)", [[[5]], 0]),
        ("States.Array($.rows[?(@.k == 'y, z)')].v[0])", [[6]]),
        ("States.Array($.rows.length() , 'x')", [2, "x"]),
        ("States.Array($var.m, $var)", [3, {"m": 3}]),
        ("States.Array(States.Array(States.Array()))", [[[]]]),
        (
            "States.Array('a, b)', 'it\\'s', '\\\\', '\\{\\}', 'two\nlines', '\"')",
            ["a, b)", "it's", "\\", "{}", "two\nlines", '"'],
        ),
        ("States.Array(0, -7, 2.50, 1e3, -1.5E-2)", [0, -7, 2.5, 1000.0, -0.015]),
        ("States.Array($.c\\,d, $['it\\'s'])", [7, 8]),
        ("States.Array(true, false, null)", [True, False, None]),
    ],
)
def test_arguments_are_read(text: str, expected: JsonValue) -> None:
    assert repr(call(text)) == repr(expected)


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("States.Xyz()", "no intrinsic function is named States.Xyz", 0),
        ("States.array()", "no intrinsic function is named States.array", 0),
        ("Array()", "expected an intrinsic function", 0),
        ("States.Array", "expected (", 12),
        ("States.Array (1)", "expected (", 12),
        ("States.Array(", "expected a 'string'", 13),
        ("States.Array(1", "expected ,", 14),
        ("States.Array(1,)", "expected a 'string'", 15),
        ("States.Array(1 2)", "expected ,", 15),
        ("States.Array(1) x", "expected the end", 16),
        ("States.Array(abc)", "expected a 'string'", 13),
        ('States.Array("a")', "expected a 'string'", 13),
        ("States.Array('a)", "the string has no end", 13),
        ("States.Array(1.)", "expected a 'string'", 13),
        ("States.Array(nullx)", "expected a 'string'", 13),
        ("States.Array('tab\\t')", "\\t is no escape", 17),
        ('States.Array(\'{"a":"\\"b\\""}\')', '\\" is no escape', 20),
        ("States.Array($.a[)", "expected an index", 17),
        ("States.Array(1, $.a b)", "expected .name", 19),
        ("States.ArrayLength()", "States.ArrayLength takes 1 arguments, not 0", 0),
        ("States.Array(States.UUID(1))", "States.UUID takes 0 arguments, not 1", 13),
        ("States.MathRandom(1)", "States.MathRandom takes 2 to 3 arguments, not 1", 0),
        ("States.Format()", "States.Format takes at least 1 arguments, not 0", 0),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, reason: str, position: int) -> None:
    with pytest.raises(InvalidExpression) as caught:
        compile_intrinsic(text)
    assert reason in caught.value.reason
    assert caught.value.position == position


def test_calls_may_be_nested_ten_deep() -> None:
    def nested(depth: int) -> str:
        return "States.Array(" * depth + ")" * depth

    assert call(nested(10)) == [[[[[[[[[[]]]]]]]]]]
    with pytest.raises(InvalidExpression, match="10 deep"):
        compile_intrinsic(nested(11))
    with pytest.raises(InvalidExpression, match="10 deep"):
        compile_intrinsic(nested(10_000))


def test_the_inner_call_is_the_one_that_fails() -> None:
    with pytest.raises(
        EvaluationError, match=r"The function 'States.ArrayGetItem\(\$.rows, 9\)' had the following error"
    ):
        call("States.Array(1, States.ArrayGetItem($.rows, 9))")


def test_a_path_that_finds_nothing_fails_with_the_call_the_path_and_the_input() -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_intrinsic("States.Array($.no)").evaluate(Scope({"a": 1}))
    assert caught.value.error == "States.Runtime"
    assert caught.value.cause == (
        "The function 'States.Array($.no)' had the following error: "
        "The JsonPath argument for the field '$.no' could not be found in the input '{\"a\":1}'"
    )


def test_a_call_names_the_variables_it_reads() -> None:
    assert compile_intrinsic("States.Array($a, States.Array($b.c, $.d, '$e'))").references_variables == {"a", "b"}
