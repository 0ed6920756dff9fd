"""Perform tasks with Python functions, which see what a Lambda function would see.

A function's own mistakes never leave `perform`: an exception becomes the task's error under its class name, with the
cause that Lambda writes; so does SystemExit, and a result that is no JSON. Functions that block run in daemon threads,
coroutine functions on the event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final, TypeAlias

from asl_engine.errors import TaskError
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.daemon_threads import DaemonThreads
from asl_engine.runtime.lambda_invocation import LambdaRequest, invoke_output, read_request
from asl_engine.runtime.marshalling import MarshalError, marshal
from asl_engine.runtime.task_context import TaskContext
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

TaskFunction: TypeAlias = Callable[..., Any]

# Enough for every branch of a wide Map to block at once; a bound, because a thread costs memory even when it hangs.
THREADS_MAX: Final = 256
_STACK_FRAMES_MAX: Final = 50
_CONTEXT_NAMES: Final = frozenset({"context", "_context", "ctx", "_ctx", "_"})


@dataclass(frozen=True, slots=True)
class _Task:
    """A function with what its signature told once and for all."""

    function: TaskFunction
    takes_context: bool
    is_async: bool

    def __call__(self, event: JsonValue, context: TaskContext) -> Any:
        return self.function(event, context) if self.takes_context else self.function(event)


class PythonTasks:
    """Performs a task with the first of `tasks` that is filed under one of the call's names (`TaskCall.names`).

    A function is `f(event, context)` or `f(event)`; see `TaskContext` for what `context` offers. With `lambda:invoke`
    the event is the Payload and the result is wrapped as Step Functions wraps it. For `.waitForTaskToken` the result is
    only the answer to the request, unless the function answers its own token through `context`.
    """

    def __init__(self, tasks: Mapping[str, TaskFunction], clock: Clock) -> None:
        """Raises TypeError for a function that takes neither (event, context) nor (event)."""
        self._tasks = {name: _inspect(name, function) for name, function in tasks.items()}
        self._clock = clock
        self._threads = DaemonThreads(THREADS_MAX)

    def handles(self, call: TaskCall) -> bool:
        """Whether a function is filed under one of the call's names."""
        return any(name in self._tasks for name in call.names())

    async def perform(self, call: TaskCall) -> TaskResult:
        """Call the function. See `TaskPerformer.perform`."""
        call.begun()
        task = next(self._tasks[name] for name in call.names() if name in self._tasks)
        request = read_request(call)
        if isinstance(request, Failed):
            return request
        context = TaskContext(call, self._clock, asyncio.get_running_loop())
        outcome = await self._run(task, request, context)
        callback = context.close()
        if isinstance(outcome, Failed):
            return outcome
        if callback is not None:
            await self._clock.sleep_until(self._clock.now() + callback.after_milliseconds)
            return callback.result
        output = self._wrapped(call, request, outcome)
        if call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            return Submitted(output)
        return Succeeded(output)

    async def close(self) -> None:
        """Let the threads go: idle ones end now, busy ones after their task. The next call starts new ones."""
        self._threads.close()
        self._threads = DaemonThreads(THREADS_MAX)

    async def _run(self, task: _Task, request: LambdaRequest, context: TaskContext) -> JsonValue | Failed:
        if request.invocation_type == "DryRun":
            return None
        event = marshal(request.event)  # a copy: the function may change what it receives
        if task.is_async:
            outcome = _invoke(task, event, context)
        else:
            outcome = await self._threads.run(lambda: _invoke(task, event, context))
        if inspect.isawaitable(outcome):
            return await _complete(outcome, context)
        return outcome

    def _wrapped(self, call: TaskCall, request: LambdaRequest, value: JsonValue) -> JsonValue:
        if not call.is_lambda_invoke:
            return value
        status_code = _STATUS_CODES.get(request.invocation_type, 200)
        payload = value if status_code == 200 else ""
        headers = {
            "Connection": "keep-alive",
            "Content-Length": str(
                len(dump_json(payload).encode("utf-8", "surrogatepass")) if status_code == 200 else 0
            ),
            "Content-Type": "application/json",
            "Date": formatdate(self._clock.now() / 1000, usegmt=True),
            "X-Amz-Executed-Version": "$LATEST",
            "x-amzn-Remapped-Content-Length": "0",
            "x-amzn-RequestId": call.idempotency_key,
        }
        return invoke_output(payload, status_code=status_code, headers=headers, request_id=call.idempotency_key)


def _inspect(name: str, function: TaskFunction) -> _Task:
    parameters = _parameters(name, function)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    catches_all = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    required = sum(p.default is p.empty for p in positional)
    keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if required > 2 or keywords or not (positional or catches_all):
        raise TypeError(f'the task "{name}" must be a function of (event, context) or (event)')
    second_is_context = len(positional) > 1 and (required == 2 or positional[1].name in _CONTEXT_NAMES)
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
    return _Task(function, second_is_context or (catches_all and len(positional) < 2), is_async)


def _parameters(name: str, function: TaskFunction) -> list[inspect.Parameter]:
    if not callable(function):
        raise TypeError(f'the task "{name}" is no function but {type(function).__name__}')
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:  # a builtin that keeps its signature to itself
        return [inspect.Parameter("event", inspect.Parameter.POSITIONAL_ONLY)]


def _invoke(task: _Task, event: JsonValue, context: TaskContext) -> JsonValue | Failed | Awaitable[Any]:
    """Call the function; what a coroutine function gives is awaited later, on the loop."""
    try:
        value = task(event, context)
        return value if inspect.isawaitable(value) else marshal(value)
    except BaseException as error:
        return _failure(error, context)


async def _complete(pending: Awaitable[Any], context: TaskContext) -> JsonValue | Failed:
    try:
        return marshal(await pending)
    except BaseException as error:
        current = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and current is not None and current.cancelling():
            raise
        return _failure(error, context)


def _failure(error: BaseException, context: TaskContext) -> Failed:
    match error:
        case TaskError():
            return Failed(error.error, error.cause)
        case MarshalError():
            return Failed("Runtime.MarshalError", _cause("Runtime.MarshalError", str(error), context))
        case SystemExit():
            reason = f"Runtime exited with error: exit status {error.code}" if error.code else _EXITED
            message = f"RequestId: {context.aws_request_id} Error: {reason}"
            return Failed("Runtime.ExitError", _cause("Runtime.ExitError", message, context))
    own_name = getattr(error, "error_name", None)
    name = own_name if isinstance(own_name, str) and own_name else type(error).__name__
    return Failed(name, _cause(name, _message(error), context, _stack(error)))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the task's own __str__ is its own mistake, too
        return f"unprintable {type(error).__name__}"


def _stack(error: BaseException) -> list[str]:
    """The frames of the task's own code, as Lambda writes them."""
    frames = traceback.extract_tb(error.__traceback__, limit=-_STACK_FRAMES_MAX)
    return traceback.format_list([frame for frame in frames if frame.filename != __file__])


def _cause(error_type: str, message: str, context: TaskContext, stack: list[str] | None = None) -> str:
    cause: dict[str, Any] = {"errorMessage": message, "errorType": error_type, "requestId": context.aws_request_id}
    return json.dumps(cause | {"stackTrace": stack or []}, ensure_ascii=False)


_EXITED: Final = "Runtime exited without providing a reason"
_STATUS_CODES: Final = {"Event": 202, "DryRun": 204}
