import pytest

from asl_engine.expressions.intrinsic_functions.sure_failures import sure_failures


@pytest.mark.parametrize(
    ("text", "call", "reason"),
    [
        ("States.Format('{} {}', $.a)", None, "the template has 2 placeholders but 1 values are given"),
        ("States.ArrayPartition($.a, 0)", None, "expected a number above 0 but found number"),
        ("States.ArrayRange(1, 9, 0)", None, "the step must not be 0"),
        ("States.Array(1, States.MathAdd('a', $.b))", "States.MathAdd('a', $.b)", "expected a number but found string"),
    ],
)
def test_a_call_that_fails_whatever_the_data_is_found(text: str, call: str | None, reason: str) -> None:
    assert list(sure_failures(text)) == [f"The function '{call or text}' had the following error: {reason}"]


@pytest.mark.parametrize(
    "text",
    [
        "States.Format('{} \\{\\}', $.a)",
        "States.Format($.template, 1, 2)",
        "States.ArrayPartition($.a, 2)",
        "States.ArrayRange(1, 9, 2)",
        "States.MathRandom(1, 9)",
        "States.UUID()",
        "States.Nope(",
    ],
)
def test_a_call_that_may_succeed_is_left_alone(text: str) -> None:
    assert list(sure_failures(text)) == []
