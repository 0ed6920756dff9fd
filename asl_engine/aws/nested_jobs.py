"""`states:startExecution.sync` on a host that does not stay: the child is a job, and its end an event for its parent.

The link from the child to its parent's attempt is kept before the child starts, so whoever ends the child finds it. A
crash between the end and the telling loses nothing: the parent looks at its jobs now and then.
"""

from __future__ import annotations

from typing import Final

from asl_engine.api.nested_executions import (
    begun_before,
    child_arn,
    failure_of,
    result_of,
    start_child,
    with_metadata,
)
from asl_engine.api.service import Answer, StepFunctions
from asl_engine.aws.sqs_queue import MessageTooLarge
from asl_engine.errors import ExecutionAlreadyExists, ExecutionDoesNotExist, RequestError
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.jobs import Completion, JobLink, JobLinks
from asl_engine.runtime.queued.ports import Message, MessageQueue
from asl_engine.runtime.queued.wiring import new_owner
from asl_engine.runtime.tasks import Submitted, TaskCall, TaskResult
from asl_engine.store.protocol import ExecutionStore

_PATTERNS: Final = frozenset({IntegrationPattern.SYNC, IntegrationPattern.SYNC_2})


class NestedJobs:
    """A `JobPerformer` for child executions that a Task waits for, on the service that it is attached to."""

    def __init__(self, links: JobLinks) -> None:
        self._links = links
        self._service: StepFunctions | None = None

    def attach(self, service: StepFunctions) -> None:
        """The service that starts the children."""
        self._service = service

    def handles(self, call: TaskCall) -> bool:
        """See JobPerformer."""
        resource = call.resource
        return (resource.service, resource.action) == ("states", "startExecution") and resource.pattern in _PATTERNS

    async def submit(self, call: TaskCall) -> TaskResult:
        """See JobPerformer."""
        try:
            answer = await self._start(call)
        except RequestError as error:
            return failure_of(call, error)
        return await self.look(call) or Submitted(with_metadata(answer))

    async def look(self, call: TaskCall) -> TaskResult | None:
        """See JobPerformer."""
        try:
            child = await self._attached.execution(child_arn(call))
        except ExecutionDoesNotExist:
            return None
        return None if child.status is ExecutionStatus.RUNNING else result_of(child, call.resource.pattern)

    async def stop(self, call: TaskCall) -> str | None:
        """See JobPerformer."""
        try:
            arn = child_arn(call)
            if await self._links.link_of(arn) == JobLink.of(call):  # else somebody else's bears the name
                await self._attached.deliver(arn, StopRequested())
        except RequestError:  # it never began
            return None
        return None

    async def close(self) -> None:
        """Nothing is held."""

    @property
    def _attached(self) -> StepFunctions:
        assert self._service is not None, "attach comes first"
        return self._service

    async def _start(self, call: TaskCall) -> Answer:
        """A child that is there is this attempt's own only if it was linked to it while it was not there yet."""
        arn, link = child_arn(call), JobLink.of(call)
        is_linked = was_begun = await self._links.link_of(arn) == link
        if not was_begun and not await self._exists(arn):
            await self._links.put(arn, link)
            is_linked = True
        try:
            answer = await start_child(self._attached, call)
        except ExecutionAlreadyExists:
            if not was_begun:
                raise
            answer = await begun_before(self._attached, call)
        if not is_linked:  # one that ran already, with the same input, is waited for as well
            await self._links.put(arn, link)
        return answer

    async def _exists(self, execution_arn: str) -> bool:
        try:
            await self._attached.execution(execution_arn)
        except ExecutionDoesNotExist:
            return False
        return True


class Parents:
    """Tells the parent of an execution that ended, if there is one and it still waits."""

    def __init__(self, links: JobLinks, store: ExecutionStore, queue: MessageQueue) -> None:
        self._links, self._store, self._queue = links, store, queue

    async def tell(self, child: Execution) -> None:
        """Send the parent its Task's result. Raises StoreError or QueueUnavailable."""
        link = await self._links.link_of(child.arn)
        pattern = await self._awaited_as(link) if link is not None else None
        if link is None or pattern is None:
            return
        event = Completion(link=link, result=result_of(child, pattern)).event
        try:
            await self._queue.send(Message(execution_arn=link.execution_arn, owner=new_owner(), event=event))
        except MessageTooLarge:
            return  # the parent finds out when it looks

    async def _awaited_as(self, link: JobLink) -> IntegrationPattern | None:
        """The pattern of the Task that waits for the child."""
        try:
            parent = await self._store.load(link.execution_arn)
        except ExecutionDoesNotExist:
            return None
        frame = parent.frames.get(link.frame_id)
        wait = frame.wait if frame is not None else None
        if not isinstance(wait, TaskAttempt) or wait.wait_id != link.wait_id:
            return None
        return next((each for each in _PATTERNS if wait.resource.endswith(f"startExecution{each}")), None)
