"""Executions driven in this process: durable before dispatched, resumable, moved by what comes from outside."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from asl_engine.errors import Conflict, ExecutionAlreadyExists, ExecutionClaimed, StoreUnavailable
from asl_engine.interpreter.events import StopRequested, TaskSucceeded
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.options import AWS_COMPATIBLE, Options
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import RealClock, VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.tasks import Submitted, Succeeded, TaskCall, TaskResult
from asl_engine.store.journal import Record
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.sqlite import SqliteStore

NOON = 1_700_000_000_000
T = TypeVar("T")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
APPROVE = "arn:aws:states:::lambda:invoke.waitForTaskToken"


def complete(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, timeout=20))


def chain(*states: JsonObject) -> JsonObject:
    names = [f"S{index}" for index in range(len(states))]
    linked: JsonObject = {}
    for index, state in enumerate(states):
        end: JsonObject = {"End": True} if index == len(states) - 1 else {"Next": names[index + 1]}
        linked[names[index]] = {**state, **end}
    return {"StartAt": names[0], "States": linked}


def task(name: str, **fields: JsonValue) -> JsonObject:
    return {"Type": "Task", "Resource": FUNCTION + name, **fields}


def request(name: str = "run", input: JsonValue = None) -> StartRequest:
    return StartRequest(
        name=name,
        input={} if input is None else input,
        state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:machine",
        seed="seed",
    )


class Recorder:
    """Performs every task by noting it down; tasks named in `holding` do not return."""

    def __init__(self, *holding: str) -> None:
        self.performed: list[str] = []
        self.cancelled: list[str] = []
        self._holding = holding

    def handles(self, _call: TaskCall) -> bool:
        return True

    async def perform(self, call: TaskCall) -> TaskResult:
        self.performed.append(call.attempt.state_name)
        if call.resource.arn == APPROVE:
            return Submitted({"sent": True})
        if call.attempt.state_name in self._holding:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                self.cancelled.append(call.attempt.state_name)
                raise
        return Succeeded({"by": call.attempt.state_name})

    async def close(self) -> None:
        """Nothing is held."""


def host_on(store: ExecutionStore, performer: Recorder, clock: VirtualClock | None = None) -> InProcessHost:
    return InProcessHost(store, performer, clock or VirtualClock(NOON))


def test_a_chain_of_tasks_runs_to_its_end() -> None:
    async def story() -> tuple[Execution, list[str]]:
        performer = Recorder()
        host = host_on(MemoryStore(), performer)
        live = await host.start(compile_definition(chain(task("a"), task("b"), task("c"))), request())
        execution = await host.until_over(live)
        await host.close()
        return execution, performer.performed

    execution, performed = complete(story())
    assert (execution.status, execution.output) == (ExecutionStatus.SUCCEEDED, {"by": "S2"})
    assert performed == ["S0", "S1", "S2"]


def test_parallel_tasks_run_concurrently() -> None:
    """Each branch waits for the other to have begun."""

    async def story() -> Execution:
        both = asyncio.Barrier(2)

        class Meeting(Recorder):
            async def perform(self, call: TaskCall) -> TaskResult:
                await both.wait()
                return Succeeded(call.attempt.state_name)

        branches: list[JsonValue] = [
            {"StartAt": name, "States": {name: {**task(name), "End": True}}} for name in ("left", "right")
        ]
        host = host_on(MemoryStore(), Meeting())
        live = await host.start(compile_definition(chain({"Type": "Parallel", "Branches": branches})), request())
        execution = await host.until_over(live)
        await host.close()
        return execution

    assert complete(story()).output == ["left", "right"]


def test_what_is_open_is_taken_up_and_what_is_finished_is_not_repeated(tmp_path: Path) -> None:
    async def first() -> None:
        store = SqliteStore(tmp_path / "runs.sqlite")
        performer = Recorder("S1")
        host = host_on(store, performer)
        live = await host.start(compile_definition(chain(task("a"), task("b"), task("c"))), request())
        while performer.performed != ["S0", "S1"]:
            await asyncio.sleep(0)
        await host.close()
        await store.close()
        assert live.execution.status != ExecutionStatus.SUCCEEDED

    async def second() -> tuple[Execution, list[str]]:
        store = SqliteStore(tmp_path / "runs.sqlite")
        performer = Recorder()
        host = host_on(store, performer)
        live = await host.take_up(request().execution_arn)
        execution = await host.until_over(live)
        await host.close()
        await store.close()
        return execution, performer.performed

    complete(first())
    execution, performed = complete(second())
    assert execution.status == ExecutionStatus.SUCCEEDED
    assert performed == ["S1", "S2"]


def test_a_timer_that_was_running_when_the_process_ended_goes_on(tmp_path: Path) -> None:
    async def first() -> None:
        store = SqliteStore(tmp_path / "runs.sqlite")
        host = host_on(store, Recorder(), VirtualClock(NOON, until=NOON))
        live = await host.start(compile_definition(chain({"Type": "Wait", "Seconds": 3_600}, task("a"))), request())
        await host.until_over(live)
        await host.close()
        await store.close()

    async def second() -> list[int]:
        store = SqliteStore(tmp_path / "runs.sqlite")
        host = host_on(store, Recorder(), VirtualClock(NOON + 60_000))
        execution = await host.until_over(await host.take_up(request().execution_arn))
        await host.close()
        exits = [e.timestamp async for e in store.history(execution.arn) if e.type == "WaitStateExited"]
        await store.close()
        return exits

    complete(first())
    assert complete(second()) == [NOON + 3_600_000]


def test_a_submitted_task_is_not_sent_again_and_its_answer_from_the_inbox_counts(tmp_path: Path) -> None:
    machine = compile_definition(chain({"Type": "Task", "Resource": APPROVE}, task("after")))

    async def first() -> tuple[str, int]:
        store = SqliteStore(tmp_path / "runs.sqlite")
        host = host_on(store, Recorder())
        live = await host.start(machine, request())
        execution = await host.until_over(live)
        await host.close()
        (frame,) = execution.frames.values()
        assert frame.wait is not None
        await store.send(execution.arn, TaskSucceeded(frame.id, frame.wait.wait_id, {"ok": True}))
        await store.close()
        return frame.id, frame.wait.wait_id

    async def second() -> tuple[Execution, list[str], int]:
        store = SqliteStore(tmp_path / "runs.sqlite")
        performer = Recorder()
        host = host_on(store, performer)
        execution = await host.until_over(await host.take_up(request().execution_arn))
        await host.close()
        left = len(await store.inbox(execution.arn))
        await store.close()
        return execution, performer.performed, left

    complete(first())
    execution, performed, left = complete(second())
    assert (execution.status, performed, left) == (ExecutionStatus.SUCCEEDED, ["S1"], 0)


def test_stopping_cancels_the_work_in_flight() -> None:
    async def story() -> tuple[Execution, Recorder]:
        performer = Recorder("S0")
        host = host_on(MemoryStore(), performer)
        live = await host.start(compile_definition(chain(task("a"))), request())
        await host.apply(live.execution.arn, StopRequested("Enough", "said the user"))
        execution = await host.until_over(live)
        await host.close()
        return execution, performer

    execution, _performer = complete(story())
    assert (execution.status, execution.error, execution.cause) == (
        ExecutionStatus.ABORTED,
        "Enough",
        "said the user",
    )


def test_a_name_is_taken_once() -> None:
    async def story() -> None:
        host = host_on(MemoryStore(), Recorder())
        machine = compile_definition(chain({"Type": "Pass"}))
        await host.until_over(await host.start(machine, request("same")))
        with pytest.raises((ExecutionAlreadyExists, ExecutionClaimed), match="same"):
            await host.start(machine, request("same"))
        await host.close()

    complete(story())


def test_a_performer_that_breaks_fails_the_execution_and_says_why() -> None:
    class Broken(Recorder):
        async def perform(self, _call: TaskCall) -> TaskResult:
            raise ConnectionError("the wire is cut")

    async def story() -> Execution:
        host = host_on(MemoryStore(), Broken())
        live = await host.start(compile_definition(chain(task("a"))), request())
        execution = await host.until_over(live)
        await host.close()
        return execution

    execution = complete(story())
    assert (execution.status, execution.error) == (ExecutionStatus.FAILED, "States.Runtime")
    assert execution.cause == "the task could not be performed: ConnectionError: the wire is cut"


class FailingStore(MemoryStore):
    """Takes a few records, then its disk is full."""

    def __init__(self, records: int) -> None:
        super().__init__()
        self._room = records

    async def append(self, record: Record) -> None:
        if self._room == 0:
            raise StoreUnavailable("the disk is full")
        self._room -= 1
        await super().append(record)


def test_a_store_that_fails_stops_the_driver_and_dispatches_nothing_undurable() -> None:
    """Room for the start alone: the first task is performed, its result has no place, the second never begins."""

    async def story() -> list[str]:
        performer = Recorder()
        host = host_on(FailingStore(1), performer)
        live = await host.start(compile_definition(chain(task("a"), task("b"))), request())
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await host.until_over(live)
        await host.close()
        return performer.performed

    assert complete(story()) == ["S0"]


def test_an_event_that_the_store_does_not_take_is_not_said_to_be_durable() -> None:
    async def story() -> None:
        host = host_on(FailingStore(1), Recorder("S0"))
        live = await host.start(compile_definition(chain(task("a"))), request())
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await host.apply(live.execution.arn, StopRequested())
        await host.close()

    complete(story())


def test_an_event_that_comes_after_the_end_is_taken_for_what_it_is_and_holds_up_no_clock() -> None:
    async def story() -> None:
        clock = VirtualClock(NOON)
        host = host_on(MemoryStore(), Recorder("S0"), clock)
        live = await host.start(compile_definition(chain(task("a"))), request())
        await live.apply(StopRequested("First"))
        await live.ended
        await live.apply(StopRequested("Second"))
        assert live.execution.error == "First"
        await clock.stalled()
        await host.close()

    complete(story())


FAILS: JsonObject = {"Type": "Fail", "Error": "E"}


@pytest.mark.parametrize(
    ("branch", "seconds"),
    [
        ({"StartAt": "Fail", "States": {"Fail": FAILS}}, 0),
        ({"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 1, "Next": "Fail"}, "Fail": FAILS}}, 1),
    ],
    ids=["at once", "later"],
)
def test_time_does_not_run_on_to_what_a_failed_branch_left_behind(branch: JsonObject, seconds: int) -> None:
    """A branch waits for a day when its sibling fails. Then only an answer is waited for: no more time passes."""
    waits: JsonObject = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86400, "End": True}}}
    catch: JsonValue = [{"ErrorEquals": ["E"], "Next": "S1"}]
    parallel: JsonObject = {"Type": "Parallel", "Branches": [waits, branch], "Catch": catch}
    ask: JsonObject = {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}}

    async def story() -> int:
        clock = VirtualClock(NOON)
        host = host_on(MemoryStore(), Recorder(), clock)
        machine = compile_definition(chain(parallel, {"Type": "Task", "Resource": APPROVE, "Parameters": ask}))
        await host.until_over(await host.start(machine, request()))
        await host.close()
        return clock.now()

    assert complete(story()) == NOON + 1000 * seconds


class RacingStore(MemoryStore):
    """Lets another writer win the race for one sequence number."""

    def __init__(self, sequence: int) -> None:
        super().__init__()
        self.lost: list[int] = []
        self._sequence = sequence

    async def append(self, record: Record) -> None:
        if record.sequence == self._sequence and record.events:
            self._sequence = -1
            self.lost.append(record.sequence)
            raise Conflict("another writer was first")
        await super().append(record)


def test_a_lost_race_is_retried_from_the_newest_state() -> None:
    async def story() -> tuple[Execution, list[int]]:
        store = RacingStore(1)
        host = host_on(store, Recorder())
        live = await host.start(compile_definition(chain(task("a"), task("b"))), request())
        execution = await host.until_over(live)
        await host.close()
        return execution, store.lost

    execution, lost = complete(story())
    assert (execution.status, lost) == (ExecutionStatus.SUCCEEDED, [1])


def test_another_process_reaches_a_running_execution_through_the_inbox(tmp_path: Path) -> None:
    machine = compile_definition(chain({"Type": "Task", "Resource": APPROVE}))

    async def waiting(live: LiveExecution) -> TaskSucceeded:
        while True:
            (frame,) = live.execution.frames.values()
            if frame.wait is not None and getattr(frame.wait, "submitted", False):
                return TaskSucceeded(frame.id, frame.wait.wait_id, "yes")
            await asyncio.sleep(0)

    async def story() -> Execution:
        store, other = SqliteStore(tmp_path / "runs.sqlite"), SqliteStore(tmp_path / "runs.sqlite")
        host = InProcessHost(store, Recorder(), RealClock(), inbox_poll_seconds=0.01)
        live = await host.start(machine, request())
        await other.send(live.execution.arn, await waiting(live))
        execution = await host.until_over(live)
        await host.close()
        await other.close()
        await store.close()
        return execution

    assert complete(story()).output == "yes"


def test_limits_hold_for_whoever_takes_the_execution_up(tmp_path: Path) -> None:
    """They are pinned at the start: an execution under AWS's limits keeps them in a host without, and the reverse."""

    class Large(Recorder):
        async def perform(self, _call: TaskCall) -> TaskResult:
            return Succeeded("x" * 300_000)

    async def started(options: Options, name: str) -> None:
        store = SqliteStore(tmp_path / "runs.sqlite")
        host = InProcessHost(store, Recorder("S0"), VirtualClock(NOON), options=options)
        await host.start(compile_definition(chain(task("a"))), request(name))
        await host.close()
        await store.close()

    async def finished(options: Options, name: str) -> Execution:
        store = SqliteStore(tmp_path / "runs.sqlite")
        host = InProcessHost(store, Large(), VirtualClock(NOON), options=options)
        execution = await host.until_over(await host.take_up(request(name).execution_arn))
        await host.close()
        await store.close()
        return execution

    complete(started(AWS_COMPATIBLE, "limited"))
    complete(started(Options(), "free"))
    assert complete(finished(Options(), "limited")).error == "States.DataLimitExceeded"
    assert complete(finished(AWS_COMPATIBLE, "free")).status == ExecutionStatus.SUCCEEDED


