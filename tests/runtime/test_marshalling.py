"""What a function may return, and what is said of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.json_value import JsonValue
from asl_engine.runtime.tasks import Succeeded
from tests.runtime.task_calls import task_call
from tests.runtime.task_functions import failed, run


def _cycle() -> list[Any]:
    loop: list[Any] = []
    loop.append({"again": loop})
    return loop


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": [1, {2}]}, "Object of type set is not JSON serializable, at $.a[1]"),
        ({"a": float("nan")}, "nan is not JSON, at $.a"),
        ((0, float("inf")), "inf is not JSON, at $[1]"),
        (Decimal("NaN"), "NaN is not JSON, at $"),
        (object(), "Object of type object is not JSON serializable, at $"),
        ({"a": {(1, 2): 3}}, "keys must be strings, not tuple, at $.a"),
        (_cycle(), "Circular reference detected at $[0].again"),
        ([b"x"], "Object of type bytes is not JSON serializable, at $[0]"),
    ],
)
def test_a_result_that_is_no_json_fails_naming_type_and_place(value: object, problem: str) -> None:
    error, cause = failed(lambda event: value)
    assert error == cause["errorType"] == "Runtime.MarshalError"
    assert cause["errorMessage"] == f"Unable to marshal response: {problem}"


def test_a_result_that_is_nested_too_deeply_fails() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    error, cause = failed(lambda event: deep)
    assert error == "Runtime.MarshalError"
    assert "nested too deeply" in cause["errorMessage"]


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ((1, (2,)), [1, [2]]),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        (Decimal(10), 10),
        ({"price": Decimal("9.5")}, {"price": 9.5}),
        (b'"text"', "text"),
        (b"no json", "no json"),
    ],
)
def test_results_become_json_as_the_lambda_runtime_makes_them(value: object, output: JsonValue) -> None:
    result = run(lambda event: value, task_call())
    assert result == Succeeded(output)
    assert isinstance(result, Succeeded)
    assert type(result.output) is type(output)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(json_values)
def test_any_json_value_passes_through_a_task_unchanged(value: JsonValue) -> None:
    async def give_back(event: JsonValue) -> JsonValue:
        return event

    result = run(give_back, task_call(arguments=value))
    assert isinstance(result, Succeeded)
    assert repr(result.output) == repr(value)
