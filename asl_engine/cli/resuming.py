"""Take up executions where their journals end, several at once, and drive them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from asl_engine.cli import results, wiring
from asl_engine.cli.driving import Detached
from asl_engine.cli.exit_codes import UNUSABLE
from asl_engine.cli.sessions import Session, Settings
from asl_engine.errors import AslError, ExecutionIsAhead
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import Clock, VirtualClock
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.protocol import ExecutionStore


async def resume(settings: Settings, name_or_arn: str | None) -> int:
    """Drive one execution, or all that are open; returns the exit code.

    One that is named and over is only told. One of several that cannot be taken up is told and left alone, and the exit
    code says so. Raises AslError.
    """
    async with wiring.existing_store(settings.store_spec) as store:
        chosen = await _chosen(store, name_or_arn)
        opened = [execution for execution in chosen if execution.status is ExecutionStatus.RUNNING]
        clock = wiring.clock_named(settings.clock)
        _catch_up(clock, opened)
        performers = settings.sources.performers(clock, _only_machine_name(opened))
        session = Session(settings, store, clock, performers)
        left_alone: list[AslError] = []

        async def begin() -> list[LiveExecution]:
            lives = []
            for execution in opened:
                try:
                    if settings.clock == "real" and wiring.is_ahead(execution):
                        raise await _ahead(settings, store, execution)
                    lives.append(await _take_up(session, store, execution, performers))
                except AslError as error:
                    if name_or_arn is not None:
                        raise
                    left_alone.append(error)
                    click.echo(f"{execution.name} is left alone: {error}", err=True)
            return lives

        driven = await session.drive(begin)
        if not isinstance(driven, Detached):
            told = driven if opened else chosen
            if not (told or left_alone or settings.as_json):
                click.echo("No execution is open.")
            await _tell(session, told, one=name_or_arn is not None, as_json=settings.as_json)
            return UNUSABLE if left_alone else results.exit_code(told)
    return await session.tell_detached(driven)


async def _chosen(store: ExecutionStore, name_or_arn: str | None) -> list[Execution]:
    if name_or_arn is not None:
        return [await store.load(await wiring.resolve(store, name_or_arn, to_change=True))]
    summaries = await store.executions(ExecutionStatus.RUNNING)
    return [await store.load(summary.arn) for summary in reversed(summaries)]


def _catch_up(clock: Clock, executions: Sequence[Execution]) -> None:
    """Virtual time goes on from where it had come to."""
    if isinstance(clock, VirtualClock):
        for execution in executions:
            clock.start_at(execution.at)


async def _ahead(settings: Settings, store: ExecutionStore, execution: Execution) -> AslError:
    steps = replace(settings, clock="virtual").steps
    return AslError(f"{ExecutionIsAhead(execution.at)}. Go on with: {steps.resume(await steps.whom(store, execution))}")


async def _take_up(
    session: Session, store: ExecutionStore, execution: Execution, performers: Sequence[TaskPerformer]
) -> LiveExecution:
    machine = compile_definition(await store.definition(execution.definition_sha256))
    wiring.check_performable(machine, performers)
    return await session.take_up(execution, machine)


def _only_machine_name(executions: Sequence[Execution]) -> str | None:
    names = {execution.state_machine_name for execution in executions}
    return names.pop() if len(names) == 1 else None


async def _tell(session: Session, executions: Sequence[Execution], *, one: bool, as_json: bool) -> None:
    if as_json:
        documents = [await session.document(execution) for execution in executions]
        click.echo(results.json_text(documents[0] if one else {"executions": [*documents]}))
        return
    for execution in executions:
        await session.tell(execution)
