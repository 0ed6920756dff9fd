"""Express executions: run at once in memory, answered when they end, and gone with this process.

As on AWS they are not durable, have no history that could be asked for, and end after five minutes.
"""

from __future__ import annotations

import asyncio

from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.options import Options
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.advancing import Advancing
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.runner import Observer
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.memory import MemoryStore


class ExpressExecutions:
    """Starts Express executions, each on a store of its own that is forgotten with it."""

    def __init__(
        self,
        performer: TaskPerformer,
        clock: Clock,
        options: Options,
        *,
        observer: Observer | None = None,
        advancing: Advancing | None = None,
    ) -> None:
        self._performer, self._clock, self._options = performer, clock, options
        self._observer, self._advancing = observer, advancing
        self._live: set[LiveExecution] = set()

    async def start(self, machine: StateMachine, request: StartRequest) -> LiveExecution:
        """Begin an execution."""
        host = InProcessHost(
            MemoryStore(),
            self._performer,
            self._clock,
            options=self._options,
            observer=self._observer,
            advancing=self._advancing,
        )
        live = await host.start(machine, request)
        self._live.add(live)
        live.ended.add_done_callback(lambda _ended: self._live.discard(live))
        return live

    async def run(self, machine: StateMachine, request: StartRequest) -> Execution:
        """Begin an execution and return it as it ended."""
        live = await self.start(machine, request)
        await live.ended
        return live.execution

    async def until_idle(self) -> None:
        """Wait until none runs: the process may stand still afterwards."""
        await asyncio.gather(*(live.ended for live in tuple(self._live)), return_exceptions=True)

    async def close(self) -> None:
        """Let go of what still runs. The performer is the durable host's to close."""
        await asyncio.gather(*(live.close() for live in tuple(self._live)))
