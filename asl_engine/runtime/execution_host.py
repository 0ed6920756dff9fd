"""The port through which executions are started and told of events, wherever they run."""

from __future__ import annotations

from typing import Protocol

from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.in_process import StartRequest


class ExecutionHost(Protocol):
    """Drives executions. Every method may raise StoreError or QueueUnavailable: then ask again to know."""

    async def begin(self, machine: StateMachine, request: StartRequest) -> Execution:
        """Start an execution; it is durable when this returns. Raises ExecutionAlreadyExists or ExecutionClaimed."""

    async def execution(self, execution_arn: str) -> Execution:
        """An execution as of its newest record. Raises ExecutionDoesNotExist."""

    async def deliver(self, execution_arn: str, event: Event) -> bool:
        """Bring an event from outside; it is durable when this returns. Raises ExecutionDoesNotExist.

        False: it came too late, what it answers was over.
        """

    async def until_ended(self, execution_arn: str) -> Execution:
        """Wait until the execution is over. Raises ExecutionDoesNotExist."""

    async def close(self) -> None:
        """Let go of everything; what is open goes on when it is taken up again."""
