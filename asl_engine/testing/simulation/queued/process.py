"""A simulated process: it runs the real host, and may die at every call of a port.

A process is born with the first thing that it has to do, and never comes back once it is dead: another one takes its
place, with another clock and nothing in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from asl_engine.errors import QueueUnavailable, StoreUnavailable
from asl_engine.runtime.tasks import TaskCall, TaskResult
from asl_engine.testing.simulation.checker import Checker
from asl_engine.testing.simulation.faults import Faults
from asl_engine.testing.simulation.queued.event_loop import LIFE, SimulatedLoop, for_ever, pass_time
from asl_engine.testing.simulation.violation import Violation, defect
from asl_engine.testing.simulation.world import Planned, World

# What the invocation that runs has read or written: the newest record that it knows, by execution.
KNOWN: Final[ContextVar[dict[str, int]]] = ContextVar("KNOWN")
# The results that it has been given for attempts that it performed.
RESULTS: Final[ContextVar[list[tuple[TaskCall, TaskResult]]]] = ContextVar("RESULTS")
# The requests that it has sent and that are on their way: without a sender they do not arrive.
UNDER_WAY: Final[ContextVar[list[Planned]]] = ContextVar("UNDER_WAY")


@dataclass(slots=True, kw_only=True)
class Plant:
    """What all processes of a simulation share. `effects` counts the calls of ports, before and after each."""

    world: World
    loop: SimulatedLoop
    faults: Faults
    checkers: dict[str, Checker]
    effects: int = 0
    born: int = 0
    violation: Violation | None = None
    performed: Counter[str] = field(default_factory=Counter)  # attempts, by their idempotency keys
    unstopped: set[str] = field(default_factory=set)  # those whose jobs are said to run on
    poisoned: str = ""  # the ARN of an execution whose every attempt kills whoever carries it out

    def judge(self, look: Callable[..., None], *what: Any) -> None:
        """Look at something. A violation ends the simulation, and not the engine that caused it."""
        try:
            look(*what)
        except Violation as found:
            self.broken(found)

    def broken(self, violation: Violation) -> None:
        """An invariant does not hold."""
        if self.violation is None:
            self.world.note("checker", "!!", violation)
            self.violation = violation


class Process:
    """One life. `skew` is what its clock is off, in milliseconds."""

    def __init__(self, kind: str, plant: Plant) -> None:
        plant.born += 1
        self.name, self.plant = f"{kind} {plant.born}", plant
        self.is_dead = False
        self.on_death: list[Callable[[], None]] = []
        faults = plant.faults
        self.skew = plant.world.between(-faults.skew, faults.skew) if faults.skew else 0

    def now(self) -> int:
        """The time as this process sees it."""
        return self.plant.world.now + self.skew

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it do something, as an invocation of its own."""
        context = copy_context()
        context.run(LIFE.set, self)
        context.run(KNOWN.set, {})
        context.run(RESULTS.set, [])
        context.run(UNDER_WAY.set, [])
        self.plant.loop.create_task(self._run(work), context=context)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.plant.broken(defect(error))

    def crash(self, where: str) -> None:
        """Die. Nothing that it was about to do will be done."""
        if not self.is_dead:
            self.plant.world.befell(f"crash: {where}", self.name)
            self.is_dead = True
            for told in self.on_death:
                told()

    async def effect(self, what: str) -> None:
        """Something is about to be done to the world outside, or has just been done."""
        plant = self.plant
        plant.effects += 1
        faults, world = plant.faults, plant.world
        if plant.effects in faults.crash_at or world.chance(faults.crash):
            self.crash(what)
        if self.is_dead or plant.violation is not None:
            await for_ever()
        # No call of a port returns before others had their turn, and never in less than no time.
        await pass_time(world.between(0, faults.pause) if faults.pause and world.chance(0.5) else 0)

    def fail_store(self, call: str) -> None:
        """Raise StoreUnavailable, sometimes."""
        if self.plant.world.chance(self.plant.faults.store_error):
            self.plant.world.befell(f"store error: {call}", self.name)
            raise StoreUnavailable(f"simulated: {call}")

    def refuse(self, call: str) -> None:
        """Raise QueueUnavailable, sometimes."""
        if self.plant.world.chance(self.plant.faults.queue_error):
            self.plant.world.befell(f"queue error: {call}", self.name)
            raise QueueUnavailable(f"simulated: {call}")


class ProcessClock:
    """The clock of one process, which is off by its skew and dies with it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def now(self) -> int:
        """The current moment, as the process sees it."""
        return self._process.now()

    def elapsed(self) -> int:
        """Every clock counts evenly; where it began is nobody's business."""
        return self._process.now()

    def call_at(self, at: int, callback: Callable[[], None]) -> Any:
        """Call back when the clock shows that moment."""
        return self._process.plant.loop.call_later(max(0, at - self.now()) / 1000, callback)

    async def sleep_until(self, at: int) -> None:
        """Return when the clock shows that moment."""
        await pass_time(max(0, at - self.now()))

    def begin(self) -> None:
        """Time passes whether anybody works or not."""

    def end(self) -> None:
        """Time passes whether anybody works or not."""

    async def stalled(self) -> None:
        """Never: somebody may still send something."""
        await for_ever()
