"""SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat."""

from __future__ import annotations

from typing import Final

from asl_engine.api.arns import check_execution_arn
from asl_engine.api.pages import INVALID
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.api.tasks import check_attempt, read_output
from asl_engine.errors import ExecutionDoesNotExist, InvalidArn, InvalidToken, TaskDoesNotExist, TaskTimedOut
from asl_engine.interpreter.events import Event, TaskFailed, TaskHeartbeat, TaskSucceeded
from asl_engine.interpreter.task_token import TokenClaims, read

_TIMED_OUT: Final = "Task Timed Out: 'Provided task does not exist anymore'"


async def send_task_success(service: StepFunctions, request: Request) -> Answer:
    """SendTaskSuccess."""
    async with service.answering(request["taskToken"]):
        claims = await _open_attempt(service, request["taskToken"])
        value = read_output(request["output"])
        return await _answered(service, claims, TaskSucceeded(claims.frame_id, claims.wait_id, value))


async def send_task_failure(service: StepFunctions, request: Request) -> Answer:
    """SendTaskFailure."""
    async with service.answering(request["taskToken"]):
        claims = await _open_attempt(service, request["taskToken"])
        failed = TaskFailed(claims.frame_id, claims.wait_id, request.get("error"), request.get("cause"))
        return await _answered(service, claims, failed)


async def send_task_heartbeat(service: StepFunctions, request: Request) -> Answer:
    """SendTaskHeartbeat."""
    claims = await _open_attempt(service, request["taskToken"])
    return await _answered(service, claims, TaskHeartbeat(claims.frame_id, claims.wait_id))


async def _answered(service: StepFunctions, claims: TokenClaims, event: Event) -> Answer:
    if not await service.deliver(claims.execution_arn, event):
        raise TaskTimedOut(_TIMED_OUT)
    return {}


async def _open_attempt(service: StepFunctions, task_token: str) -> TokenClaims:
    """What a token says that is believed. The errors are told in AWS's words."""
    try:
        claims = read(task_token)
        check_execution_arn(claims.execution_arn)
        execution = await service.execution(claims.execution_arn)
        check_attempt(execution, claims, task_token)
    except (InvalidToken, InvalidArn) as error:
        raise InvalidToken(INVALID) from error
    except ExecutionDoesNotExist as error:
        raise TaskDoesNotExist("Task Does Not Exist: 'Provided task does not exist anymore'") from error
    except TaskTimedOut as error:
        raise TaskTimedOut(_TIMED_OUT) from error
    return claims
