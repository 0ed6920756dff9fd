from __future__ import annotations

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.value_text import java_class, java_json, java_text, json_text
from asl_engine.json_value import JsonValue


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (1.5, "1.5"),
        (0.0, "0.0"),
        (1e7, "1.0E7"),
        (123456789.5, "1.234567895E8"),
        (-0.00025, "-2.5E-4"),
        ("a b", "a b"),
        ([], "[]"),
        ([1, "a", None], "[1, a, null]"),
        ({}, "{}"),
        ({"a": {"b": [True]}, "c": ""}, "{a={b=[true]}, c=}"),
    ],
)
def test_a_value_is_printed_as_java_prints_it(value: JsonValue, text: str) -> None:
    assert java_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00001, "1.0E-5"),
        (-1e21, "-1.0E21"),
        (1e300, "1.0E300"),
        (12345678.0, "1.2345678E7"),
        (0.0001, "1.0E-4"),
        ([0.001, 1.5, 0.0, 12345678, 1e7], "[0.001,1.5,0.0,12345678,1.0E7]"),
        ({"1e-05": '0.0001 \\"1e+21', "a": 1e-05}, '{"1e-05":"0.0001 \\\\\\"1e+21","a":1.0E-5}'),
    ],
)
def test_json_has_the_numbers_of_java(value: JsonValue, text: str) -> None:
    assert java_json(value) == text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "java.lang.Boolean"),
        (1, "java.lang.Integer"),
        (2**31, "java.lang.Long"),
        (2**63, "java.math.BigInteger"),
        (1.0, "java.lang.Double"),
        ("", "java.lang.String"),
        ([], "java.util.ArrayList"),
        ({}, "java.util.LinkedHashMap"),
    ],
)
def test_a_value_has_the_class_that_jackson_reads_it_into(value: JsonValue, name: str) -> None:
    assert java_class(value) == name


def test_a_value_that_is_nested_too_deeply_is_an_error_of_the_state_or_left_out() -> None:
    deep: JsonValue = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(EvaluationError, match="nested too deeply"):
        java_text(deep)
    assert json_text(deep) == "…"
    assert json_text({"a": 1}) == '{"a":1}'
