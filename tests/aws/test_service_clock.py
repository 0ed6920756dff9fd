from __future__ import annotations

from unittest.mock import patch

import pytest

from asl_engine.aws.service_clock import ServiceClock, read_date

NOON = 1_700_000_000_000
MINUTE = 60_000


class LocalTime:
    """A local clock that is `wrong_by` milliseconds, beside the services' own time."""

    def __init__(self, wrong_by: int) -> None:
        self.now, self.wrong_by = NOON, wrong_by
        self.clock = ServiceClock()

    def read(self) -> int:
        with patch("time.time_ns", return_value=(self.now + self.wrong_by) * 1_000_000):
            return self.clock.now()

    def answer(self, *, late_by: int = 0) -> None:
        """A service answers now, in whole seconds, and it is read later."""
        date = self.now // 1000 * 1000
        self.now += late_by
        with patch("time.time_ns", return_value=(self.now + self.wrong_by) * 1_000_000):
            self.clock.observe(date)


@pytest.mark.parametrize("wrong_by", [5 * MINUTE, -5 * MINUTE, 3_000, -3_000])
def test_a_wrong_clock_is_set_right_by_the_first_answer(wrong_by: int) -> None:
    time = LocalTime(wrong_by)
    time.answer()
    time.now += 7 * MINUTE

    assert abs(time.read() - time.now) <= 1_000


@pytest.mark.parametrize("wrong_by", [0, 1_400, -1_400])
@pytest.mark.parametrize("into_the_second", [0, 999])
def test_a_clock_that_is_right_to_a_second_is_left_alone(wrong_by: int, into_the_second: int) -> None:
    """A Date header is too coarse to tell."""
    time = LocalTime(wrong_by)
    time.now += into_the_second
    time.answer()

    assert time.read() == time.now + wrong_by


def test_an_answer_that_was_read_late_changes_nothing() -> None:
    time = LocalTime(0)
    time.answer()
    time.answer(late_by=10 * MINUTE)
    time.answer()

    assert time.read() == time.now


def test_a_first_answer_that_was_read_late_is_corrected_by_the_next_two() -> None:
    time = LocalTime(0)
    time.answer(late_by=10 * MINUTE)
    time.answer()
    time.answer()

    assert abs(time.read() - time.now) <= 1_000


def test_a_clock_that_jumps_is_followed_once_two_answers_agree() -> None:
    time = LocalTime(0)
    time.answer()
    time.wrong_by = 5 * MINUTE
    time.answer()
    assert time.read() == time.now + 5 * MINUTE
    time.now += 40_000
    time.answer()

    assert abs(time.read() - time.now) <= 1_000


def test_a_date_header_is_read() -> None:
    assert read_date("Tue, 14 Nov 2023 22:13:20 GMT") == NOON
    assert read_date("yesterday") is None


def test_a_deadline_is_not_moved_by_setting_the_clock_right() -> None:
    time = LocalTime(5 * MINUTE)
    before = time.read(), time.clock.elapsed()
    time.answer()

    assert time.read() - before[0] < -4 * MINUTE
    assert 0 <= time.clock.elapsed() - before[1] < MINUTE
