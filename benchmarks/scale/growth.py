"""Whether one execution costs in proportion to its size, through the queued host and the DynamoDB store.

Each size runs in a process of its own, whose peak of memory is read at the end.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.options import Options
from asl_engine.language.parser import compile_definition
from benchmarks.cost.account import Account, Assumptions
from benchmarks.cost.payloads import order
from benchmarks.cost.tasks import FUNCTION
from benchmarks.workloads import loop_in_jsonpath, machine, map_state

_ITEM_BYTES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What one size cost. `load_records` is the most that a load reads, from the newest keyframe on."""

    size: int
    seconds: float
    peak_megabytes: float
    table_megabytes: float
    records: int
    load_records: int
    write_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A machine at several sizes, and its input."""

    title: str
    unit: str
    sizes: tuple[int, ...]
    definition: Callable[[int], dict[str, Any]]
    input: Callable[[int], Any]


def _map(_items: int, concurrency: int) -> dict[str, Any]:
    task = {"Work": {"Type": "Task", "Resource": FUNCTION, "End": True}}
    return machine({"Each": map_state("$.items", task, MaxConcurrency=concurrency)})


def _items(items: int) -> Any:
    return {"items": [{"n": number} for number in range(items)]}


SERIES: Final = (
    Series(
        title="loop",
        unit="history event",
        sizes=(2_500, 25_000, 250_000),
        definition=lambda events: loop_in_jsonpath(events // 4).definition,  # a turn enters and exits two states
        input=lambda _events: {},
    ),
    Series(
        title="map-40",
        unit="item",
        sizes=(100, 1_000, 10_000),
        definition=lambda items: _map(items, 40),
        input=_items,
    ),
    Series(
        title="map-1",
        unit="item",
        sizes=(100, 1_000, 10_000),
        definition=lambda items: _map(items, 1),
        input=_items,
    ),
)


def measure_growth(series: Series, size: int) -> Growth:
    """Measure one size in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale.growth", series.title, str(size)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    return Growth(**json.loads(answer.stdout))


async def _measure_here(series: Series, size: int) -> Growth:
    # AWS's own limit is 25,000 events; this is about what lies beyond it.
    assumptions = Assumptions(task_seconds=0.2, options=Options())
    account = Account(lambda chance: order(chance, _ITEM_BYTES), assumptions)
    definition = compile_definition(json.dumps(series.definition(size)))
    await account.publish(definition)
    began_at = time.process_time()
    account.start(definition, series.input(size))
    await account.until_idle()
    seconds = time.process_time() - began_at
    assert account.observer.ended == {ExecutionStatus.SUCCEEDED: 1}, account.observer.ended
    return Growth(
        size=size,
        seconds=seconds,
        peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        table_megabytes=account.aws.table.bytes_stored / 1024**2,
        records=account.usage.records,
        load_records=account.aws.table.keyframe_distance,
        write_units=account.usage.write_units,
    )


if __name__ == "__main__":
    title, size_ = sys.argv[1:]
    chosen = next(series for series in SERIES if series.title == title)
    print(json.dumps(asdict(asyncio.run(_measure_here(chosen, int(size_))))))
