from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from asl_engine.errors import StoreUnavailable
from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.runtime.clock import RealClock
from asl_engine.server.taking_up import TakingUp
from asl_engine.store.journal import Record
from asl_engine.store.memory import MemoryStore
from tests.api.services import MACHINE, Caller, asking, service
from tests.approvals.skipping import run_timed

ACTIVITY = MACHINE.replace(":stateMachine:orders", ":activity:review")


class FragileStore(MemoryStore):
    """Takes no record while `full`."""

    full = False

    async def append(self, record: Record) -> None:
        if self.full:
            raise StoreUnavailable("the disk is full")
        await super().append(record)


async def waiting(call: Caller) -> str:
    """An execution that waits for a worker, and then for a minute."""
    await call("CreateActivity", name="review")
    ask = {"Type": "Task", "Resource": ACTIVITY, "Next": "Rest"}
    rest = {"Type": "Wait", "Seconds": 60, "End": True}
    await call.create({"StartAt": "Ask", "States": {"Ask": ask, "Rest": rest}})
    return str((await call("StartExecution", stateMachineArn=MACHINE))["executionArn"])


async def pass_time(seconds: float) -> None:
    """On a loop whose clock jumps."""
    await asyncio.sleep(seconds)


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


def test_an_answer_to_an_execution_whose_process_died_meanwhile_sets_it_going() -> None:
    async def run() -> None:
        store = MemoryStore()
        told: list[str] = []
        call, other = Caller(service(store)), Caller(service(store))
        taking_up = TakingUp(
            call.service.host,
            store,
            call.service.clock,
            lambda _arn, error: told.append(str(error)),
            retry_seconds=0.001,
        )
        await taking_up.begin()
        arn = await waiting(other)
        task = await other("GetActivityTask", activityArn=ACTIVITY)
        await other.service.host.close()

        await call("SendTaskSuccess", taskToken=task["taskToken"], output="1")
        await until(lambda: call.service.host.live(arn))

        assert (await call.ended(arn))["status"] == "SUCCEEDED"
        assert told == ["no process ran it when its answer came; it is taken up within seconds"]
        await taking_up.close()
        await call.service.host.close()

    asyncio.run(asyncio.wait_for(run(), 20))


class DefectiveStore(MemoryStore):
    """Fails as no store should, while `defective`."""

    defective = False

    async def load(self, execution_arn: str, held: Execution | None = None) -> Execution:
        if self.defective:
            raise KeyError("a defect")
        return await super().load(execution_arn, held)


def test_a_defect_that_one_execution_meets_keeps_neither_the_server_nor_the_execution_for_ever() -> None:
    async def run() -> None:
        store = DefectiveStore()
        told: list[str] = []
        call, other = Caller(service(store)), Caller(service(store))
        await call("CreateActivity", name="review")
        arn = await waiting(other)
        await other.service.host.close()
        taking_up = TakingUp(
            call.service.host, store, call.service.clock, lambda _arn, error: told.append(repr(error)), retry_seconds=1
        )
        store.defective = True
        await taking_up.begin()
        await pass_time(10)
        assert told == ["KeyError('a defect')"]

        store.defective = False
        await pass_time(2)
        assert call.service.host.live(arn) is not None
        await taking_up.close()
        await call.service.host.close()

    run_timed(run())


def test_an_execution_that_is_lost_again_and_again_is_taken_up_after_growing_pauses() -> None:
    """Taking it up performs its task again."""
    performed: list[float] = []

    async def pay(_event: object, _context: object) -> None:
        performed.append(asyncio.get_running_loop().time())

    async def run() -> None:
        store = FragileStore()
        call = Caller(service(store, tasks={"pay": pay}))
        taking_up = TakingUp(call.service.host, store, call.service.clock, lambda _arn, _error: None)
        await taking_up.begin()
        await call.create(asking("arn:aws:lambda:eu-west-1:123456789012:function:pay"))
        arn = str((await call("StartExecution", stateMachineArn=MACHINE))["executionArn"])
        store.full = True
        await pass_time(600)
        assert 10 < len(performed) < 20

        store.full = False
        await pass_time(65)
        assert (await store.load(arn)).status is ExecutionStatus.SUCCEEDED
        await taking_up.close()
        await call.service.host.close()

    run_timed(run())
    assert performed[2] - performed[1] == 5


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
