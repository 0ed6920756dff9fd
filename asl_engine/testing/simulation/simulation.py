"""One simulation: a machine, the faults of a seed, and whether the engine kept its promises.

Real, and under test: `runtime.runner`, all of `interpreter`, `store.journal`, the codec, `store.memory` under the
simulated connection, task tokens and the check that SendTask… makes of them (`api.tasks`).
Simulated: the way to the store, the clocks, timers, tasks, callbacks, the message queue, and the host. The host
(`process`) follows the rules of `runtime.live_execution` and is not that module: asyncio itself, threads, the claim of
an execution, SQLite and its files are not covered here, but by their own tests.

Two phases. Safety: faults happen, and nothing wrong may be done. Liveness: they stop, and the execution must end within
a bound of steps, with the result of a run without faults if the machine is comparable. Late messages then still arrive.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import StateMachine
from asl_engine.testing.simulation.behaviour import Behaviour
from asl_engine.testing.simulation.checker import Checker
from asl_engine.testing.simulation.faults import CALM, Faults
from asl_engine.testing.simulation.message_queue import VISIBILITY, MessageQueue
from asl_engine.testing.simulation.process import Plant, Process
from asl_engine.testing.simulation.services import Services
from asl_engine.testing.simulation.simulated_store import DurableStore, StoreConnection
from asl_engine.testing.simulation.violation import Invariant, Violation, defect
from asl_engine.testing.simulation.world import World

_LATE_STEPS_MAX: Final = 200  # how long late messages are delivered to an execution that is over
_STATE_MACHINE_ARN: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:simulated"
_EVENT_ID: Final = re.compile(r"event id #\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is run.

    `comparable`: its result depends neither on time nor on the order in which tasks end. `may_go_on`: it is no failure
    that it has not ended after `steps_max` steps, as long as it could go on. `stopped_after`: somebody asks to stop it,
    so many milliseconds after the beginning (on the queued host).
    """

    machine: StateMachine
    input: JsonValue
    behaviour: Behaviour
    comparable: bool
    options: Options = field(default_factory=Options)
    may_be_stopped: bool = False
    may_go_on: bool = False
    stopped_after: int | None = None
    steps_max: int = 20_000


@dataclass(frozen=True, slots=True)
class Run:
    """How a simulation went. `result` is None when the execution did not end; `checkers` are of each execution."""

    violation: Violation | None
    result: str | None
    steps: int
    effects: int
    counts: Counter[str]
    trace: list[str]
    checkers: tuple[Checker, ...]


class Simulation:
    """One execution of a subject under faults. `expected` is the result that it must have; None: any."""

    def __init__(
        self, subject: Subject, seed: str, faults: Faults, *, expected: str | None = None, tracing: bool = False
    ) -> None:
        self._world = World(seed, tracing=tracing)
        self._subject, self._expected = subject, expected
        self._checker = Checker(clocks_agree=not faults.skew and not faults.rival)
        self._store = DurableStore(self._checker, encoding=self._world.chance(0.3))
        self._keyframe = self._world.choose((0.05, 0.2, 0.6))
        self._plant = Plant(
            world=self._world,
            machine=subject.machine,
            execution=_execution(subject, self._world.now),
            options=subject.options,
            checker=self._checker,
            queue=MessageQueue(self._world, self._deliver),
            faults=faults,
            orphaned=lambda: self._world.after(VISIBILITY, self._processes[0].inherit),
            is_mortal_rival=faults.rival and faults.mortal,
            may_orphan_records=(faults.rival and faults.mortal) or faults.late_write > 0,
        )
        self._services = Services(self._plant, self._store, subject.behaviour, self._nudge)
        self._connections: list[StoreConnection] = []
        self._processes = [Process("first", self._plant, self._services, self._connect)]
        if faults.rival:
            rival = Process("second", self._plant, self._services, self._connect, is_mortal=faults.mortal)
            self._processes.append(rival)
        self._set_faults(faults)
        if subject.may_be_stopped and self._world.chance(0.1):
            self._world.after(self._world.between(0, 100_000), self._services.stop)

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
        result, checkers = result_of(self._checker), (self._checker,)
        return Run(violation, result, world.steps, self._plant.effects, world.counts, world.trace, checkers)

    def _run(self, safety_steps: int) -> None:
        for process in self._processes:
            self._world.after(self._world.between(0, 1_000), process.launch)
        if len(self._processes) > 1:
            for _ in range(3):
                self._world.after(self._world.between(0, 60_000), self._processes[1].launch)
        self._steps(safety_steps)
        self._world.note("world", "faults stop")
        self._set_faults(CALM)
        self._steps(self._subject.steps_max)
        if not self._checker.is_over:
            self._check_running()
            return
        for _ in range(_LATE_STEPS_MAX):
            self._world.step()
        self._checker.ended()
        if self._expected is not None and result_of(self._checker) != self._expected:
            raise Violation(Invariant.SAME_RESULT, f"{result_of(self._checker)} instead of {self._expected}")

    def _steps(self, maximum: int) -> None:
        for _ in range(maximum):
            if self._checker.is_over or not self._world.step():
                return

    def _check_running(self) -> None:
        execution = self._checker.execution
        waits = {} if execution is None else {id_: frame.wait for id_, frame in execution.frames.items()}
        if self._world.is_idle:
            raise Violation(Invariant.ALIVE, f"nothing will ever happen again; waiting for {waits}")
        if not self._subject.may_go_on:
            raise Violation(Invariant.ENDS, f"after {self._world.steps} steps it goes on; waiting for {waits}")

    def _set_faults(self, faults: Faults) -> None:
        self._plant.faults = self._plant.queue.faults = faults
        for connection in self._connections:
            connection.faults = faults

    def _connect(self, process: Process) -> StoreConnection:
        connection = StoreConnection(self._store, self._world, process, self._keyframe)
        self._connections.append(connection)
        return connection

    def _deliver(self, event: Event, receipt: int) -> None:
        self._world.choose(self._processes).deliver(event, receipt)

    def _nudge(self) -> None:
        for process in self._processes:
            process.look_into_inbox()


def _execution(subject: Subject, now: int) -> Execution:
    timeout = subject.machine.timeout_seconds
    return Execution(
        arn=f"{_STATE_MACHINE_ARN.replace(':stateMachine:', ':execution:')}:one",
        name="one",
        state_machine_arn=_STATE_MACHINE_ARN,
        definition_sha256=subject.machine.sha256,
        input=subject.input,
        started_at=now,
        seed="simulated",
        timeout_at=None if timeout is None else now + timeout * 1000,
    )


def result_of(checker: Checker) -> str | None:
    """Status, output, error and cause in one text; without event ids, which tell the order of things."""
    execution = checker.execution
    if execution is None or not checker.is_over:
        return None
    ending = dump_json([execution.status, execution.output, execution.error, execution.cause])
    return _EVENT_ID.sub("event id", ending)
