from typing import Any

import pytest

from asl_engine.expressions.scope import Scope
from asl_engine.language.definition import WaitState
from tests.language.definitions import errors_of, state


def compiled(**fields: Any) -> WaitState:
    found = state({"Type": "Wait", **fields})
    assert isinstance(found, WaitState)
    return found


def test_a_wait_has_one_of_four_ways_to_say_how_long() -> None:
    seconds = compiled(Seconds=0).seconds
    assert seconds is not None
    assert seconds.evaluate(Scope(None)) == 0
    timestamp = compiled(Timestamp="2030-01-31T09:30:00Z").timestamp
    assert timestamp is not None
    assert timestamp.evaluate(Scope(None)) == "2030-01-31T09:30:00Z"
    assert compiled(SecondsPath="$.delay").seconds_path_text == "$.delay"
    assert compiled(TimestampPath="$").timestamp_path is not None


def test_jsonata_computes_them() -> None:
    seconds = compiled(QueryLanguage="JSONata", Seconds="{% 2 * 3 %}").seconds
    assert seconds is not None
    assert seconds.evaluate(Scope(None)) == 6
    assert compiled(QueryLanguage="JSONata", Timestamp="{% $states.input.at %}").timestamp is not None


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, ": exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]"),
        ({"Seconds": 1, "Timestamp": "2030-01-31T09:30:00Z"}, "/Timestamp: at most one of these fields can be given"),
        ({"Seconds": -1}, "/Seconds: -1 is out of range: it must be between 0 and 99999999"),
        ({"Seconds": 1.5}, "/Seconds: expected an integer but found 1.5"),
        ({"Seconds": True}, "/Seconds: expected an integer but found true"),
        ({"Timestamp": "2030-01-31 09:30:00Z"}, "/Timestamp: String does not match RFC3339 timestamp"),
        ({"Timestamp": "{% $now() %}"}, "/Timestamp: String does not match RFC3339 timestamp"),
        ({"Timestamp": 5}, "/Timestamp: String does not match RFC3339 timestamp"),
        ({"Seconds": 1, "Parameters": {}}, "/Parameters: the field 'Parameters' is not supported by a Wait state"),
    ],
)
def test_a_wrong_field_is_refused(fields: dict[str, Any], error: str) -> None:
    (found,) = errors_of({"Type": "Wait", **fields})

    assert found.startswith(error)
