"""One execution of many events costs in proportion, and loading it stays cheap. In units, so that nothing is timed."""

from __future__ import annotations

import pytest

from asl_engine.store.journal import KEYFRAME_RECORDS_MIN
from benchmarks.scale.growth import SERIES, Growth, Series, measure_growth


def series(title: str) -> Series:
    return next(each for each in SERIES if each.title == title)


def pair(title: str) -> tuple[Growth, Growth]:
    """A size, and ten times that size."""
    small, large, *_larger = series(title).sizes
    return measure_growth(series(title), small), measure_growth(series(title), large)


def test_a_loop_is_written_in_proportion_and_loaded_at_once() -> None:
    small, large = pair("loop")
    assert large.write_units == pytest.approx(10 * small.write_units, rel=0.5)
    assert large.load_records <= KEYFRAME_RECORDS_MIN + 1


@pytest.mark.parametrize("title", ["map-1", "map-40"])
def test_a_map_is_written_in_proportion_however_many_items_are_done(title: str) -> None:
    small, large = pair(title)
    assert large.write_units <= 10 * small.write_units
    assert large.load_records <= large.size / 4
