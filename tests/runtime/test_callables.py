"""Tasks in Python: what a function sees, and what becomes of all it can do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from asl_engine.errors import TaskError
from asl_engine.json_value import JsonValue
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.task_context import TaskContext
from asl_engine.runtime.tasks import Failed, Succeeded, TaskResult
from tests.runtime.task_calls import CALLBACK, FUNCTION_ARN, INVOKE, NOON, perform, performed, task_call
from tests.runtime.task_functions import failed, run


@pytest.mark.parametrize(
    ("resource", "arguments", "name"),
    [
        (FUNCTION_ARN, {}, "Charge"),
        (FUNCTION_ARN, {}, FUNCTION_ARN),
        (FUNCTION_ARN, {}, "charge"),
        (FUNCTION_ARN + ":prod", {}, FUNCTION_ARN + ":prod"),
        (FUNCTION_ARN + ":prod", {}, FUNCTION_ARN),
        (FUNCTION_ARN + ":7", {}, "charge:7"),
        (FUNCTION_ARN + ":7", {}, "charge"),
        (INVOKE, {"FunctionName": "charge"}, "charge"),
        (INVOKE, {"FunctionName": "charge:prod"}, "charge"),
        (INVOKE, {"FunctionName": "123456789012:function:charge:prod"}, "charge"),
        (INVOKE, {"FunctionName": FUNCTION_ARN}, "charge"),
        (INVOKE, {"FunctionName": "${AWS::StackName}-charge:prod"}, "${AWS::StackName}-charge"),
        (INVOKE, {"FunctionName": "charge"}, INVOKE),
        (INVOKE, {"FunctionName": "charge"}, "lambda:invoke"),
        (CALLBACK, {}, CALLBACK),
        (CALLBACK, {}, "sqs:sendMessage.waitForTaskToken"),
        (CALLBACK, {}, "sqs:sendMessage"),
        ("arn:aws:states:::aws-sdk:s3:getObject", {}, "aws-sdk:s3:getObject"),
        ("arn:aws:states:eu-west-1:123456789012:activity:approve", {}, "approve"),
    ],
)
def test_a_task_is_found_under_each_of_its_names(resource: str, arguments: JsonValue, name: str) -> None:
    tasks = PythonTasks({name: lambda event: event}, VirtualClock(NOON))
    assert tasks.handles(task_call(resource, arguments))


def test_a_task_is_not_found_under_a_name_that_merely_looks_alike() -> None:
    tasks = PythonTasks({"Charge2": print, "charg": print, "invoke": print, "sqs": print}, VirtualClock(NOON))
    assert not tasks.handles(task_call(INVOKE, {"FunctionName": "charge"}))
    assert not tasks.handles(task_call(CALLBACK, {}))


def test_the_most_specific_name_wins() -> None:
    names = ["Charge", "charge:prod", "charge", INVOKE, "lambda:invoke"]
    clock = VirtualClock(NOON)
    call = task_call(INVOKE, {"FunctionName": "charge:prod"})
    while names:
        tasks = PythonTasks({name: lambda _event, name=name, **_: name for name in names}, clock)
        result = perform(tasks, call, clock)
        assert isinstance(result, Succeeded)
        assert isinstance(result.output, dict)
        assert result.output["Payload"] == names.pop(0)


def test_a_direct_function_receives_its_arguments_and_gives_its_value() -> None:
    assert run(lambda event, context: {"got": event}, task_call(arguments=[1, "two"])) == Succeeded({"got": [1, "two"]})


def test_invoke_receives_the_payload_and_gives_what_step_functions_makes_of_it() -> None:
    result = run(lambda event: {"sum": event["a"]}, task_call(INVOKE, {"FunctionName": "f", "Payload": {"a": 1}}))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert list(result.output) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    assert result.output["ExecutedVersion"] == "$LATEST"
    assert result.output["Payload"] == {"sum": 1}
    assert result.output["StatusCode"] == 200
    assert result.output["SdkHttpMetadata"]["HttpHeaders"] == {  # type: ignore[index,call-overload]
        "Connection": "keep-alive",
        "Content-Length": "9",
        "Content-Type": "application/json",
        "Date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "X-Amz-Executed-Version": "$LATEST",
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": task_call().idempotency_key,
    }


@pytest.mark.parametrize(
    ("payload", "event"),
    [(None, {}), ("0.0", 0.0), ('"text"', "text"), ("no json", "no json"), ({"a": None}, {"a": None}), ([], [])],
)
def test_a_null_payload_is_an_empty_object_and_a_string_of_json_is_its_value(
    payload: JsonValue, event: JsonValue
) -> None:
    result = run(repr, task_call(INVOKE, {"FunctionName": "f", "Payload": payload}))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert result.output["Payload"] == repr(event)


def test_invoke_without_a_payload_sends_an_empty_object() -> None:
    result = run(lambda event: [event], task_call(INVOKE, {"FunctionName": "f"}))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert result.output["Payload"] == [{}]


def test_invoke_without_a_function_name_fails_in_the_words_of_aws() -> None:
    assert run(lambda event: event, task_call(INVOKE, {"Payload": 1})) == Failed(
        "States.Runtime",
        """The Parameters '{"Payload":1}' could not be used to start the Task: """
        """[The field "FunctionName" is required but was missing]""",
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"FunctionName": "f", "Paylod": 1}, 'The field "Paylod" is not supported by Step Functions'),
        ({"FunctionName": 7}, 'The value for the field "FunctionName" must be a STRING'),
        (["f"], "expected an object, found array"),
    ],
)
def test_invoke_with_wrong_parameters_fails_naming_them(arguments: JsonValue, problem: str) -> None:
    result = run(lambda event: event, task_call(INVOKE, arguments))
    assert isinstance(result, Failed)
    assert (result.error, f"[{problem}]" in result.cause) == ("States.Runtime", True)


def test_an_asynchronous_invocation_answers_202_with_an_empty_payload() -> None:
    result = run(lambda event: 1, task_call(INVOKE, {"FunctionName": "f", "InvocationType": "Event"}))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert (result.output["StatusCode"], result.output["Payload"]) == (202, "")


def test_a_dry_run_does_not_call_the_function() -> None:
    called: list[JsonValue] = []
    result = run(called.append, task_call(INVOKE, {"FunctionName": "f", "InvocationType": "DryRun"}))
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    assert (result.output["StatusCode"], called) == (204, [])


def test_a_function_may_take_the_event_alone_or_the_context_too() -> None:
    class Handler:
        def __call__(self, event: JsonValue, context: TaskContext) -> str:
            return context.state_name

    def with_default(event: JsonValue, limit: int = 5) -> int:
        return limit

    def with_context(event: JsonValue, context: TaskContext | None = None) -> bool:
        return context is not None

    assert run(lambda event: event, task_call(arguments=1)) == Succeeded(1)
    assert run(lambda *all_of_them: len(all_of_them), task_call()) == Succeeded(2)
    assert run(Handler(), task_call()) == Succeeded("Charge")
    assert run(with_default, task_call()) == Succeeded(5)
    assert run(with_context, task_call()) == Succeeded(True)
    assert run(len, task_call(arguments="four")) == Succeeded(4)
    assert run(dict, task_call(arguments={"a": 1})) == Succeeded({"a": 1})  # dict keeps its signature to itself


@pytest.mark.parametrize("function", [lambda: 1, lambda a, b, c: 1, lambda event, *, must: 1, 7])
def test_a_function_that_cannot_take_an_event_is_refused_at_once(function: Any) -> None:
    with pytest.raises(TypeError, match='the task "Charge" '):
        PythonTasks({"Charge": function}, VirtualClock(NOON))


def test_coroutine_functions_run_on_the_loop_and_others_in_threads() -> None:
    async def on_the_loop(event: JsonValue) -> bool:
        await asyncio.sleep(0)
        return threading.current_thread() is threading.main_thread()

    assert run(on_the_loop, task_call()) == Succeeded(True)

    def gives_a_coroutine(event: JsonValue) -> Any:
        return on_the_loop(event)

    assert run(gives_a_coroutine, task_call()) == Succeeded(True)
    assert run(lambda event: threading.current_thread() is threading.main_thread(), task_call()) == Succeeded(False)


def test_blocking_tasks_run_at_the_same_time() -> None:
    """Each waits for all the others, so one after the other would never end."""
    barrier = threading.Barrier(20, timeout=30)
    clock = VirtualClock(NOON)
    tasks = PythonTasks({"Charge": lambda event: barrier.wait() >= 0}, clock)

    async def all_at_once() -> list[TaskResult]:
        return await asyncio.gather(*(performed(tasks, task_call(wait_id=n), clock) for n in range(20)))

    assert asyncio.run(all_at_once()) == [Succeeded(True)] * 20


def test_idle_threads_are_used_again() -> None:
    clock = VirtualClock(NOON)
    tasks = PythonTasks({"Charge": lambda event: threading.get_ident()}, clock)

    async def one_by_one() -> set[JsonValue]:
        results = [await performed(tasks, task_call(wait_id=n), clock) for n in range(50)]
        return {result.output for result in results if isinstance(result, Succeeded)}

    assert len(asyncio.run(one_by_one())) == 1


def test_after_closing_tasks_run_in_new_threads() -> None:
    clock = VirtualClock(NOON)
    tasks = PythonTasks({"Charge": lambda event: event}, clock)
    for number in range(3):
        assert perform(tasks, task_call(arguments=number), clock) == Succeeded(number)
        asyncio.run(tasks.close())


def test_a_hung_task_does_not_keep_the_process_alive() -> None:
    """The task blocks for ever, and the interpreter still exits."""
    script = """
