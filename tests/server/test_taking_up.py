from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from asl_engine.errors import StoreUnavailable
from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.runtime.clock import RealClock
from asl_engine.server.taking_up import TakingUp
from asl_engine.store.journal import Record
from asl_engine.store.memory import MemoryStore
from tests.api.services import MACHINE, Caller, asking, service

ACTIVITY = MACHINE.replace(":stateMachine:orders", ":activity:review")


class FragileStore(MemoryStore):
    """Takes no record while `full`."""

    full = False

    async def append(self, record: Record) -> None:
        if self.full:
            raise StoreUnavailable("the disk is full")
        await super().append(record)


async def waiting(call: Caller) -> str:
    """An execution that waits for a worker."""
    await call("CreateActivity", name="review")
    await call.create(asking(ACTIVITY))
    return str((await call("StartExecution", stateMachineArn=MACHINE))["executionArn"])


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_an_execution_that_the_store_lost_goes_on_once_the_store_can_be_written() -> None:
    async def run() -> None:
        store = FragileStore()
        told: list[tuple[str, str]] = []
        call = Caller(service(store))
        host = call.service.host
        taking_up = TakingUp(
            host, store, call.service.clock, lambda lost, error: told.append((lost, str(error))), retry_seconds=0.001
        )
        await taking_up.begin()
        arn = await waiting(call)

        store.full = True
        live = host.live(arn)
        assert live is not None
        live.post(TaskSucceeded("0", 3, "reviewed"))
        with pytest.raises(StoreUnavailable):
            await live.ended
        await until(lambda: told)
        store.full = False
        await until(lambda: host.live(arn) is not None)

        assert told == [(arn, "the disk is full")]
        task = await call("GetActivityTask", activityArn=ACTIVITY)
        await call("SendTaskSuccess", taskToken=task["taskToken"], output="1")
        assert (await call.ended(arn))["status"] == "SUCCEEDED"
        await taking_up.close()
        await host.close()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_an_execution_that_another_process_runs_is_taken_up_when_it_lets_go() -> None:
    async def run() -> None:
        store = MemoryStore()
        told: list[str] = []
        call = Caller(service(store))
        arn = await waiting(call)
        other = Caller(service(store))
        taking_up = TakingUp(
            other.service.host, store, other.service.clock, lambda lost, _error: told.append(lost), retry_seconds=0.001
        )
        await taking_up.begin()
        assert told == [arn]
        assert other.service.host.live(arn) is None

        await call.service.host.close()
        await until(lambda: other.service.host.live(arn) is not None)

        assert told == [arn]  # once is enough
        assert (await store.load(arn)).status is ExecutionStatus.RUNNING
        await taking_up.close()
        await other.service.host.close()

    asyncio.run(asyncio.wait_for(run(), 20))


class SetClock(RealClock):
    """A real clock that the test sets."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


def test_an_execution_ahead_of_the_real_clock_is_left_alone_until_the_clock_gets_there() -> None:
    async def run() -> None:
        store = MemoryStore()
        told: list[tuple[str, str]] = []
        call = Caller(service(store))
        arn = await waiting(call)
        await call.service.host.close()
        ahead = (await store.load(arn)).at
        clock = SetClock(ahead - 60_001)
        real = Caller(service(store, clock))
        host = real.service.host
        taking_up = TakingUp(
            host, store, clock, lambda lost, error: told.append((lost, str(error))), retry_seconds=0.001
        )

        await taking_up.begin()
        assert host.live(arn) is None
        clock.at += 1
        await until(lambda: host.live(arn) is not None)

        ((lost, why),) = told
        assert lost == arn
        assert "has come to 2023-11-14 22:13:20 UTC under virtual time" in why
        await taking_up.close()
        await host.close()

    asyncio.run(asyncio.wait_for(run(), 20))
