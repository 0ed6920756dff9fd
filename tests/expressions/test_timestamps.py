from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.expressions.timestamps import format_timestamp, parse_instant, parse_timestamp

NOON = 1_704_110_400_000  # 2024-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-01-01T12:00:00Z", NOON),
        ("2024-01-01T12:00:00.5Z", NOON + 500),
        ("2024-01-01T12:00:00.123Z", NOON + 123),
        ("2024-01-01T12:00:00.1230000Z", NOON + 123),
        ("2024-01-01T12:00:00.123000001Z", NOON + 124),
        ("2024-01-01T12:00:00.9999Z", NOON + 1000),
        ("2024-01-01T13:30:00+01:30", NOON),
        ("2024-01-01T06:00:00-06:00", NOON),
        ("1969-12-31T23:59:59Z", -1000),
        ("1969-12-31T23:59:59.9Z", -100),
    ],
)
def test_a_timestamp_is_epoch_milliseconds_rounded_up(text: str, milliseconds: int) -> None:
    assert parse_timestamp(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-01-01",
        "01-01-2024T12:00:00Z",
        "2024-01-01T12:00:00",
        "2024-01-01 12:00:00Z",
        "2024-01-01t12:00:00Z",
        "2024-01-01T12:00:00z",
        "2024-01-01T12:00Z",
        "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00Z\n",
        "2024-13-01T12:00:00Z",
        "2024-02-30T12:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T12:60:00Z",
        "0000-01-01T00:00:00Z",
        "2024-01-01T12:00:00+0100",
        "2024-01-01T12:00:00+24:00",
        "2024-01-01T12:00:00+01:60",
        "\u0662024-01-01T12:00:00Z",
    ],
)
def test_what_is_no_timestamp_gives_none(text: str) -> None:
    assert parse_timestamp(text) is None


def test_instants_compare_beyond_milliseconds() -> None:
    texts = ["2024-01-01T12:00:00Z", "2024-01-01T12:00:00.0001Z", "2024-01-01T12:00:00.00011Z", "2024-01-01T12:00:01Z"]
    instants = [parse_instant(text) for text in texts]
    assert None not in instants
    assert sorted(instants, key=str) == instants
    assert parse_instant("2024-01-01T13:00:00.500+01:00") == parse_instant("2024-01-01T12:00:00.5Z")


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9000, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_a_moment_is_read_back_from_any_zone(moment: datetime, offset: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    exact = (zoned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_timestamp(zoned.isoformat()) == -(-exact // 1000)


@given(st.integers(-60_000_000_000_000, 250_000_000_000_000))
def test_what_was_formatted_is_read_back(milliseconds: int) -> None:
    assert parse_timestamp(format_timestamp(milliseconds)) == milliseconds


def test_the_format_has_three_digits_and_a_z() -> None:
    assert format_timestamp(NOON + 7) == "2024-01-01T12:00:00.007Z"
    assert format_timestamp(0) == "1970-01-01T00:00:00.000Z"
