"""StepFunctions: the API as an object. A request goes in by the operation's name, and the answer or an error comes out.

It knows no transport: the local server and a Lambda function both put theirs in front of it. Requests and answers are
dicts with the members of the wire, timestamps in seconds since the epoch. Errors are RequestError, named as the API
names them; a StoreError is a fault of ours.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from asl_engine.api.pages import PageTokens
from asl_engine.api.request_model import check_request
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.activities import ActivityOffers
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.execution_host import ExecutionHost
from asl_engine.runtime.express import ExpressExecutions
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.resources import ResourceStore

# A request that `check_request` has let pass: its members have the types that the API's model says.
Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html
ACTIVITY_POLL_SECONDS: Final = 60.0


@dataclass(kw_only=True)
class StepFunctions:
    """Everything that the operations need. Belongs to one event loop."""

    executions: ExecutionStore
    resources: ResourceStore
    host: ExecutionHost
    express: ExpressExecutions
    desk: ActivityOffers
    performer: TaskPerformer
    clock: Clock
    region: str
    account: str
    tokens: PageTokens
    test_cases: MockedTestCases | None = None
    activity_poll_seconds: float = ACTIVITY_POLL_SECONDS
    _starting: weakref.WeakValueDictionary[str, asyncio.Lock] = field(default_factory=weakref.WeakValueDictionary)
    _answering: weakref.WeakValueDictionary[str, asyncio.Lock] = field(default_factory=weakref.WeakValueDictionary)

    async def call(self, operation: str, request: object) -> Answer:
        """The answer of an operation. Raises RequestError or StoreError."""
        from asl_engine.api.operations import OPERATIONS, not_implemented

        checked = check_request(operation, request)
        return await OPERATIONS.get(operation, not_implemented(operation))(self, checked)

    def arn(self, kind: str, name: str) -> str:
        """The ARN that a thing of this name has here."""
        return f"arn:aws:states:{self.region}:{self.account}:{kind}:{name}"

    def seconds(self) -> float:
        """The moment, as the API tells time."""
        return self.clock.now() / 1000

    async def execution(self, execution_arn: str) -> Execution:
        """An execution as of its newest record. Raises ExecutionDoesNotExist."""
        return await self.host.execution(execution_arn)

    async def deliver(self, execution_arn: str, event: Event) -> bool:
        """Apply an event from outside; it is durable when this returns. Raises ExecutionDoesNotExist.

        False: it came too late.
        """
        return await self.host.deliver(execution_arn, event)

    def starting(self, execution_arn: str) -> asyncio.Lock:
        """Held by whoever is about to start an execution of this ARN."""
        return self._starting.setdefault(execution_arn, asyncio.Lock())

    def answering(self, task_token: str) -> asyncio.Lock:
        """Held by whoever is about to answer this token: of two answers the second finds the first applied."""
        return self._answering.setdefault(task_token, asyncio.Lock())
