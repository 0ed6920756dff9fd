"""A StepFunctions service in memory, under virtual time, whose tasks the test answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from asl_engine.api.actions.activities import lookup
from asl_engine.api.local import LocalHost, LocalStepFunctions
from asl_engine.api.nested_executions import NestedExecutions
from asl_engine.api.pages import PageTokens
from asl_engine.api.service import Answer
from asl_engine.interpreter.options import AWS_COMPATIBLE
from asl_engine.runtime.activities import ActivityDesk
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import Clock, VirtualClock
from asl_engine.runtime.express import ExpressExecutions
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.store.memory import MemoryStore
from asl_engine.store.opening import resources_beside
from asl_engine.store.protocol import ExecutionStore

NOON = 1_700_000_000_000
ROLE = "arn:aws:iam::123456789012:role/tests"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:orders"
Story: TypeAlias = Callable[["Caller"], Awaitable[None]]


class Caller:
    """Calls operations as a client does: by name, with members as keyword arguments."""

    def __init__(self, service: LocalStepFunctions) -> None:
        self.service = service

    async def __call__(self, operation: str, **members: Any) -> Answer:
        return await self.service.call(operation, members)

    async def create(self, definition: Mapping[str, Any] | str | None = None, **members: Any) -> str:
        """Create the state machine `orders`, unless the members say otherwise, and return its ARN."""
        text = definition if isinstance(definition, str) else json.dumps(definition or passing())
        answer = await self("CreateStateMachine", **{"name": "orders", "definition": text, "roleArn": ROLE, **members})
        return str(answer["stateMachineArn"])

    async def ended(self, execution_arn: str) -> Answer:
        """The description of an execution once it has ended."""
        live = self.service.host.live(execution_arn)
        if live is not None:
            await live.ended
        return await self("DescribeExecution", executionArn=execution_arn)


def service(
    store: ExecutionStore | None = None,
    clock: Clock | None = None,
    tasks: Mapping[str, Callable[..., Any]] | None = None,
    *,
    poll_seconds: float = 5.0,
    test_cases: MockedTestCases | None = None,
) -> LocalStepFunctions:
    """A service in eu-west-1."""
    store, clock = store or MemoryStore(), clock or VirtualClock(NOON)
    resources = resources_beside(store)
    desk = ActivityDesk(lookup(resources))
    nested = NestedExecutions()
    mocked = [] if test_cases is None else [test_cases]
    performer = PerformerChain([*mocked, PythonTasks(tasks or {}, clock), nested, desk])
    made = LocalStepFunctions(
        executions=store,
        resources=resources,
        host=LocalHost(store, performer, clock, options=AWS_COMPATIBLE, activity_exists=lookup(resources)),
        express=ExpressExecutions(performer, clock, AWS_COMPATIBLE),
        desk=desk,
        performer=performer,
        clock=clock,
        region="eu-west-1",
        account="123456789012",
        tokens=PageTokens(b"key"),
        test_cases=test_cases,
        activity_poll_seconds=poll_seconds,
    )
    nested.attach(made)
    return made


def story(told: Story) -> Callable[[], None]:
    """Make a test of a coroutine that is given a caller of a service in memory."""

    def test() -> None:
        tell(told)

    test.__doc__ = told.__doc__
    return test


def tell(told: Story, **options: Any) -> None:
    """Run a story on a service with these options."""

    async def run() -> None:
        caller = Caller(service(**options))
        try:
            await asyncio.wait_for(told(caller), 30)
        finally:
            await caller.service.express.close()
            await caller.service.host.close()
            await caller.service.executions.close()

    asyncio.run(run())


def passing(**fields: Any) -> dict[str, Any]:
    """A machine of one Pass state."""
    return {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}, **fields}


def asking(resource: str, **fields: Any) -> dict[str, Any]:
    """A machine of one Task state."""
    return {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": resource, "End": True, **fields}}}
