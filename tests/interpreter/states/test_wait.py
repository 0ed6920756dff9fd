"""Wait: holds a frame until a moment, decided by the clock and not by who says that the timer fired."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import StartTimer
from asl_engine.interpreter.events import TimerFired
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import NOON, jsonata, machine, only, pass_, state, waits

NO_MOMENT = "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "


def hold(**fields: JsonValue) -> JsonObject:
    return only(state("Wait", **fields))


def test_wait_leaves_with_its_input_when_the_timer_fires() -> None:
    """A Wait changes nothing but the time."""
    run = Drive(hold(Seconds=10), input={"order": 7}, at=NOON)
    assert run.commands == [StartTimer("0", 2, NOON + 10_000)]

    run.feed(TimerFired("0", 2), at=NOON + 10_000)
    assert run.succeeded_with({"order": 7})
    assert run.execution.stopped_at == NOON + 10_000


def test_a_timer_that_fires_early_is_asked_for_again() -> None:
    run = Drive(hold(Seconds=10), at=NOON)
    run.feed(TimerFired("0", 2), at=NOON + 9_999)

    assert run.is_running
    assert run.commands == [StartTimer("0", 2, NOON + 10_000)]
    assert run.execution.ignored_events == 0


def test_a_timer_that_fires_late_ends_the_wait() -> None:
    run = Drive(hold(Seconds=10), at=NOON).feed(TimerFired("0", 2), at=NOON + 99_000)

    assert run.succeeded_with({})
    assert run.history[-1].timestamp == NOON + 99_000


def test_a_timer_of_another_wait_is_ignored() -> None:
    """The id of a wait is that of the event that began it: an old timer cannot end a new wait."""
    two = machine({"First": state("Wait", Seconds=5, Next="Second"), "Second": state("Wait", Seconds=5)})
    run = Drive(two, at=NOON).elapse(seconds=5)
    run.feed(TimerFired("0", 2), at=NOON + 60_000)

    assert run.frames_at("Second")
    assert run.execution.ignored_events == 1


def test_zero_seconds_fire_at_once() -> None:
    run = Drive(hold(Seconds=0), at=NOON)

    assert waits(run) == [0]
    assert run.elapse(seconds=0).succeeded_with({})


def test_seconds_path_is_read_from_the_input_that_input_path_selects() -> None:
    assert waits(Drive(hold(InputPath="$.a", SecondsPath="$.s"), input={"a": {"s": 7}, "s": 9}, at=NOON)) == [7_000]


def test_a_moment_in_a_time_zone_is_the_moment_in_utc() -> None:
    run = Drive(hold(TimestampPath="$.until"), input={"until": "2026-01-01T14:00:01+01:00"}, at=NOON)

    assert waits(run) == [3_601_000]


def test_a_literal_moment_that_is_past_fires_at_once() -> None:
    assert waits(Drive(hold(Timestamp="2020-02-29T00:00:00Z"), at=NOON)) == [0]


def test_a_wait_may_be_as_long_as_three_years() -> None:
    assert waits(Drive(hold(SecondsPath="$"), input=99_999_999)) == [99_999_999_000]
    assert waits(Drive(jsonata(state("Wait", Seconds="{% $states.input %}")), input=99_999_999)) == [99_999_999_000]


def test_jsonata_gives_seconds_and_moments() -> None:
    assert waits(Drive(jsonata(state("Wait", Seconds="{% $states.input.s * 2 %}")), input={"s": 2}, at=NOON)) == [4_000]
    until = jsonata(state("Wait", Timestamp="{% $states.input.t %}"))
    assert waits(Drive(until, input={"t": "2026-01-01T12:00:30Z"}, at=NOON)) == [30_000]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("SecondsPath", -1, "The SecondsPath parameter references a negative value: $.x == -1"),
        ("SecondsPath", 1.5, "The SecondsPath parameter cannot be parsed as a long value: $.x == 1.5"),
        ("SecondsPath", "5", "The SecondsPath parameter cannot be parsed as a long value: $.x == 5"),
        ("SecondsPath", 10**8, "The SecondsPath parameter references a value over 99999999: $.x == 100000000"),
        ("SecondsPath", True, "The SecondsPath parameter cannot be parsed as a long value: $.x == true"),
        (
            "TimestampPath",
            "2026-01-01T12:00:00",
            f"{NO_MOMENT}$.x == 2026-01-01T12:00:00",
        ),
        (
            "TimestampPath",
            1767268800,
            f"{NO_MOMENT}$.x == 1767268800",
        ),
    ],
)
def test_a_value_that_is_no_time_is_a_runtime_error_in_awss_words(field: str, value: JsonValue, says: str) -> None:
    run = Drive(hold(**{field: "$.x"}), input={"x": value})

    opening = "An error occurred while executing the state 'Only' (entered at the event id #2). "
    assert run.failed_with("States.Runtime", opening + says)


@pytest.mark.parametrize("field", ["SecondsPath", "TimestampPath"])
def test_a_path_that_reaches_nothing_is_a_runtime_error(field: str) -> None:
    run = Drive(hold(**{field: "$.x"}))

    assert run.failed_with("States.Runtime")
    assert f"The {field} parameter does not reference an input value: $.x" in str(run.execution.cause)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("Seconds", -1, "The Seconds field must be a non-negative integer but was: -1"),
        ("Seconds", 10**8, "The Seconds field must be at most 99999999 but was: 100000000"),
        ("Seconds", 0.5, "The Seconds field must be a non-negative integer but was: 0.5"),
        (
            "Timestamp",
            "noon",
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: noon",
        ),
    ],
)
def test_a_jsonata_value_that_is_no_time_is_a_query_evaluation_error(field: str, value: JsonValue, says: str) -> None:
    run = Drive(jsonata(state("Wait", **{field: "{% $states.input %}"})), input=value)

    assert run.failed_with("States.QueryEvaluationError")
    assert str(run.execution.cause).endswith(says)
    assert run.details("EvaluationFailed")["location"] == field


def test_what_follows_a_wait_runs_in_the_advance_that_ends_it() -> None:
    run = Drive(machine({"Hold": state("Wait", Seconds=1, Next="Go"), "Go": pass_()}), at=NOON).elapse(seconds=1)

    assert len(run.outcomes) == 2
    assert run.path == ["Hold", "Go"]


def test_wait_evaluates_its_jsonata_output_when_it_leaves() -> None:
    run = Drive(jsonata(state("Wait", Seconds=1, Output="{% $states.input.n & '!' %}")), input={"n": 3})

    assert run.elapse(seconds=1).succeeded_with("3!")


@pytest.mark.parametrize("seconds", ["{% $states.input %}", "{% 4 / 2 %}", 2.0])
def test_seconds_that_are_a_whole_float_are_seconds(seconds: JsonValue) -> None:
    """In JSONata, 2 and 2.0 are one number."""
    assert waits(Drive(jsonata(state("Wait", Seconds=seconds)), input=2.0, at=NOON)) == [2_000]
