"""The words on a drawing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.graph.wording import condition_text, plain, retry_text, shortened, state_detail, wrapped
from asl_engine.json_value import JsonObject
from tests.graph.machines import LAMBDA, one_state


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"Condition": "{%  $states.input.n > 3 %}"}, "$states.input.n > 3"),
        ({"Condition": True}, "true"),
        ({"Variable": "$.n", "NumericEquals": 1.5}, "$.n = 1.5"),
        ({"Variable": "$.n", "NumericLessThanEqualsPath": "$.max"}, "$.n ≤ $.max"),
        ({"Variable": "$.s", "StringMatches": "a*"}, '$.s matches "a*"'),
        ({"Variable": "$.t", "TimestampGreaterThan": "2024-01-01T00:00:00Z"}, '$.t > "2024-01-01T00:00:00Z"'),
        ({"Variable": "$.b", "BooleanEquals": False}, "$.b = false"),
        ({"Variable": "$.x", "IsPresent": True}, "$.x is present"),
        ({"Variable": "$.x", "IsNull": False}, "$.x is not null"),
        ({"Not": {"Variable": "$.x", "IsNull": True}}, "not ($.x is null)"),
        (
            {"And": [{"Variable": "$.a", "NumericEquals": 1}, {"Or": [{"Condition": True}, {"Condition": False}]}]},
            "$.a = 1 and (true or false)",
        ),
        (None, ""),
        ({}, ""),
    ],
)
def test_a_rule_reads_as_one_would_say_it(rule: JsonObject, text: str) -> None:
    assert condition_text(rule) == text


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        ({"Type": "Task", "Resource": f"{LAMBDA}pay", "End": True}, "pay"),
        ({"Type": "Task", "Resource": f"{LAMBDA}pay:live", "End": True}, "pay:live"),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync", "End": True},
            "batch:submitJob, runs to its end",
        ),
        (
            {"Type": "Task", "Resource": "arn:aws:states:eu-west-1:123456789012:activity:pick", "End": True},
            "activity pick",
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": {"FunctionName": f"{LAMBDA}ask", "Payload": {"token.$": "$$.Task.Token"}},
                "End": True,
            },
            "ask, waits for its token",
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName.$": "$.f"},
                "End": True,
            },
            "$.f",
        ),
        ({"Type": "Wait", "Seconds": 5, "End": True}, "5 s"),
        ({"Type": "Wait", "SecondsPath": "$.pause", "End": True}, "$.pause s"),
        ({"Type": "Wait", "TimestampPath": "$.at", "End": True}, "until $.at"),
        ({"Type": "Fail", "Error": "Broken"}, "Broken"),
        ({"Type": "Pass", "End": True}, ""),
    ],
)
def test_a_state_says_what_it_does(state: JsonObject, detail: str) -> None:
    assert state_detail(one_state(state).root.states["Only"], state) == detail


def test_retriers_that_retry_are_told() -> None:
    retry: JsonObject = {
        "Type": "Task",
        "Resource": f"{LAMBDA}pay",
        "Retry": [
            {"ErrorEquals": ["Declined"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.Timeout", "Busy"], "MaxAttempts": 4},
        ],
        "End": True,
    }
    assert retry_text(one_state(retry).root.states["Only"]) == "States.Timeout, Busy: up to 4 times"


def test_values_are_shown_on_one_line() -> None:
    assert plain("{%\n  $a\n  + 1 %}") == "$a + 1"
    assert plain({"a": 1}) == '{"a":1}'


def test_text_is_broken_between_words_and_cut_at_the_end() -> None:
    assert wrapped("one two three four", 9, 3) == ["one two", "three", "four"]
    assert wrapped("one two three four", 9, 2) == ["one two", "three …"]
    assert wrapped("", 9, 2) == [""]
    assert shortened("Supercalifragilistic", 8) == "Superca…"


@given(st.text(), st.integers(1, 30), st.integers(1, 4))
def test_no_line_is_much_longer_than_it_may_be(text: str, width: int, lines_max: int) -> None:
    lines = wrapped(text, width, lines_max)
    assert 1 <= len(lines) <= lines_max
    assert all(len(line) <= width + 4 for line in lines)
