"""SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat: answers from whoever holds a task token.

A token is believed once its signature fits the execution it names; it is of use only while its attempt is open and
nobody else's answer is on its way.
"""

from __future__ import annotations

from asl_engine.api.delivery import Delivery, deliver
from asl_engine.api.jackson import invalid_json_text
from asl_engine.errors import (
    ExecutionDoesNotExist,
    InvalidJson,
    InvalidOutput,
    TaskDoesNotExist,
    TaskTimedOut,
)
from asl_engine.interpreter.events import TaskFailed, TaskHeartbeat, TaskSucceeded
from asl_engine.interpreter.execution import Execution, TaskAttempt
from asl_engine.interpreter.task_token import TokenClaims, read, verify
from asl_engine.json_value import JsonValue, parse_json
from asl_engine.store.protocol import ExecutionStore


async def send_task_success(store: ExecutionStore, task_token: str, output: str, *, now: int) -> Delivery:
    """End the attempt well with a JSON text. Raises InvalidOutput, InvalidToken, TaskDoesNotExist or TaskTimedOut."""
    value = read_output(output)
    claims = await open_attempt(store, task_token)
    return await _answer(store, claims, TaskSucceeded(claims.frame_id, claims.wait_id, value), now)


async def send_task_failure(
    store: ExecutionStore, task_token: str, *, now: int, error: str | None = None, cause: str | None = None
) -> Delivery:
    """Fail the attempt. Raises InvalidToken, TaskDoesNotExist or TaskTimedOut."""
    claims = await open_attempt(store, task_token)
    return await _answer(store, claims, TaskFailed(claims.frame_id, claims.wait_id, error, cause), now)


async def send_task_heartbeat(store: ExecutionStore, task_token: str, *, now: int) -> Delivery:
    """Say that the attempt is alive. Raises InvalidToken, TaskDoesNotExist or TaskTimedOut."""
    claims = await open_attempt(store, task_token)
    return await deliver(store, claims.execution_arn, TaskHeartbeat(claims.frame_id, claims.wait_id), now)


async def _answer(store: ExecutionStore, claims: TokenClaims, event: TaskSucceeded | TaskFailed, now: int) -> Delivery:
    delivery = await deliver(store, claims.execution_arn, event, now)
    if delivery is Delivery.TOO_LATE:
        raise TaskTimedOut("Task Timed Out: the task is already over: another answer to it was first, or it has ended")
    return delivery


async def open_attempt(store: ExecutionStore, task_token: str) -> TokenClaims:
    """The attempt that a token names. Raises InvalidToken, TaskDoesNotExist or TaskTimedOut."""
    claims = read(task_token)
    try:
        execution = await store.load(claims.execution_arn)
    except ExecutionDoesNotExist as error:
        raise TaskDoesNotExist(
            f"Task Does Not Exist: its execution {claims.execution_arn} is not in this store"
        ) from error
    attempt = check_attempt(execution, claims, task_token)
    await _check_unanswered(store, claims, attempt.state_name)
    return claims


def read_output(text: str) -> JsonValue:
    """The value of a task's output. Raises InvalidOutput."""
    try:
        return parse_json(text)
    except InvalidJson as error:
        raise InvalidOutput(f"Invalid Output: '{invalid_json_text(text, error)}'") from error


def check_attempt(execution: Execution, claims: TokenClaims, task_token: str) -> TaskAttempt:
    """The open attempt of a token. Raises InvalidToken or TaskTimedOut."""
    verify(execution.seed, task_token)
    frame = execution.frames.get(claims.frame_id)
    attempt = frame.wait if frame is not None else None
    if not isinstance(attempt, TaskAttempt) or attempt.wait_id != claims.wait_id:
        raise TaskTimedOut(
            f"Task Timed Out: the task is already over: it was answered, timed out, or {execution.name} has ended"
        )
    return attempt


async def _check_unanswered(store: ExecutionStore, claims: TokenClaims, state_name: str) -> None:
    for message in await store.inbox(claims.execution_arn):
        match message.event:
            case TaskSucceeded(frame_id, wait_id) | TaskFailed(frame_id, wait_id) if (frame_id, wait_id) == (
                claims.frame_id,
                claims.wait_id,
            ):
                raise TaskTimedOut(
                    f'Task Timed Out: the task of state "{state_name}" is already over: an answer to it is on its way'
                )
