"""Advances of a host that serves many: those whose expressions take long must not keep everybody else waiting.

An advance runs on the event loop for as long as its expressions are quick together. One that is not is given up, which
is safe because an advance that was not written has not happened, and begun again on a thread beside the loop, where
an expression has its full time. From then on its state machine is advanced there at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeVar

from asl_engine.errors import EvaluationNotQuick
from asl_engine.expressions.pace import PACE, Aside, Pace, Quick
from asl_engine.interpreter.outcome import Outcome
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.daemon_threads import DaemonThreads

_QUICK_SECONDS: Final = 0.05
# They compute, so more of them than processors would end nothing sooner, and would slow the loop down.
_THREADS_MAX: Final = 2
_SLOW_MACHINES_MAX: Final = 1_024
T = TypeVar("T")


class Advancing:
    """Computes outcomes on the loop or beside it. Belongs to one event loop."""

    def __init__(self) -> None:
        self._threads = DaemonThreads(_THREADS_MAX)
        self._slow: set[str] = set()

    async def outcome(self, machine: StateMachine, advance: Callable[[], Outcome]) -> Outcome:
        """What `advance`, which must be pure, gives."""
        if machine.sha256 not in self._slow:
            try:
                return at_pace(_quick(), advance)
            except EvaluationNotQuick:
                self._remember(machine)
        return await self._threads.run(functools.partial(at_pace, Aside(), advance))

    def close(self) -> None:
        """Let the threads end. Nothing is advanced any more."""
        self._threads.close()

    def _remember(self, machine: StateMachine) -> None:
        if len(self._slow) >= _SLOW_MACHINES_MAX:
            self._slow.clear()
        self._slow.add(machine.sha256)


def at_pace(pace: Pace, work: Callable[[], T]) -> T:
    """What `work` gives when its expressions are evaluated at this pace."""
    before = PACE.set(pace)
    try:
        return work()
    finally:
        PACE.reset(before)


def _quick() -> Quick:
    ends_at = perf_counter() + _QUICK_SECONDS
    return Quick(lambda: ends_at - perf_counter())
