from __future__ import annotations

import pytest

from asl_engine.cli.moments import duration, moment

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (SECOND, "1 s"),
        (1500, "1.5 s"),
        (59 * SECOND + 999, "59 s"),
        (MINUTE, "1 m"),
        (2 * MINUTE + 5 * SECOND, "2 m 5 s"),
        (HOUR + 1 * SECOND, "1 h"),
        (DAY + 3 * HOUR + 59 * MINUTE, "1 d 3 h"),
        (366 * DAY, "366 d"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


def test_a_moment_is_told_to_the_second() -> None:
    assert len(moment(1_700_000_000_123)) == len("2023-11-14 22:13:20")
    assert moment(1_700_000_000_123)[-2:] == "20"
