"""The sweeper in a simulation: the net that must stay empty, unless messages are lost for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from asl_engine.errors import QueueUnavailable, StoreUnavailable
from asl_engine.runtime.queued.sweeper import sweep
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.testing.simulation.queued.process import Plant, Process
from asl_engine.testing.simulation.violation import Invariant, Violation

_FIRST: Final = 600_000  # milliseconds after the faults have stopped: whatever was late has come
_PERIOD: Final = 2_400_000
_SWEEPS_MAX: Final = 6


class Sweeps:
    """Sweeps now and then while an execution is open. `repairs`: messages expire, so it may find something."""

    def __init__(
        self, plant: Plant, wire: Callable[[Process], Wiring], is_over: Callable[[], bool], *, repairs: bool
    ) -> None:
        self._plant, self._wire, self._is_over, self._repairs = plant, wire, is_over, repairs
        self._done = 0

    def begin(self) -> None:
        """The faults have stopped."""
        self._plant.world.after(_FIRST, self._sweep)

    def _sweep(self) -> None:
        if not self._is_over() and self._done < _SWEEPS_MAX:
            self._done += 1
            process = Process("sweeper", self._plant)
            process.spawn(self._run(self._wire(process)))
            self._plant.world.after(_PERIOD, self._sweep)

    async def _run(self, wiring: Wiring) -> None:
        try:
            report = await sweep(wiring)
        except (StoreUnavailable, QueueUnavailable):
            return
        for finding in report.findings:
            self._plant.world.befell(f"swept: {finding.reason}", "sweeper")
        if report.findings and not self._repairs:
            self._plant.broken(Violation(Invariant.SWEPT, f"it found {report.findings[0]}"))
