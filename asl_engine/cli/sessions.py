"""A session: one host on one store, a view, and the executions that a command drives until nothing moves them."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import click

from asl_engine.api.executions import get_execution_history
from asl_engine.cli import results, wiring
from asl_engine.cli.driving import Detached, drive
from asl_engine.cli.followed import Following
from asl_engine.cli.history_table import tell_history
from asl_engine.cli.next_steps import NextSteps
from asl_engine.cli.views import view_for
from asl_engine.errors import ExecutionDoesNotExist, StoreError
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.options import AWS_COMPATIBLE, Options
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.clock import Clock, RealClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.protocol import ExecutionStore

_NOTHING_STARTED: Final = "Stopped before anything was started."


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
    def of(
        cls,
        *,
        tasks: Path | None,
        mocks: Path | None,
        mock_state_machine: str | None,
        mock_test_case: str | None,
        **others: Any,
    ) -> Settings:
        """The settings that the options of a command spell."""
        sources = wiring.TaskSources(
            tasks=tasks, mocks=mocks, mock_state_machine=mock_state_machine, mock_test_case=mock_test_case
        )
        return cls(sources=sources, **others)

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
        live = await self._host.start(machine, request)
        self._following.executions[live.execution.arn].whom = await self._whom(live.execution)
        return live

    async def take_up(self, execution: Execution, machine: StateMachine) -> LiveExecution:
        """Go on with an execution. Raises ExecutionClaimed."""
        await self._following.catch_up(self._store, execution, machine)
        self._following.executions[execution.arn].whom = await self._whom(execution)
        return await self._host.take_up(execution.arn)

    async def drive(self, begin: Callable[[], Awaitable[Sequence[LiveExecution]]]) -> list[Execution] | Detached:
        """Drive what `begin` gives until nothing moves it, or Ctrl-C. Raises StoreError that tells how to go on."""
        try:
            return await drive(self._host, self._view, begin)
        except Detached as detached:
            return detached
        except StoreError as error:
            durable = self._following.durable()
            if not durable or not self._settings.steps.is_durable:
                raise
            resume = await self._resume(self._store, durable)
            raise type(error)(f"{error}\nWhat was done so far is kept. Once this is mended: {resume}") from error

    async def tell_detached(self, detached: Detached) -> int:
        """Say how to go on after Ctrl-C, once the store is closed. Returns the exit code."""
        if self._settings.steps.is_durable:
            await self._tell_kept()
        elif self._following.durable():
            click.echo("Stopped. The store `memory` ends with this process, and the execution with it.", err=True)
        else:
            click.echo(_NOTHING_STARTED, err=True)
        return detached.exit_code

    async def _tell_kept(self) -> None:
        """Only the store knows: a record that was being written when the signal came may be in it or not."""
        kept: list[Execution] = []
        async with wiring.new_store(self._settings.store_spec) as store:
            for arn in self._following.executions:
                with contextlib.suppress(ExecutionDoesNotExist):
                    kept.append(await store.load(arn))
            opened = [execution for execution in kept if execution.status is ExecutionStatus.RUNNING]
            if opened:
                resume = await self._resume(store, opened)
                click.echo(f"Detached, and nothing is lost. Go on with: {resume}", err=True)
        for execution in kept:
            if execution.status is not ExecutionStatus.RUNNING:
                click.echo(f"{execution.name} is over already: {execution.status.value}", err=True)
        if not kept:
            click.echo(_NOTHING_STARTED, err=True)

    async def _resume(self, store: ExecutionStore, executions: Sequence[Execution]) -> str:
        """The command that goes on with one execution, or with all that are open."""
        steps = self._settings.steps
        if len(executions) > 1:
            return steps.resume()
        try:
            return steps.resume(await steps.whom(store, executions[0]))
        except StoreError:  # the store that is to be mended may not answer
            return steps.resume(executions[0].arn)

    async def document(self, execution: Execution) -> JsonObject:
        """An execution for machines, with its history if that was asked for."""
        shown = results.document(execution)
        if self._settings.with_history:
            shown |= await get_execution_history(self._store, execution.arn)
        return shown

    async def tell(self, execution: Execution) -> None:
        """An execution for people, with its history if that was asked for."""
        results.tell(execution, self._settings.steps, await self._whom(execution))
        if self._settings.with_history:
            await tell_history(self._store, execution.arn)

    async def _whom(self, execution: Execution) -> str:
        return await self._settings.steps.whom(self._store, execution)
