from typing import Any

import pytest

from asl_engine.language.definition import ChoiceState
from tests.language.definitions import errors_of, state


def errors_of_rule(rule: dict[str, Any], **fields: Any) -> list[str]:
    found = errors_of({"Type": "Choice", "Choices": [{"Next": "B", **rule}], "Default": "B", **fields})
    return [error.removeprefix("/Choices/0") for error in found]


def test_rules_keep_their_order_and_where_they_lead() -> None:
    rules = [
        {"Variable": "$.a", "IsNull": True, "Next": "B", "Assign": {"x": 1}},
        {"Variable": "$.a", "IsNull": False, "Next": "A"},
    ]
    compiled = state({"Type": "Choice", "Choices": rules, "Default": "B"})

    assert isinstance(compiled, ChoiceState)
    assert [rule.next for rule in compiled.choices] == ["B", "A"]
    assert compiled.choices[0].assign is not None
    assert compiled.default == "B"


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"Variable": "$.a"}, ": a rule needs Variable and a comparison operator, or one of And, Or and Not"),
        ({}, ": a rule needs Variable and a comparison operator, or one of And, Or and Not"),
        ({"NumericEquals": 1}, ": These fields are required: [Variable]"),
        (
            {"Variable": "a", "NumericEquals": 1},
            "/Variable: The value for the field 'Variable' must be a valid JSONPath",
        ),
        ({"Variable": "$.a", "NumericEqual": 1}, "/NumericEqual: the field 'NumericEqual' is not supported"),
        ({"Variable": "$.a", "NumericEquals": "1"}, '/NumericEquals: expected a number but found "1"'),
        ({"Variable": "$.a", "NumericEquals": True}, "/NumericEquals: expected a number but found true"),
        ({"Variable": "$.a", "StringEquals": 1}, "/StringEquals: expected a string but found 1"),
        ({"Variable": "$.a", "IsPresent": 1}, "/IsPresent: expected true or false but found 1"),
        ({"Variable": "$.a", "TimestampEquals": "noon"}, "/TimestampEquals: expected a timestamp"),
        ({"Variable": "$.a", "StringEqualsPath": "b"}, "/StringEqualsPath: The value for the field 'StringEqualsPath'"),
        (
            {"Variable": "$.a", "StringEquals": "x", "NumericEquals": 1},
            "/NumericEquals: at most one of these fields can be given: [StringEquals, NumericEquals]",
        ),
        (
            {"And": [{"Variable": "$.a", "IsNull": True}], "Variable": "$.b"},
            "/Variable: Variable belongs into the rules",
        ),
        ({"And": []}, "/And: Value cannot be empty"),
        ({"Or": {"Variable": "$.a"}}, "/Or: expected an array of rules but found an object"),
        ({"Not": {"Variable": "$.a", "IsNull": True, "Next": "B"}}, "/Not/Next: the field 'Next' is not supported"),
        ({"Condition": "{% true %}"}, "/Condition: the field 'Condition' is not supported where"),
        ({"Variable": "$.a", "IsNull": True, "End": True}, "/End: the field 'End' is not supported by a Choice rule"),
    ],
)
def test_a_wrong_rule_is_refused(rule: dict[str, Any], error: str) -> None:
    (found,) = errors_of_rule(rule)

    assert found.startswith(error)


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({}, ": These fields are required: [Condition]"),
        ({"Condition": "true"}, "/Condition: expected a JSONata expression in {% %}"),
        (
            {"Condition": "{% ( %}"},
            "/Condition: The value for the field 'Condition' must be a valid JSONata expression",
        ),
        ({"Condition": True, "Variable": "$.a"}, "/Variable: the field 'Variable' is not supported where"),
    ],
)
def test_a_wrong_jsonata_rule_is_refused(rule: dict[str, Any], error: str) -> None:
    (found,) = errors_of_rule(rule, QueryLanguage="JSONata")

    assert found.startswith(error)


def test_a_rule_leads_somewhere() -> None:
    rule = {"Variable": "$.a", "IsNull": True}

    (error,) = errors_of({"Type": "Choice", "Choices": [rule], "Default": "B"})

    assert error == "/Choices/0: These fields are required: [Next]"


def test_comments_are_welcome_in_every_rule() -> None:
    inner = {"Variable": "$.a", "IsNull": True, "Comment": "inner"}

    assert errors_of_rule({"And": [inner, {"Or": [inner], "Comment": "mid"}], "Comment": "outer"}) == []


@pytest.mark.parametrize("choices", [[], {}, None])
def test_a_choice_has_rules(choices: Any) -> None:
    (error,) = errors_of({"Type": "Choice", "Choices": choices, "Default": "B"})

    assert error.startswith("/Choices: ")


@pytest.mark.parametrize("field", ["ResultPath", "ResultSelector", "Next", "End", "Parameters", "Retry"])
def test_a_choice_has_no_fields_of_work(field: str) -> None:
    rules = [{"Variable": "$.a", "IsNull": True, "Next": "B"}]

    (error,) = errors_of({"Type": "Choice", "Choices": rules, "Default": "B", field: "$.a"})

    assert error.startswith(f"/{field}: the field '{field}' is not supported by a Choice state")
