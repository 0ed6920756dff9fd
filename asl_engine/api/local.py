"""The API on the host of this process, which drives the executions that it starts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from asl_engine.api.delivery import Delivery, deliver
from asl_engine.api.service import StepFunctions
from asl_engine.errors import AslError
from asl_engine.interpreter.events import Event, StopRequested
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.activities import ActivityDesk
from asl_engine.runtime.in_process import InProcessHost, StartRequest

_LOOK_AGAIN_SECONDS: Final = 0.25


class LocalHost(InProcessHost):
    """An `ExecutionHost`: what is not live here may be run by another process on the same store."""

    async def begin(self, machine: StateMachine, request: StartRequest) -> Execution:
        """See ExecutionHost."""
        return (await self.start(machine, request)).execution

    async def execution(self, execution_arn: str) -> Execution:
        """See ExecutionHost."""
        live = self.live(execution_arn)
        return live.execution if live is not None else await self._store.load(execution_arn)

    async def deliver(self, execution_arn: str, event: Event) -> bool:
        """See ExecutionHost."""
        if self.live(execution_arn) is not None:
            await self.apply(execution_arn, event)
            return True
        delivery = await deliver(self._store, execution_arn, event, self._clock.now())
        if delivery is Delivery.APPLIED and self._tell_lost is not None and not isinstance(event, StopRequested):
            why = "no process ran it when its answer came; it is taken up within seconds"
            self._tell_lost(execution_arn, AslError(why))
        return delivery is not Delivery.TOO_LATE

    async def until_ended(self, execution_arn: str) -> Execution:
        """See ExecutionHost."""
        while (execution := await self.execution(execution_arn)).status is ExecutionStatus.RUNNING:
            live = self.live(execution_arn)
            if live is not None:
                await asyncio.wait({live.ended})
            else:  # another process runs it, or this one is about to take it up
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return execution


@dataclass(kw_only=True)
class LocalStepFunctions(StepFunctions):
    """The API, with the parts that only a process which drives executions itself has."""

    host: LocalHost
    desk: ActivityDesk
