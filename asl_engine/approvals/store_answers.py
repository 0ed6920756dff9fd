"""Answers tasks whose executions are in a store that this process has open, whoever runs them."""

from __future__ import annotations

from collections.abc import Callable

from asl_engine.api.delivery import Delivery
from asl_engine.api.tasks import open_attempt, send_task_failure, send_task_success
from asl_engine.approvals.answers import TaskIsOver
from asl_engine.approvals.approval import Approval
from asl_engine.approvals.payload import approval_scope
from asl_engine.errors import ExecutionDoesNotExist, InvalidToken, TaskDoesNotExist, TaskTimedOut
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.store.protocol import ExecutionStore


class StoreAnswers:
    """TaskAnswers by way of the execution's inbox. `now` gives epoch milliseconds.

    `are_taken` says of the last answer whether a live process goes on with it.
    """

    def __init__(self, store: ExecutionStore, now: Callable[[], int]) -> None:
        self._store, self._now = store, now
        self.are_taken = False

    async def send_task_success(self, task_token: str, output: str) -> None:
        """See TaskAnswers."""
        try:
            delivery = await send_task_success(self._store, task_token, output, now=self._now())
        except (TaskTimedOut, TaskDoesNotExist, InvalidToken) as error:
            raise TaskIsOver(str(error)) from error
        self.are_taken = delivery is Delivery.HANDED_OVER

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        """See TaskAnswers."""
        try:
            delivery = await send_task_failure(self._store, task_token, now=self._now(), error=error, cause=cause)
        except (TaskTimedOut, TaskDoesNotExist, InvalidToken) as refusal:
            raise TaskIsOver(str(refusal)) from refusal
        self.are_taken = delivery is Delivery.HANDED_OVER

    async def is_waited_for(self, approval: Approval) -> bool:
        """See TaskAnswers."""
        return await is_waited_for(self._store, approval)


async def is_waited_for(store: ExecutionStore, approval: Approval) -> bool:
    """Whether its task is open, or, of a shared one, whether its execution runs. Of what is not here: yes."""
    try:
        if approval.is_shared:
            return (await store.load(approval_scope(approval.payload))).status is ExecutionStatus.RUNNING
        await open_attempt(store, approval.task_token)
    except TaskTimedOut:
        return False
    except (ExecutionDoesNotExist, TaskDoesNotExist, InvalidToken):
        return True
    return True
