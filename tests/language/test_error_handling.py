from typing import Any

import pytest

from asl_engine.language.definition import Catcher, JitterStrategy, Retrier, TaskState
from tests.language.definitions import SHIP, errors_of, state


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": SHIP, **fields}


def compiled(**fields: Any) -> TaskState:
    found = state(task(**fields))
    assert isinstance(found, TaskState)
    return found


def test_a_retrier_has_the_defaults_of_the_specification() -> None:
    (retrier,) = compiled(Retry=[{"ErrorEquals": ["Busy"]}]).retry

    assert retrier == Retrier(error_equals=("Busy",))
    assert (retrier.interval_seconds, retrier.max_attempts, retrier.backoff_rate) == (1, 3, 2.0)


def test_a_retrier_keeps_all_that_was_written() -> None:
    rule = {
        "ErrorEquals": ["Busy", "Late"],
        "IntervalSeconds": 2,
        "MaxAttempts": 0,
        "BackoffRate": 1.5,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
        "Comment": "patience",
    }

    assert compiled(Retry=[rule]).retry == (
        Retrier(
            error_equals=("Busy", "Late"),
            interval_seconds=2,
            max_attempts=0,
            backoff_rate=1.5,
            max_delay_seconds=60,
            jitter_strategy=JitterStrategy.FULL,
        ),
    )


def test_a_catcher_without_a_result_path_replaces_the_input() -> None:
    assert compiled(Catch=[{"ErrorEquals": ["Late"], "Next": "B"}]).catch == (
        Catcher(error_equals=("Late",), next="B"),
    )


def test_a_catcher_can_discard_the_error() -> None:
    (catcher,) = compiled(Catch=[{"ErrorEquals": ["Late"], "Next": "B", "ResultPath": None}]).catch

    assert catcher.discards_result
    assert catcher.result_path is None


def test_a_catcher_can_keep_the_error_beside_the_input() -> None:
    (catcher,) = compiled(Catch=[{"ErrorEquals": ["Late"], "Next": "B", "ResultPath": "$.error"}]).catch

    assert catcher.result_path is not None
    assert catcher.result_path.text == "$.error"


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({}, ": These fields are required: [ErrorEquals]"),
        ({"ErrorEquals": []}, "/ErrorEquals: Value cannot be empty"),
        ({"ErrorEquals": "Late"}, '/ErrorEquals: expected an array of error names but found "Late"'),
        ({"ErrorEquals": [1]}, "/ErrorEquals/0: expected an error name but found 1"),
        ({"ErrorEquals": ["States.ALL", "Late"]}, "/ErrorEquals: States.ALL must be the only error of its rule"),
        ({"ErrorEquals": ["Late"], "MaxAttempts": True}, "/MaxAttempts: expected an integer but found true"),
        ({"ErrorEquals": ["Late"], "MaxAttempts": -1}, "/MaxAttempts: -1 is out of range"),
        ({"ErrorEquals": ["Late"], "IntervalSeconds": 0}, "/IntervalSeconds: 0 is out of range"),
        ({"ErrorEquals": ["Late"], "IntervalSeconds": 1.5}, "/IntervalSeconds: expected an integer but found 1.5"),
        ({"ErrorEquals": ["Late"], "BackoffRate": 0.5}, "/BackoffRate: 0.5 is out of range: it must be at least 1"),
        ({"ErrorEquals": ["Late"], "MaxDelaySeconds": 31_622_401}, "/MaxDelaySeconds: 31622401 is out of range"),
        ({"ErrorEquals": ["Late"], "MaxDelaySeconds": 1}, "/MaxDelaySeconds: MaxDelaySeconds must be greater than"),
        ({"ErrorEquals": ["Late"], "JitterStrategy": "full"}, "/JitterStrategy: The field 'JitterStrategy' should"),
    ],
)
def test_a_wrong_retrier_is_refused(rule: dict[str, Any], error: str) -> None:
    (found,) = errors_of(task(Retry=[rule]))

    assert found.startswith(f"/Retry/0{error}")


@pytest.mark.parametrize("field", ["Retry", "Catch"])
def test_the_rule_for_all_errors_is_the_last(field: str) -> None:
    rules = [{"ErrorEquals": [name], **({"Next": "B"} if field == "Catch" else {})} for name in ("States.ALL", "Late")]

    assert errors_of(task(**{field: rules})) == [f"/{field}/0/ErrorEquals: the rule for States.ALL must be the last"]


def test_rules_are_objects_in_an_array() -> None:
    assert errors_of(task(Retry={"ErrorEquals": ["Late"]})) == ["/Retry: expected an array but found an object"]
    assert errors_of(task(Catch=["Late"])) == ['/Catch/0: expected an object but found "Late"']


def test_a_catcher_leads_somewhere() -> None:
    assert errors_of(task(Catch=[{"ErrorEquals": ["Late"]}])) == ["/Catch/0: These fields are required: [Next]"]
    assert errors_of(task(Catch=[{"ErrorEquals": ["Late"], "Next": "X"}])) == [
        "/Catch/0/Next: Missing 'Next' target: X"
    ]


def test_a_catcher_has_the_fields_of_its_states_query_language() -> None:
    rule = {"ErrorEquals": ["Late"], "Next": "B", "Output": "{% $states.errorOutput %}"}

    assert compiled(QueryLanguage="JSONata", Catch=[rule]).catch[0].output is not None
    (error,) = errors_of(task(Catch=[rule]))
    assert error == "/Catch/0/Output: the field 'Output' is not supported where QueryLanguage is 'JSONPath'"
