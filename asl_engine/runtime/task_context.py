"""The `context` that a task's code receives: what AWS Lambda's context has, and what this engine adds."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Final

from asl_engine.errors import InvalidOutput, InvalidToken, TaskTimedOut
from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.marshalling import MarshalError, marshal
from asl_engine.runtime.tasks import Failed, Succeeded, TaskCall, bare_function_name

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LAMBDA_TIMEOUT_MILLISECONDS: Final = 900_000


@dataclass(frozen=True, slots=True)
class Callback:
    """The answer that a task gave to its own task token, to be delivered `after_milliseconds`."""

    result: Succeeded | Failed
    after_milliseconds: int


class TaskContext:
    """One attempt, as its code sees it. Every method may be called from any thread."""

    def __init__(self, call: TaskCall, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._call, self._clock, self._loop = call, clock, loop
        self._lock = threading.Lock()
        self._closed = False
        self._callback: Callback | None = None
        self._deadline = call.attempt.timeout_at or clock.now() + _LAMBDA_TIMEOUT_MILLISECONDS
        self.function_name = bare_function_name(call.function_name) or call.attempt.state_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = call.function_name or call.resource.arn
        self.memory_limit_in_mb = "128"
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = call.execution_name
        self.aws_request_id = self.idempotency_key = call.idempotency_key
        self.execution_arn = call.execution_arn
        self.execution_name = call.execution_name
        self.state_machine_name = call.state_machine_name
        self.state_name = call.attempt.state_name
        self.retry_count = call.attempt.retry_count
        self.task_token = call.attempt.task_token

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the task times out; Lambda's 15 minutes where the state sets no timeout."""
        return max(0, self._deadline - self._clock.now())

    def heartbeat(self) -> None:
        """Tell the execution that this attempt is alive, so that HeartbeatSeconds counts anew."""
        self._loop.call_soon_threadsafe(self._call.heartbeat)

    def send_task_success(self, output: object, after_seconds: float = 0) -> None:
        """Answer this attempt's own task token `after_seconds` from the task's return.

        Raises InvalidOutput, InvalidToken (the state does not wait for a token) or TaskTimedOut (already answered).
        """
        try:
            value = marshal(output)
        except MarshalError as error:
            raise InvalidOutput(f"the output given to send_task_success is no JSON: {error}") from error
        self._answer(Succeeded(value), after_seconds)

    def send_task_failure(self, error: str, cause: str = "", after_seconds: float = 0) -> None:
        """Fail this attempt through its own task token. Raises as `send_task_success` does."""
        self._answer(Failed(error, cause), after_seconds)

    def close(self) -> Callback | None:
        """End the time in which the token can be answered from here, and take the answer."""
        with self._lock:
            self._closed = True
            return self._callback

    def _answer(self, result: Succeeded | Failed, after_seconds: float) -> None:
        if self._call.resource.pattern is not IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            raise InvalidToken(
                f'state "{self.state_name}" waits for no task token: its Resource is {self._call.resource.arn}; '
                "return the output instead, or append .waitForTaskToken to the Resource"
            )
        with self._lock:
            if self._closed or self._callback is not None:
                raise TaskTimedOut(
                    f'the task token of state "{self.state_name}" was answered or its task has returned: '
                    "answer it once, and later ones with SendTaskSuccess or SendTaskFailure"
                )
            self._callback = Callback(result, round(after_seconds * 1000))
