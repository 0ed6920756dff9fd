"""Measuring in turns: all engines within each round, so that whatever else the machine does meets them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.engines import Engine, Unavailable, WrongAnswer
from benchmarks.workloads import Workload

_SLOW_SECONDS: Final = 2.0
_SLOW_ROUNDS: Final = 3
# A turn lasts at least this long: one run of a millisecond measures little but how cold the caches were.
_TURN_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A workload on several engines: seconds per round, or why there are none."""

    workload: Workload
    seconds: dict[str, list[float]]
    failures: dict[str, str]

    def median(self, engine: Engine) -> float | None:
        """The median of an engine's rounds."""
        seconds = self.seconds[engine.name]
        return median(seconds) if seconds else None

    def ratio(self, engine: Engine, peer: Engine, *, net: bool = False) -> float | None:
        """How many times as long the peer took, by the median over the rounds; `net` of what it sleeps in each."""
        less = peer.fixed_seconds if net else 0
        pairs = list(zip(self.seconds[engine.name], self.seconds[peer.name], strict=False))
        return median((theirs - less) / ours for ours, theirs in pairs) if pairs else None


def measure(workload: Workload, engines: Sequence[Engine], rounds: int) -> Measured:
    """Run the workload once on each engine to warm up, and then `rounds` times in turns (fewer when it is slow)."""
    measured = Measured(workload=workload, seconds={engine.name: [] for engine in engines}, failures={})
    for round_ in range(-1, rounds):
        for engine in engines:
            _take_turn(measured, engine, round_)
    return measured


def _take_turn(measured: Measured, engine: Engine, round_: int) -> None:
    name, workload = engine.name, measured.workload
    if name in measured.failures or not engine.supports(workload):
        return
    if round_ >= _SLOW_ROUNDS and min(measured.seconds[name]) > _SLOW_SECONDS:
        return
    try:
        seconds = _turn(engine, workload)
    except (WrongAnswer, Unavailable) as error:
        measured.failures[name] = f"{type(error).__name__}: {error}"
        measured.seconds[name].clear()
        return
    if round_ >= 0:
        measured.seconds[name].append(seconds)


def _turn(engine: Engine, workload: Workload) -> float:
    engine.run(workload)  # not counted: whoever comes after one that sleeps finds the processor cold
    seconds: list[float] = []
    while sum(seconds) < _TURN_SECONDS:
        seconds.append(engine.run(workload))
    return median(seconds)
