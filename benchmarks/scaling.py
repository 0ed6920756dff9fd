"""Whether cost grows as it should: the same machine ten and a hundred times as large, and what one unit of it costs.

Each size runs in a process of its own, whose peak of memory is read at the end.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.engines import InMemory, OnSqlite
from benchmarks.workloads import (
    Workload,
    large_payload,
    loop_in_jsonpath,
    map_of_tasks,
    map_of_two_states,
    pass_chain,
)

_ENGINES: Final = (InMemory, OnSqlite)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One workload at several sizes; `units` is what its cost is divided by."""

    title: str
    unit: str
    sizes: tuple[int, ...]
    workload: Callable[[int], Workload]
    units: Callable[[int], int]


SERIES: Final = (
    Series(
        title="loop in JSONPath, turns",
        unit="state",
        sizes=(1_000, 10_000, 100_000),
        workload=loop_in_jsonpath,
        units=lambda turns: 2 * turns,
    ),
    Series(
        title="Map of two states, items",
        unit="state",
        sizes=(100, 1_000, 10_000),
        workload=lambda items: map_of_two_states(items, max_concurrency=0),
        units=lambda items: 2 * items,
    ),
    Series(
        title="Map of tasks, items",
        unit="task",
        sizes=(100, 1_000, 10_000),
        workload=lambda items: map_of_tasks(items, max_concurrency=0),
        units=lambda items: items,
    ),
    Series(
        title="Map of tasks, one at a time, items",
        unit="task",
        sizes=(100, 1_000, 10_000),
        workload=lambda items: map_of_tasks(items, max_concurrency=1),
        units=lambda items: items,
    ),
    Series(
        title="payload through 20 Pass states, KB",
        unit="KB and state",
        sizes=(1, 10, 100, 1_000),
        workload=lambda kilobytes: large_payload(kilobytes=kilobytes),
        units=lambda kilobytes: 20 * kilobytes,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What one size cost on one engine, all included: small sizes pay for opening the store."""

    seconds: float
    peak_megabytes: float
    units: int

    @property
    def microseconds_per_unit(self) -> float:
        """The cost of a unit."""
        return self.seconds / self.units * 1e6


def measure_growth(series: Series, size: int, engine: str, rounds: int) -> Growth:
    """Measure one size in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scaling", series.title, str(size), engine, str(rounds)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return Growth(**json.loads(answer.stdout), units=series.units(size))


def engine_names() -> list[str]:
    """The engines that `measure_growth` takes."""
    return [engine.name for engine in _ENGINES]


def _measure_here(title: str, size: int, engine_name: str, rounds: int) -> dict[str, float]:
    series = next(each for each in SERIES if each.title == title)
    engine = next(each for each in _ENGINES if each.name == engine_name)()
    workload = series.workload(size)
    engine.run(pass_chain(1))  # imports and caches are not what is measured
    return {
        "seconds": median(engine.run(workload) for _ in range(rounds)),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(_measure_here(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
