"""Start an execution of a definition file and drive it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import click

from asl_engine.api.executions import check_name
from asl_engine.cli import results, wiring
from asl_engine.cli.definitions import load_machine
from asl_engine.cli.driving import Detached
from asl_engine.cli.sessions import Session, Settings
from asl_engine.json_value import JsonValue
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.live_execution import LiveExecution

_MACHINE_NAME_IN_NAMES_MAX: Final = 60


async def run(settings: Settings, file: Path, input_: JsonValue, name: str | None) -> int:
    """Returns the exit code. Raises AslError before anything is run, and StoreError."""
    machine = load_machine(file)
    if not settings.as_json:
        _tell_warnings(machine, file)
    machine_name = wiring.machine_name(file)
    clock = wiring.clock_named(settings.clock)
    performers = settings.sources.performers(clock, machine_name)
    wiring.check_performable(machine, performers)
    request = _request(machine_name, input_, name)
    async with wiring.new_store(settings.store_spec) as store:
        session = Session(settings, store, clock, performers)

        async def begin() -> list[LiveExecution]:
            return [await session.start(machine, request)]

        driven = await session.drive(begin)
        if not isinstance(driven, Detached):
            if settings.as_json:
                click.echo(results.json_text(await session.document(driven[0])))
            else:
                await session.tell(driven[0])
            return results.exit_code(driven)
    return await session.tell_detached(driven)


def _request(machine_name: str, input_: JsonValue, name: str | None) -> StartRequest:
    if name is None:
        name = f"{machine_name[:_MACHINE_NAME_IN_NAMES_MAX]}-{secrets.token_hex(4)}"
    check_name(name)
    return StartRequest(
        name=name,
        input=input_,
        state_machine_arn=wiring.state_machine_arn(machine_name),
        seed=secrets.token_hex(16),
        role_arn=wiring.ROLE_ARN,
    )


def _tell_warnings(machine: StateMachine, file: Path) -> None:
    count = len(machine.warnings)
    if count:
        click.secho(f"{count} warning{'s' if count > 1 else ''}; see: asl validate {file}", dim=True, err=True)