def test_an_activity_whose_worker_died_with_this_process_is_performed_again(tmp_path: Path) -> None:
    """The worker was a function of ours: nobody outside holds the token."""
    activity: JsonObject = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:label"}
    clock = VirtualClock(NOON)

    async def first() -> None:
        store = SqliteStore(tmp_path / "runs.sqlite")
        begun = asyncio.Event()

        async def label(_event: JsonValue) -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        host = InProcessHost(store, PythonTasks({"label": label}, clock), clock)
        live = await host.start(compile_definition(chain(activity)), request())
        await begun.wait()
        while live.execution.last_event_id < 4:  # ActivityStarted is durable
            await asyncio.sleep(0)
        await host.close()
        await store.close()

    async def second() -> tuple[Execution, list[str]]:
        store = SqliteStore(tmp_path / "runs.sqlite")
        host = InProcessHost(
            store, PythonTasks({"label": lambda _event: "cat"}, VirtualClock(NOON)), VirtualClock(NOON)
        )
        execution = await host.until_over(await host.take_up(request().execution_arn))
        await host.close()
        types = [event.type async for event in store.history(execution.arn)]
        await store.close()
        return execution, types

    complete(first())
    execution, types = complete(second())
    assert execution.output == "cat"
    assert types.count("ActivityStarted") == 1
