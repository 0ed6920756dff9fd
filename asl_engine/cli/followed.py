"""Executions that a command drives, as its view follows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from asl_engine.cli.progress import Happening, Progress
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.outcome import Outcome
from asl_engine.language.definition import StateMachine
from asl_engine.store.protocol import ExecutionStore


@dataclass(slots=True)
class Followed:
    """One execution: how far it has come, and its newest value (None before its first record).

    `whom` is what to type for it.
    """

    name: str
    whom: str
    progress: Progress
    execution: Execution | None = None

    def take(self, outcome: Outcome) -> list[Happening]:
        """Follow an outcome; returns what is worth telling."""
        self.execution = outcome.execution
        happenings = [self.progress.follow(event) for event in outcome.history]
        return [happening for happening in happenings if happening is not None]


@dataclass(slots=True)
class Following:
    """All of them by ARN, in the order in which they were begun."""

    executions: dict[str, Followed] = field(default_factory=dict)

    def begin(self, arn: str, name: str, machine: StateMachine) -> None:
        """Follow an execution that is about to start."""
        self.executions[arn] = Followed(name, arn, Progress(machine))

    async def catch_up(self, store: ExecutionStore, execution: Execution, machine: StateMachine) -> None:
        """Follow an execution from where its journal ends."""
        self.begin(execution.arn, execution.name, machine)
        followed = self.executions[execution.arn]
        followed.execution = execution
        async for event in store.history(execution.arn):
            followed.progress.follow(event)

    def durable(self) -> list[Execution]:
        """Those that are known to be durable, as of their newest record."""
        return [followed.execution for followed in self.executions.values() if followed.execution is not None]
