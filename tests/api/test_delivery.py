"""Events from outside, on a store that nobody or somebody else works on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from asl_engine.api.delivery import Delivery, deliver
from asl_engine.api.executions import (
    check_name,
    describe_execution,
    get_execution_history,
    list_executions,
    stop_execution,
)
from asl_engine.api.open_waits import WaitKind, open_waits
from asl_engine.api.tasks import open_attempt, send_task_failure, send_task_heartbeat, send_task_success
from asl_engine.errors import (
    ExecutionDoesNotExist,
    InvalidName,
    InvalidOutput,
    InvalidToken,
    TaskDoesNotExist,
    TaskTimedOut,
)
from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.options import Options
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.runner import Runner
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.sqlite import SqliteStore
from tests.store.dynamodb_tables import moto_url, store_in

NOON = 1_700_000_000_000
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:approval"
ARN = "arn:aws:states:us-east-1:123456789012:execution:approval:order-7"
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    "HeartbeatSeconds": 3600,
    "End": True,
}
DEFINITION = json.dumps({"StartAt": "Ask", "States": {"Ask": ASK}})


async def start(store: ExecutionStore) -> str:
    """Start an execution and leave it where it waits for its answer; returns the token."""
    clock = VirtualClock(NOON, until=NOON)
    host = InProcessHost(store, PythonTasks({"ask": lambda _event: None}, clock), clock)
    request = StartRequest(name="order-7", input={}, state_machine_arn=MACHINE, seed="seed")
    await host.until_over(await host.start(compile_definition(DEFINITION), request))
    await host.close()
    await store.release(ARN)
    [wait] = open_waits(await store.load(ARN))
    assert wait.task_token is not None
    return wait.task_token


def on_waiting(story: Callable[[MemoryStore, str], Awaitable[None]]) -> None:
    """Tell a story about a store with an execution that waits, and its token."""

    async def tell() -> None:
        store = MemoryStore()
        await story(store, await start(store))

    asyncio.run(tell())


def test_an_answer_is_applied_when_nobody_drives_the_execution() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        assert await send_task_success(store, token, '{"ok": true}', now=NOON + 5) is Delivery.APPLIED
        execution = await store.load(ARN)
        assert (execution.status, execution.output) == (ExecutionStatus.SUCCEEDED, {"ok": True})
        assert execution.stopped_at == NOON + 5
        assert await store.inbox(ARN) == []
        await store.claim(ARN)  # it has been given back

    on_waiting(story)


def test_an_answer_is_left_in_the_inbox_of_whoever_drives_the_execution() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        await store.claim(ARN)
        assert await send_task_failure(store, token, now=NOON, error="No") is Delivery.HANDED_OVER
        assert (await store.load(ARN)).status is ExecutionStatus.RUNNING
        assert len(await store.inbox(ARN)) == 1

    on_waiting(story)


def test_a_second_answer_is_refused_even_before_the_first_is_applied() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        await store.claim(ARN)
        await send_task_success(store, token, "1", now=NOON)
        with pytest.raises(TaskTimedOut, match="already over: an answer to it is on its way"):
            await send_task_failure(store, token, now=NOON)

    on_waiting(story)


def test_a_token_is_of_no_use_once_its_execution_has_ended() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        await stop_execution(store, ARN, now=NOON)
        with pytest.raises(TaskTimedOut, match="already over: it was answered, timed out, or order-7 has ended"):
            await send_task_success(store, token, "1", now=NOON)

    on_waiting(story)


@pytest.mark.parametrize("is_run_elsewhere", [True, False])
def test_of_two_answers_whose_token_was_looked_at_before_the_second_is_too_late(is_run_elsewhere: bool) -> None:
    async def story(store: MemoryStore, token: str) -> None:
        if is_run_elsewhere:
            await store.claim(ARN)
        claims = await open_attempt(store, token)
        first, second = (TaskSucceeded(claims.frame_id, claims.wait_id, number) for number in (1, 2))
        told = Delivery.HANDED_OVER if is_run_elsewhere else Delivery.APPLIED
        assert await deliver(store, ARN, first, NOON) is told
        assert await deliver(store, ARN, second, NOON) is Delivery.TOO_LATE

    on_waiting(story)


def test_an_answer_is_too_late_once_whoever_drives_the_execution_has_taken_another() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        await store.claim(ARN)
        claims = await open_attempt(store, token)
        first, second = (TaskSucceeded(claims.frame_id, claims.wait_id, number) for number in (1, 2))
        assert await deliver(store, ARN, first, NOON) is Delivery.HANDED_OVER
        driver = Runner(compile_definition(DEFINITION), store, Options())
        await driver.take_up(ARN)
        await driver.handle([first], NOON, [message.id for message in await store.inbox(ARN)])
        assert await deliver(store, ARN, second, NOON) is Delivery.TOO_LATE

    on_waiting(story)


def test_an_answer_is_too_late_although_its_place_in_a_tables_inbox_is_free_again() -> None:
    async def story() -> None:
        live = store_in(moto_url())
        other = store_in(moto_url(), live.client.table)
        claims = await open_attempt(live, await start(live))
        first, second = (TaskSucceeded(claims.frame_id, claims.wait_id, number) for number in (1, 2))
        await live.claim(ARN)
        assert await deliver(other, ARN, first, NOON) is Delivery.HANDED_OVER
        driver = Runner(compile_definition(DEFINITION), live, Options())
        await driver.take_up(ARN)
        await driver.handle([first], NOON, [message.id for message in await live.inbox(ARN)])
        assert await deliver(other, ARN, second, NOON) is Delivery.TOO_LATE
        await other.close()
        await live.close()

    asyncio.run(story())


def test_many_answers_through_one_file_have_one_winner(tmp_path: Path) -> None:
    async def story() -> None:
        memory, store = MemoryStore(), SqliteStore(tmp_path / "store.db")
        token = await start(memory)
        async for record in memory.records(ARN, newest_first=False):
            await store.append(record)
        await store.claim(ARN)
        answers = [send_task_success(store, token, str(number), now=NOON) for number in range(20)]
        told = await asyncio.gather(*answers, return_exceptions=True)
        assert [answer for answer in told if not isinstance(answer, TaskTimedOut)] == [Delivery.HANDED_OVER]
        await store.close()

    asyncio.run(story())


def test_a_heartbeat_moves_the_deadline_and_answers_nothing() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        assert await send_task_heartbeat(store, token, now=NOON + 1_000_000) is Delivery.APPLIED
        [wait] = open_waits(await store.load(ARN))
        assert (wait.kind, wait.until) == (WaitKind.CALLBACK, NOON + 1_000_000 + 3_600_000)

    on_waiting(story)


@pytest.mark.parametrize("token", ["", "no token", "bm8gdG9rZW4=", "é"])
def test_a_text_that_is_no_token_is_refused(token: str) -> None:
    async def story(store: MemoryStore, _token: str) -> None:
        with pytest.raises(InvalidToken):
            await send_task_success(store, token, "1", now=NOON)

    on_waiting(story)


def test_a_token_with_another_signature_is_refused() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        with pytest.raises(InvalidToken):
            await send_task_success(store, ("B" if token[0] == "A" else "A") + token[1:], "1", now=NOON)
        assert await store.inbox(ARN) == []

    on_waiting(story)


def test_a_token_of_an_execution_that_is_not_here_is_refused() -> None:
    async def story(_store: MemoryStore, token: str) -> None:
        with pytest.raises(TaskDoesNotExist):
            await send_task_success(MemoryStore(), token, "1", now=NOON)

    on_waiting(story)


def test_an_output_that_is_no_json_is_refused() -> None:
    async def story(store: MemoryStore, token: str) -> None:
        with pytest.raises(InvalidOutput, match=r"^Invalid Output: 'Unrecognized token 'yes': was"):
            await send_task_success(store, token, "yes", now=NOON)
        assert (await store.load(ARN)).status is ExecutionStatus.RUNNING

    on_waiting(story)


def test_stopping_what_has_ended_changes_nothing() -> None:
    async def story(store: MemoryStore, _token: str) -> None:
        assert await stop_execution(store, ARN, now=NOON, error="A") is Delivery.APPLIED
        assert await stop_execution(store, ARN, now=NOON, error="B") is Delivery.TOO_LATE
        assert (await store.load(ARN)).error == "A"

    on_waiting(story)


def test_answers_have_the_members_of_the_api() -> None:
    async def story(store: MemoryStore, _token: str) -> None:
        await stop_execution(store, ARN, now=NOON + 500, error="A", cause="why")
        described: dict[str, Any] = await describe_execution(store, ARN)
        assert (described["startDate"], described["stopDate"]) == (NOON / 1000, NOON / 1000 + 0.5)
        assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "A", "why")
        assert (described["input"], "output" in described) == ("{}", False)
        listed: dict[str, Any] = await list_executions(store, ExecutionStatus.ABORTED)
        assert [one["executionArn"] for one in listed["executions"]] == [ARN]
        assert await list_executions(store, ExecutionStatus.RUNNING) == {"executions": []}
        newest_first: dict[str, Any] = await get_execution_history(store, ARN, reverse_order=True)
        assert newest_first["events"][0]["type"] == "ExecutionAborted"

    on_waiting(story)


def test_an_execution_that_is_not_here_is_told() -> None:
    with pytest.raises(ExecutionDoesNotExist):
        asyncio.run(stop_execution(MemoryStore(), ARN, now=NOON))


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", 'a"b', "a\nb", "a\x7fb", "x" * 81])
def test_a_name_that_aws_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match="Invalid Name"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "order-7_x.y", "é", "a+b!@(c)", "x" * 80])
def test_a_name_that_aws_takes_is_taken(name: str) -> None:
    check_name(name)