import asyncio, threading
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import RealClock
from tests.runtime.task_functions import failed, run
from tests.runtime.task_calls import task_call
started = threading.Event()
def hang(event):
    started.set()
    threading.Event().wait()
async def main():
    work = asyncio.create_task(PythonTasks({"Charge": hang}, RealClock()).perform(task_call()))
    await asyncio.to_thread(started.wait)
    work.cancel()
asyncio.run(main())
print("over")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("over\n", "", 0)


def test_a_task_cannot_change_the_value_it_was_given() -> None:
    arguments: JsonValue = {"items": [1]}

    def spoil(event: Any) -> None:
        event["items"].append(2)

    assert run(spoil, task_call(arguments=arguments)) == Succeeded(None)
    assert arguments == {"items": [1]}


def test_a_task_cannot_change_its_result_afterwards() -> None:
    kept: dict[str, int] = {"a": 1}
    result = run(lambda event: kept, task_call())
    kept["a"] = 2
    assert result == Succeeded({"a": 1})


def test_an_exception_is_the_error_and_its_cause_has_the_shape_of_lambda() -> None:
    class CardError(Exception):
        pass

    def charge(event: JsonValue) -> None:
        raise CardError("no money")

    error, cause = failed(charge)
    assert error == "CardError"
    assert list(cause) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (cause["errorMessage"], cause["errorType"]) == ("no money", "CardError")
    assert cause["requestId"] == task_call().idempotency_key
    assert len(cause["stackTrace"]) == 1
    assert "in charge\n    raise CardError" in cause["stackTrace"][0]


