"""What a function can see of its task, and say about it."""

from __future__ import annotations

import threading

import pytest

from asl_engine.json_value import JsonValue
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.task_context import TaskContext
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded
from tests.runtime.task_calls import CALLBACK, FUNCTION_ARN, NOON, task_call
from tests.runtime.task_functions import failed, run


def test_the_context_has_what_lambda_gives_and_what_the_engine_adds() -> None:
    seen: list[TaskContext] = []
    call = task_call(retry_count=2, timeout_at=NOON + 5_000)
    run(lambda event, context: seen.append(context), call)
    (context,) = seen
    assert context.function_name == "charge"
    assert context.invoked_function_arn == FUNCTION_ARN
    assert context.aws_request_id == context.idempotency_key == call.idempotency_key
    assert context.get_remaining_time_in_millis() == 5_000
    assert (context.execution_arn, context.execution_name) == (call.execution_arn, "run")
    assert (context.state_name, context.retry_count, context.task_token) == ("Charge", 2, "token")


def test_without_a_timeout_a_task_has_the_15_minutes_of_lambda() -> None:
    assert run(lambda event, context: context.get_remaining_time_in_millis(), task_call()) == Succeeded(900_000)


def test_a_heartbeat_from_a_thread_arrives_on_the_loop() -> None:
    threads: list[threading.Thread] = []
    call = task_call(heartbeat=lambda: threads.append(threading.current_thread()))
    run(lambda event, context: context.heartbeat(), call)
    assert threads == [threading.main_thread()]


def test_a_callback_task_is_submitted_and_left_to_the_token() -> None:
    assert run(lambda event: {"MessageId": "1"}, task_call(CALLBACK)) == Submitted({"MessageId": "1"})


def test_a_callback_task_may_answer_its_own_token_later() -> None:
    clock = VirtualClock(NOON)
    result = run(
        lambda event, context: context.send_task_success({"ok": (1,)}, after_seconds=90), task_call(CALLBACK), clock
    )
    assert (result, clock.now()) == (Succeeded({"ok": [1]}), NOON + 90_000)


def test_a_callback_task_may_fail_its_own_token() -> None:
    result = run(lambda event, context: context.send_task_failure("Order.Rejected", "by hand"), task_call(CALLBACK))
    assert result == Failed("Order.Rejected", "by hand")


def test_a_token_can_be_answered_only_once() -> None:
    def twice(event: JsonValue, context: TaskContext) -> None:
        context.send_task_success(1)
        context.send_task_success(2)

    error, cause = failed(twice, task_call(CALLBACK))
    assert error == "TaskTimedOut"
    assert "answer it once" in cause["errorMessage"]


def test_a_token_cannot_be_answered_after_the_task_returned() -> None:
    kept: list[TaskContext] = []
    run(lambda event, context: kept.append(context), task_call(CALLBACK))
    with pytest.raises(Exception, match="SendTaskSuccess"):
        kept[0].send_task_success(1)


def test_a_task_without_a_token_cannot_answer_one() -> None:
    error, cause = failed(lambda event, context: context.send_task_success(1))
    assert error == "InvalidToken"
    assert "append .waitForTaskToken" in cause["errorMessage"]


def test_an_answer_that_is_no_json_is_refused() -> None:
    error, cause = failed(lambda event, context: context.send_task_success({1}), task_call(CALLBACK))
    assert error == "InvalidOutput"
    assert "type set" in cause["errorMessage"]
