"""One simulation of the queued host: a machine, the faults of a seed, and whether every promise was kept.

Real, and under test: all of `runtime.queued` and what it stands on, `integrations.aws_jobs`, and the check that
SendTask… makes of a token. Simulated: the event loop, the store, the queue with its timers, the clocks, the functions,
callbacks and jobs, and the processes, each of which may die before and after every call of a port.

Two phases. Safety: faults happen, and nothing wrong may be done. Liveness: they stop, and everything must end within a
bound of steps, with the result of a run without faults if the machine is comparable, and every message acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from asl_engine.errors import Conflict, ExecutionDoesNotExist, QueueUnavailable, StoreUnavailable
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.definitions import Definition, Definitions
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.trials import DELIVERIES_MAX, MemoryTrials
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.store.protocol import ExecutionStore
from asl_engine.testing.simulation.checker import Checker
from asl_engine.testing.simulation.faults import CALM, Faults
from asl_engine.testing.simulation.queued.callers import Callers, Office
from asl_engine.testing.simulation.queued.event_loop import SimulatedLoop
from asl_engine.testing.simulation.queued.fleet import Engine, Fleet
from asl_engine.testing.simulation.queued.message_queue import ProcessTrials, QueueConnection
from asl_engine.testing.simulation.queued.process import Plant, Process, ProcessClock
from asl_engine.testing.simulation.queued.promises import Promises, Watch
from asl_engine.testing.simulation.queued.services import Services, SimulatedJobs, SimulatedTasks
from asl_engine.testing.simulation.queued.store import DurableJournals, ProcessStore
from asl_engine.testing.simulation.queued.sweeping import Sweeps
from asl_engine.testing.simulation.simulation import Run, Subject, result_of
from asl_engine.testing.simulation.violation import Invariant, Violation, defect
from asl_engine.testing.simulation.world import World

_STATE_MACHINE_ARN: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:simulated"
_MANY: Final = 1_000_000
_NAMES: Final = ("one", "two", "three")
# What a host may meet while it handles a message: the next delivery finds it mended.
_PASSING: Final = (StoreUnavailable, QueueUnavailable, Conflict, ExecutionDoesNotExist)


class QueuedSimulation:
    """Some executions of a subject under faults. `expected` is the result that each must have; None: any.

    One may be `poisoned`: whoever carries out an attempt of it dies. Then it must fail, and the others go on.
    """

    def __init__(
        self,
        subject: Subject,
        seed: str,
        faults: Faults,
        *,
        expected: str | None = None,
        executions: int = 1,
        poisoned: bool = False,
        tracing: bool = False,
    ) -> None:
        world = self._world = World(seed, tracing=tracing)
        self._subject, self._faults, self._expected = subject, faults, expected
        clocks_agree = not faults.skew
        requests = [self._request(name) for name in _NAMES[:executions]]
        checkers = {each.execution_arn: Checker(clocks_agree=clocks_agree) for each in requests}
        self._plant = Plant(world=world, loop=SimulatedLoop(world), faults=faults, checkers=checkers)
        if poisoned:
            self._plant.poisoned = requests[0].execution_arn
        # Whoever dies by chance may do so more often with one message than any message deserves; and an extension that
        # is lost without a word puts a message into more hands than it has.
        self._deliveries_max = _MANY if faults.crash or faults.crash_at or faults.lost_extension else DELIVERIES_MAX
        self._trials = MemoryTrials()
        self._promises = Promises(self._plant)
        self._store = DurableJournals(self._plant, self._promises, encoding=world.chance(0.2))
        # A keyframe repeats the timer, and whoever recovers sends it again then; without faults it must be sent once.
        self._keyframe = 0 if faults is CALM else world.choose((0.05, 0.2, 0.6))
        self._owners = 0
        self._compiled: dict[str, Definition] = {}
        self._fleet = Fleet(self._plant, self._promises, self._new_engine)
        self._store.brought = self._fleet.queue.brought
        self._callers = Callers(self._plant, self._promises, self._new_office)
        self._services = Services(self._plant, subject.behaviour, self._callers.tell, self._callers.tell_of_job)
        self._sweeps = Sweeps(
            self._plant,
            lambda process: self._wiring(process)[0],
            lambda: self._is_over,
            repairs=faults.expired > 0,
        )
        for request in requests:
            self._plan(request)

    def run(self, safety_steps: int) -> Run:
        """Both phases, the first as long as given. Never raises."""
        violation = None
        try:
            self._run(safety_steps)
        except Violation as found:
            violation = found
        except Exception as error:  # whatever it is, it is what was looked for
            violation = defect(error)
        world = self._world
        effects, counts, checkers = self._plant.effects, world.counts.copy(), tuple(self._plant.checkers.values())
        run = Run(violation, self._result(), world.steps, effects, counts, [*world.trace], checkers)
        self._plant.loop.close()
        return run

    def _run(self, safety_steps: int) -> None:
        self._go_on(lambda: False, safety_steps)
        self._world.note("world", "faults stop")
        self._plant.faults = CALM
        self._fleet.queue.hurry()
        self._sweeps.begin()
        if not self._go_on(lambda: self._is_over, self._subject.steps_max) or not self._is_over:
            self._check_running()
            return
        if not self._go_on(lambda: False, self._subject.steps_max):
            raise Violation(Invariant.ENDS, f"all is over, and messages go round: {self._fleet.queue.messages[:2]}")
        self._check_end()

    def _go_on(self, is_done: Callable[[], bool], steps_max: int) -> bool:
        went = self._plant.loop.run(lambda: self._plant.violation is not None or is_done(), steps_max)
        if self._plant.violation is not None:
            raise self._plant.violation
        return went

    def _check_running(self) -> None:
        waits = {
            f"{arn.rpartition(':')[2]}/{id_}": frame.wait
            for arn, checker in self._plant.checkers.items()
            if checker.execution is not None
            for id_, frame in checker.execution.frames.items()
        }
        if self._world.is_idle:
            raise Violation(Invariant.ALIVE, f"nothing will ever happen again; waiting for {waits}")
        if not self._subject.may_go_on:
            raise Violation(Invariant.ENDS, f"after {self._world.steps} steps it goes on; waiting for {waits}")

    def _check_end(self) -> None:
        if self._fleet.queue.messages:
            raise Violation(Invariant.ALIVE, f"nobody gets the messages {self._fleet.queue.messages}")
        if not self._faults.expired:  # or else a message is lost that would have brought the rest about
            self._promises.ended(
                self._services.stopped,
                self._services.running,
                self._fleet.queue.timers_sent,
                is_calm=self._faults is CALM and not self._plant.poisoned,
            )
        if self._expected is not None:
            for arn, checker in self._plant.checkers.items():
                result = result_of(checker)
                if arn == self._plant.poisoned and self._world.counts["crash: poison"]:
                    self._check_isolated(checker)
                elif result != self._expected:
                    raise Violation(Invariant.SAME_RESULT, f"{result} instead of {self._expected}")

    def _check_isolated(self, checker: Checker) -> None:
        execution = checker.execution
        if execution is None or "in 5 deliveries: RunnerDied" not in (execution.cause or ""):
            raise Violation(Invariant.ISOLATED, f"{execution} is not failed for what it did")

    @property
    def _is_over(self) -> bool:
        return all(checker.is_over for checker in self._plant.checkers.values())

    def _result(self) -> str | None:
        return result_of(next(iter(self._plant.checkers.values())))

    # What there is to do

    def _request(self, name: str, seed: str = "simulated") -> StartRequest:
        return StartRequest(name=name, input=self._subject.input, state_machine_arn=_STATE_MACHINE_ARN, seed=seed)

    def _plan(self, request: StartRequest) -> None:
        """Start it; sometimes twice, by two who want the same name; and sometimes stop it."""
        world, callers = self._world, self._callers
        world.after(world.between(0, 1_000), lambda: callers.start(self._subject.machine, request))
        if self._faults is not CALM and world.chance(0.2):
            rival = self._request(request.name, "rival")
            world.after(world.between(0, 2_000), lambda: callers.start(self._subject.machine, rival))
        stopped_after = self._subject.stopped_after
        if self._subject.may_be_stopped and world.chance(0.15):
            stopped_after = world.between(0, 100_000)
        if stopped_after is not None:
            stop = StopRequested("Stopped", "by the simulation")
            world.after(stopped_after, lambda: callers.tell(request.execution_arn, stop))

    # Who does it

    def _new_engine(self) -> Engine:
        process = Process("engine", self._plant)
        return Engine(process, QueuedHost(self._wiring(process)[0]))

    def _new_office(self) -> Office:
        process = Process("api", self._plant)
        wiring, store, jobs = self._wiring(process)
        return Office(process, QueuedHost(wiring), store, jobs)

    def _wiring(self, process: Process) -> tuple[Wiring, ProcessStore, SimulatedJobs]:
        store = ProcessStore(self._store, process, self._keyframe)
        jobs = SimulatedJobs(process, self._services)
        wiring = Wiring(
            store=cast("ExecutionStore", store),  # the host asks no more of a store
            queue=QueueConnection(self._fleet.queue, process),
            clock=ProcessClock(process),
            performer=SimulatedTasks(process, self._services),
            jobs=jobs,
            options=self._subject.options,
            observer=Watch(self._plant, _PASSING),
            ended=lambda execution: self._ended(process, execution),
            new_owner=self._new_owner,
            chance=lambda: self._world.between(0, 1_000) / 1_000,
            trials=ProcessTrials(self._trials, process),
            deliveries_max=self._deliveries_max,
        )
        object.__setattr__(wiring, "definitions", _SharedDefinitions(wiring, self._compiled))
        return wiring, store, jobs

    async def _ended(self, process: Process, execution: Execution) -> None:
        await process.effect("tell of end")
        self._promises.told_of_end.add(execution.arn)

    def _new_owner(self) -> str:
        self._owners += 1
        return f"m{self._owners}"


class _SharedDefinitions(Definitions):
    """A process's definitions. All read the text from the store, and one compiles it: that takes time for real."""

    def __init__(self, wiring: Wiring, compiled: dict[str, Definition]) -> None:
        super().__init__(wiring.store, wiring.jobs)
        self._compiled = compiled
        self._read: set[str] = set()

    async def get(self, sha256: str) -> Definition:
        """See Definitions."""
        if sha256 not in self._compiled:
            self._compiled[sha256] = await super().get(sha256)
        elif sha256 not in self._read:
            await self._store.definition(sha256)
        self._read.add(sha256)
        return self._compiled[sha256]
