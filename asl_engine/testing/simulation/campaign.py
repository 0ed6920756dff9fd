"""Many seeds: what each of them runs, and how a failure is told so that it can be repeated."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import ResourceType, StateMachine, TaskState
from asl_engine.language.parser import compile_definition
from asl_engine.testing.simulation.behaviour import DrawnAnswers, HashedAnswers
from asl_engine.testing.simulation.faults import CALM, draw_faults, draw_queued_faults, with_races
from asl_engine.testing.simulation.machine_generator import generate
from asl_engine.testing.simulation.queued.simulation import QueuedSimulation
from asl_engine.testing.simulation.simulation import Run, Simulation, Subject
from asl_engine.testing.simulation.violation import Violation
from asl_engine.testing.simulation.world import World

_SAFETY_STEPS_MIN: Final = 20
_SAFETY_STEPS_MAX: Final = 400
_OPEN_ENDED_STEPS_MAX: Final = 2_000
_MOSTLY_JOBS_EVERY: Final = 3  # seeds
_POISONED_EVERY: Final = 20  # seeds
_STOPPED_AFTER_MAX: Final = 20_000  # milliseconds


class Host(StrEnum):
    """What runs the machines: a stand-in for the host of one process, or the real host that a queue drives."""

    IN_PROCESS = "in-process"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersMachine:
    """A user's file, with the arguments that make `asl simulate` run it again."""

    file: str
    machine: StateMachine
    input: JsonValue
    replay_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A seed that broke something."""

    seed: int
    host: Host
    file: str | None
    invariant: str
    message: str
    replay: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.invariant}: {self.message}; replay: {self.replay}"

    def as_json(self) -> JsonObject:
        """For machines."""
        return {
            "seed": self.seed,
            "host": self.host.value,
            "file": self.file,
            "invariant": self.invariant,
            "message": self.message,
            "replay": self.replay,
        }


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What came of one seed. `counts` says which faults befell it, `steps` how much happened, `trace` what.

    `statuses` counts how its executions stood in the end; `entered` names the states of a user's machine
    that they came to.
    """

    failure: Failure | None
    steps: int
    counts: Counter[str]
    trace: tuple[str, ...]
    statuses: Counter[str]
    entered: frozenset[str] = frozenset()


def simulate_seed(
    seed: int, users: UsersMachine | None = None, *, host: Host = Host.IN_PROCESS, tracing: bool = False
) -> SeedReport:
    """Run a seed, on a user's machine or on one that the seed draws: first without faults, then with them."""
    subject = _generated(seed, host) if users is None else _of_user(seed, users)
    run = _run_in_process if host is Host.IN_PROCESS else _run_queued
    return _report(seed, host, users, run(subject, seed, tracing=tracing))


def _run_in_process(subject: Subject, seed: int, *, tracing: bool) -> Run:
    calm = Simulation(subject, f"{seed}/calm", CALM, tracing=tracing).run(0)
    if calm.violation is not None:
        return calm
    draws = World(f"{seed}/faults")
    expected = calm.result if subject.comparable else None
    stormy = Simulation(subject, f"{seed}/storm", draw_faults(draws), expected=expected, tracing=tracing)
    return stormy.run(draws.between(_SAFETY_STEPS_MIN, _SAFETY_STEPS_MAX))


def _run_queued(subject: Subject, seed: int, *, tracing: bool) -> Run:
    calm = QueuedSimulation(subject, f"{seed}/calm", CALM, tracing=tracing).run(0)
    if calm.violation is not None:
        return calm
    draws = World(f"{seed}/queued faults")
    faults = draw_queued_faults(draws)
    if _has_mostly_jobs(seed):
        faults = with_races(faults, draws)
    if _has_activities(subject.machine):  # whether a worker was ever offered an activity, no sweeper can tell
        faults = replace(faults, expired=0)
    stormy = QueuedSimulation(
        subject,
        f"{seed}/storm",
        faults,
        expected=calm.result
        if subject.comparable and not faults.expired
        else None,  # time-outs come before the sweeper
        executions=draws.choose((1, 1, 2, 3)),
        tracing=tracing,
    )
    run = stormy.run(draws.between(_SAFETY_STEPS_MIN, _SAFETY_STEPS_MAX))
    if run.violation is not None or seed % _POISONED_EVERY:
        return run
    # Whose job is still being asked for when the asker fails no host can know: that is looked at elsewhere.
    faults = replace(faults, crash=0, lost_extension=0, expired=0, transit=0)
    expected = calm.result if subject.comparable else None
    poisoned = QueuedSimulation(
        subject, f"{seed}/poison", faults, expected=expected, executions=3, poisoned=True, tracing=tracing
    ).run(draws.between(_SAFETY_STEPS_MIN, _SAFETY_STEPS_MAX))
    return run if poisoned.violation is None else poisoned


def _has_mostly_jobs(seed: int) -> bool:
    return seed % _MOSTLY_JOBS_EVERY == 0


def _has_activities(machine: StateMachine) -> bool:
    states = (state for branch in machine.branches.values() for state in branch.states.values())
    return any(isinstance(state, TaskState) and state.resource.type is ResourceType.ACTIVITY for state in states)


def _generated(seed: int, host: Host) -> Subject:
    draws = World(f"{seed}/options")
    # What is hard for a host without a memory: to ask for jobs and to stop them, in several hands.
    mostly_jobs = host is Host.QUEUED and _has_mostly_jobs(seed)
    generated = generate(f"{seed}/machine", mostly_jobs=mostly_jobs)
    bound = draws.choose((3, 20, 500))
    history_max = None if generated.comparable else draws.choose((None, None, 40))
    machine = compile_definition(generated.definition)
    limited = machine.timeout_seconds is not None
    return Subject(
        machine=machine,
        input=generated.input,
        behaviour=HashedAnswers(str(seed), may_hang=not generated.comparable, is_limited=limited),
        comparable=generated.comparable,
        options=Options(advance_history_events_max=bound, history_events_max=history_max),
        may_be_stopped=not generated.comparable,
        stopped_after=draws.between(0, _STOPPED_AFTER_MAX) if mostly_jobs and draws.chance(0.5) else None,
    )


def _of_user(seed: int, users: UsersMachine) -> Subject:
    return Subject(
        machine=users.machine,
        input=users.input,
        behaviour=DrawnAnswers(str(seed), users.machine),
        comparable=False,
        may_go_on=True,
        steps_max=_OPEN_ENDED_STEPS_MAX,
    )


def _report(seed: int, host: Host, users: UsersMachine | None, run: Run) -> SeedReport:
    failure = None if run.violation is None else _failure(seed, host, users, run.violation)
    executions = [checker.execution for checker in run.checkers if checker.execution is not None]
    statuses = Counter(execution.status.value for execution in executions)
    entered = frozenset() if users is None else frozenset(_entered(run))
    return SeedReport(failure, run.steps, run.counts, tuple(run.trace), statuses, entered)


def _entered(run: Run) -> Iterator[str]:
    for checker in run.checkers:
        for record in checker.records:
            for event in record.history:
                if event.type.endswith("StateEntered") and event.details:
                    yield str(event.details["name"])


def _failure(seed: int, host: Host, users: UsersMachine | None, violation: Violation) -> Failure:
    arguments = [] if users is None else [users.file, *users.replay_options]
    replay = ["asl", "simulate", *arguments, "--host", host.value, "--from", str(seed), "--seeds", "1", "-v"]
    return Failure(
        seed=seed,
        host=host,
        file=None if users is None else users.file,
        invariant=violation.invariant.value,
        message=violation.message,
        replay=shlex.join(replay),
    )