def test_an_exception_in_a_coroutine_function_fails_the_task_likewise() -> None:
    async def charge(event: JsonValue) -> None:
        raise KeyError("amount")

    error, cause = failed(charge)
    assert (error, cause["errorMessage"]) == ("KeyError", "'amount'")
    assert "in charge\n" in cause["stackTrace"][0]


def test_a_task_error_carries_any_name_and_cause() -> None:
    def refuse(event: JsonValue) -> None:
        raise TaskError("Payment.Declined", "no money")

    assert run(refuse, task_call()) == Failed("Payment.Declined", "no money")


def test_an_exception_class_may_name_its_error() -> None:
    class DeclinedError(Exception):
        error_name = "Payment.Declined"

    def refuse(event: JsonValue) -> None:
        raise DeclinedError("no money")

    error, cause = failed(refuse)
    assert (error, cause["errorType"], cause["errorMessage"]) == ("Payment.Declined", "Payment.Declined", "no money")


@pytest.mark.parametrize(
    ("raised", "error", "message"),
    [
        (SystemExit(3), "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        (SystemExit(), "Runtime.ExitError", "Runtime exited without providing a reason"),
        (KeyboardInterrupt(), "KeyboardInterrupt", ""),
        (GeneratorExit(), "GeneratorExit", ""),
        (asyncio.CancelledError(), "CancelledError", ""),
    ],
)
def test_no_exception_of_a_task_reaches_the_engine(raised: BaseException, error: str, message: str) -> None:
    def blocking(event: JsonValue) -> None:
        raise raised

    async def on_the_loop(event: JsonValue) -> None:
        raise raised

    for function in (blocking, on_the_loop):
        got, cause = failed(function)
        assert got == error
        assert message in cause["errorMessage"]


def test_an_exhausted_iterator_in_a_thread_fails_the_task() -> None:
    """A future cannot carry StopIteration, so it must not get that far."""
    assert failed(lambda event: next(iter(())))[0] == "StopIteration"


def test_an_exception_that_cannot_be_printed_still_has_a_message() -> None:
    class SullenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def raise_it(event: JsonValue) -> None:
        raise SullenError

    assert failed(raise_it)[1]["errorMessage"] == "unprintable SullenError"


def test_endless_recursion_keeps_only_the_innermost_frames() -> None:
    def there(event: JsonValue) -> JsonValue:
        return back(event)

    def back(event: JsonValue) -> JsonValue:
        return there(event)

    error, cause = failed(there)
    assert error == "RecursionError"
    assert len(cause["stackTrace"]) == 50


def test_cancelling_ends_the_wait_for_a_coroutine_function() -> None:
    cleaned: list[str] = []

    async def forever(event: JsonValue) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned.append("up")

    async def main() -> None:
        work = asyncio.create_task(PythonTasks({"Charge": forever}, VirtualClock(NOON)).perform(task_call()))
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(main())
    assert cleaned == ["up"]
