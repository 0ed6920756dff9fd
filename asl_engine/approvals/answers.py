"""The port through which a decision reaches its task, and how a decision reads as the task's output."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, Protocol

from asl_engine.approvals.approval import Approval, Vote
from asl_engine.approvals.payload import approval_scope
from asl_engine.approvals.request import REJECTED
from asl_engine.errors import InvalidToken
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.interpreter.task_token import read
from asl_engine.json_value import JsonObject, dump_json

_CAUSE_LENGTH_MAX: Final = (
    32_768  # https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
)
UNDECIDED_ERROR: Final = "ApprovalUndecided"
# How long a page waits to be told whether anybody waits for its answer.
_LOOK_SECONDS: Final = 3.0
_log: Final = logging.getLogger(__name__)


class TaskIsOver(Exception):
    """The token is of no use any more: it was answered, timed out, or its execution has ended."""


class TaskAnswers(Protocol):
    """Answers task tokens. The first two raise TaskIsOver; any other error means: try again."""

    async def send_task_success(self, task_token: str, output: str) -> None:
        """End the task well."""

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        """Fail the task."""

    async def is_waited_for(self, approval: Approval) -> bool:
        """False if it is known that its task is over; of a shared one, that its execution is: a round may follow."""


class StepFunctionsAnswers:
    """Answers through the Step Functions API: AWS's, or the engine's at `endpoint_url`.

    The client is made at once: on Lambda that belongs to the cold start, not to the first answer: Slack waits for it.
    """

    _OVER: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})

    def __init__(self, *, endpoint_url: str | None = None, region: str | None = None) -> None:
        from asl_engine.approvals.aws_clients import aws_client

        # A second attempt of the SDK's own would find the task over that the first had answered.
        self._client: Any = aws_client("stepfunctions", endpoint_url=endpoint_url, region=region, attempts=1)

    async def send_task_success(self, task_token: str, output: str) -> None:
        """See TaskAnswers."""
        await asyncio.to_thread(self._call, "send_task_success", taskToken=task_token, output=output)

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        """See TaskAnswers."""
        await asyncio.to_thread(self._call, "send_task_failure", taskToken=task_token, error=error, cause=cause)

    async def is_waited_for(self, approval: Approval) -> bool:
        """Whether its execution runs: of a token the API tells only by taking an answer, which a visit must not give.

        Where that cannot be seen, whoever answers is told.
        """
        execution_arn = _execution_of(approval.task_token) or approval_scope(approval.payload)
        if not execution_arn:
            return True
        look = asyncio.to_thread(self._client.describe_execution, executionArn=execution_arn)
        try:
            described = await asyncio.wait_for(look, _LOOK_SECONDS)
        except Exception as error:  # whatever it is, the form can be shown
            _log.warning("whether the execution of approval %s runs cannot be seen: %r", approval.id, error)
            return True
        return bool(described["status"] == "RUNNING")

    def _call(self, operation: str, **members: str) -> None:
        from botocore.exceptions import ClientError

        try:
            getattr(self._client, operation)(**members)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in self._OVER:
                raise TaskIsOver(str(error)) from error
            raise


def _execution_of(task_token: str) -> str:
    """The execution that a token of this engine names; those of Step Functions can be read by nobody else."""
    try:
        return read(task_token).execution_arn
    except InvalidToken:
        return ""


async def send_decision(answers: TaskAnswers, approval: Approval) -> None:
    """Answer the task with what was decided, or with the news that somebody else is to be asked. Raises TaskIsOver."""
    output = dump_json(decision_output(approval))
    if approval.choice is None:
        await answers.send_task_success(approval.task_token, output)
        return
    outcome = approval.outcome
    if outcome is not None and outcome.error is None:
        await answers.send_task_success(approval.task_token, output)
        return
    error = outcome.error if outcome is not None else UNDECIDED_ERROR
    await answers.send_task_failure(approval.task_token, error or REJECTED, output[:_CAUSE_LENGTH_MAX])


def decision_output(approval: Approval) -> JsonObject:
    """The task's output; where the choice has an error, the JSON text of this is the cause."""
    if approval.choice is None:
        return {"status": "DELEGATED" if approval.delegated else approval.status.value, "votes": _votes(approval)}
    deciding = [vote for vote in approval.votes if vote.choice == approval.choice]
    form: JsonObject = {}
    for vote in deciding:
        form |= vote.form
    return {
        "status": "DECIDED",
        "choice": approval.choice,
        "decidedBy": [vote.by for vote in deciding],
        "decidedAt": format_timestamp(approval.decided_at or 0),
        "form": form,
        "votes": _votes(approval),
    }


def _votes(approval: Approval) -> list[Any]:
    return [_shown(vote) for vote in approval.votes]


def _shown(vote: Vote) -> JsonObject:
    return {
        "by": vote.by,
        "choice": vote.choice,
        "at": format_timestamp(vote.at),
        "via": vote.via,
        "form": vote.form,
    }
