from typing import Any

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.scope import Scope
from asl_engine.language.choice_rule import Condition
from asl_engine.language.definition import ChoiceState
from tests.language.definitions import state


def condition(rule: dict[str, Any], **fields: Any) -> Condition:
    compiled = state({"Type": "Choice", "Choices": [{**rule, "Next": "B"}], "Default": "B", **fields})
    assert isinstance(compiled, ChoiceState)
    return compiled.choices[0].condition


def holds(rule: dict[str, Any], value: Any, **variables: Any) -> bool:
    return condition(rule).holds(Scope(value, variables=variables))


def test_a_comparison_is_with_what_is_written_in_the_rule() -> None:
    rule = {"Variable": "$.n", "NumericGreaterThan": 3}

    assert holds(rule, {"n": 4})
    assert not holds(rule, {"n": 3})
    assert not holds(rule, {"n": "4"})


def test_a_comparison_can_be_with_what_a_path_finds() -> None:
    rule = {"Variable": "$.n", "NumericEqualsPath": "$limit"}

    assert holds(rule, {"n": 3}, limit=3)
    assert not holds(rule, {"n": 3}, limit="3")


@pytest.mark.parametrize(
    ("value", "both", "either", "neither"),
    [
        ({"a": 1, "b": 2}, True, True, False),
        ({"a": 1, "b": 0}, False, True, True),
        ({"a": 0, "b": 0}, False, False, True),
    ],
)
def test_rules_are_combined(value: Any, both: bool, either: bool, neither: bool) -> None:
    rules = [{"Variable": "$.a", "NumericEquals": 1}, {"Variable": "$.b", "NumericEquals": 2}]

    assert holds({"And": rules}, value) is both
    assert holds({"Or": rules}, value) is either
    assert holds({"Not": {"And": rules}}, value) is neither


def test_a_variable_that_is_not_there_fails_the_state() -> None:
    with pytest.raises(EvaluationError) as caught:
        holds({"Variable": "$.gone", "IsNull": True}, {})

    assert caught.value.error == "States.Runtime"
    assert caught.value.cause == "Invalid path '$.gone': The choice state's condition path references an invalid value."


def test_a_path_to_compare_with_that_finds_nothing_fails_the_state() -> None:
    with pytest.raises(EvaluationError, match=r"Invalid path '\$\.gone'"):
        holds({"Variable": "$.a", "StringEqualsPath": "$.gone"}, {"a": "x"})


def test_presence_is_the_one_test_for_what_is_not_there() -> None:
    assert holds({"Variable": "$.gone", "IsPresent": False}, {})
    assert not holds({"Variable": "$.gone", "IsPresent": True}, {})
    assert holds({"Variable": "$.a", "IsPresent": True}, {"a": None})


def test_presence_asked_first_protects_the_comparison_after_it() -> None:
    rules = [{"Variable": "$.gone", "IsPresent": True}, {"Variable": "$.gone", "NumericEquals": 1}]

    assert not holds({"And": rules}, {})


def test_a_jsonata_condition_decides() -> None:
    rule = condition({"Condition": "{% $states.input.n > 3 %}"}, QueryLanguage="JSONata")

    assert rule.holds(Scope({"n": 4}))
    assert not rule.holds(Scope({"n": 3}))


def test_a_jsonata_condition_must_give_a_boolean() -> None:
    rule = condition({"Condition": "{% $states.input.n %}"}, QueryLanguage="JSONata")

    with pytest.raises(EvaluationError):
        rule.holds(Scope({"n": 1}))


def test_a_condition_can_be_written_out() -> None:
    assert condition({"Condition": True}, QueryLanguage="JSONata").holds(Scope(None))
