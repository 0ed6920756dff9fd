"""A session: one host on one store, a view, and the executions that a command drives until nothing moves them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from asl_engine.api.executions import get_execution_history
from asl_engine.cli import results, wiring
from asl_engine.cli.driving import Detached, drive
from asl_engine.cli.followed import Following
from asl_engine.cli.history_table import tell_history
from asl_engine.cli.next_steps import NextSteps
from asl_engine.cli.views import view_for
from asl_engine.errors import StoreError
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.options import AWS_COMPATIBLE, Options
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.clock import Clock, RealClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.protocol import ExecutionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options of `asl run` and `asl resume` say."""

    store_spec: str
    sources: wiring.TaskSources
    clock: Literal["real", "virtual"]
    as_json: bool
    with_history: bool = False
    aws_limits: bool = False

    @classmethod
    def of(cls, *, tasks: Path | None, mocks: Path | None, mock_test_case: str | None, **others: Any) -> Settings:
        """The settings that the options of a command spell."""
        return cls(sources=wiring.TaskSources(tasks=tasks, mocks=mocks, mock_test_case=mock_test_case), **others)

    @property
    def steps(self) -> NextSteps:
        """What to type next."""
        clock = ("--clock", "virtual") if self.clock == "virtual" else ()
        return NextSteps(self.store_spec, (*self.sources.as_options(), *clock))


class Session:
    """Begins executions (`start`, `take_up`) and drives them (`drive`). Belongs to one event loop."""

    def __init__(
        self, settings: Settings, store: ExecutionStore, clock: Clock, performers: Sequence[TaskPerformer]
    ) -> None:
        self._settings, self._store = settings, store
        self._following = Following()
        self._view = view_for(self._following, clock, settings.steps, as_json=settings.as_json)
        polls = isinstance(clock, RealClock) and settings.steps.is_durable
        self._host = InProcessHost(
            store,
            PerformerChain(performers),
            clock,
            options=AWS_COMPATIBLE if settings.aws_limits else Options(),
            observer=self._view.observe,
            inbox_poll_seconds=wiring.INBOX_POLL_SECONDS if polls else None,
        )

    async def start(self, machine: StateMachine, request: StartRequest) -> LiveExecution:
        """Begin a new execution. Raises ExecutionAlreadyExists."""
        self._following.begin(request.execution_arn, request.name, machine)
        return await self._host.start(machine, request)

    async def take_up(self, execution: Execution, machine: StateMachine) -> LiveExecution:
        """Go on with an execution. Raises ExecutionClaimed."""
        await self._following.catch_up(self._store, execution, machine)
        return await self._host.take_up(execution.arn)

    async def drive(self, begin: Callable[[], Awaitable[Sequence[LiveExecution]]]) -> list[Execution] | Detached:
        """Drive what `begin` gives until nothing moves it, or Ctrl-C. Raises StoreError that tells how to go on."""
        try:
            return await drive(self._host, self._view, begin)
        except Detached as detached:
            return detached
        except StoreError as error:
            names = self._following.names()
            if not names or not self._settings.steps.is_durable:
                raise
            resume = self._settings.steps.resume(*names[:1] if len(names) == 1 else ())
            raise type(error)(f"{error}\nWhat was done so far is kept. Once this is mended: {resume}") from error

    def tell_detached(self, detached: Detached) -> int:
        """Say how to go on after Ctrl-C. Returns the exit code."""
        steps, names = self._settings.steps, self._following.names()
        if not names:
            click.echo("Stopped before anything was started.", err=True)
        elif not steps.is_durable:
            click.echo("Stopped. The store `memory` ends with this process, and the execution with it.", err=True)
        else:
            resume = steps.resume(*names if len(names) == 1 else ())
            click.echo(f"Detached, and nothing is lost. Go on with: {resume}", err=True)
        return detached.exit_code

    async def document(self, execution: Execution) -> JsonObject:
        """An execution for machines, with its history if that was asked for."""
        shown = results.document(execution)
        if self._settings.with_history:
            shown |= await get_execution_history(self._store, execution.arn)
        return shown

    async def tell(self, execution: Execution) -> None:
        """An execution for people, with its history if that was asked for."""
        results.tell(execution, self._settings.steps)
        if self._settings.with_history:
            await tell_history(self._store, execution.arn)
