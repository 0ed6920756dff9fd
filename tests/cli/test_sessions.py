"""What a session tells when it is told to let go."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from asl_engine.cli import wiring
from asl_engine.cli.driving import Detached
from asl_engine.cli.sessions import Session, Settings
from asl_engine.json_value import JsonObject
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.store.journal import Record
from asl_engine.store.sqlite import SqliteStore
from tests.interpreter.machines import only, pass_, state

NOON = 1_767_268_800_000
REQUEST = StartRequest(name="first", input={}, state_machine_arn=wiring.state_machine_arn("m", {}), seed="seed")


class SignalledStore(SqliteStore):
    """The signal comes when a record is durable and nobody knows it yet."""

    async def append(self, record: Record) -> None:
        """Write it, and never say so."""
        await super().append(record)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()


async def detached(file: Path, definition: JsonObject) -> int:
    """Start an execution on such a store; the exit code."""
    settings = Settings(store_spec=f"sqlite:{file}", sources=wiring.TaskSources(), clock="virtual", as_json=False)
    store, machine = SignalledStore(file), compile_definition(definition)
    session = Session(settings, store, VirtualClock(NOON), [])

    async def begin() -> list[LiveExecution]:
        return [await session.start(machine, REQUEST)]

    driven = await session.drive(begin)
    await store.close()
    assert isinstance(driven, Detached)
    return await session.tell_detached(driven)


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        (only(state("Wait", Seconds=5)), "Detached, and nothing is lost. Go on with: asl resume first"),
        (only(pass_()), "first is over already: SUCCEEDED"),
    ],
)
def test_a_record_that_was_written_while_the_signal_came_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], definition: JsonObject, told: str
) -> None:
    assert asyncio.run(detached(tmp_path / "executions.sqlite", definition)) == 143
    assert told in capsys.readouterr().err
