"""The host that the API asks, when executions are driven by messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.store.protocol import ExecutionStore

_LOOK_AGAIN_SECONDS: Final = 1.0


class QueuedExecutions:
    """An `ExecutionHost`: executions are advanced by whichever function gets their messages."""

    def __init__(
        self, host: QueuedHost, store: ExecutionStore, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._host, self._store, self._pause = host, store, pause

    async def begin(self, machine: StateMachine, request: StartRequest) -> Execution:
        """See ExecutionHost."""
        return await self._host.start(machine, request)

    async def execution(self, execution_arn: str) -> Execution:
        """See ExecutionHost."""
        return await self._store.load(execution_arn)

    async def deliver(self, execution_arn: str, event: Event) -> bool:
        """See ExecutionHost."""
        return (await self._host.deliver(execution_arn, event)).applied

    async def until_ended(self, execution_arn: str) -> Execution:
        """See ExecutionHost."""
        while (execution := await self._store.load(execution_arn)).status is ExecutionStatus.RUNNING:
            await self._pause(_LOOK_AGAIN_SECONDS)
        return execution

    async def close(self) -> None:
        """Nothing is held."""
