"""Runner: load, advance, append, and only then say what to dispatch.

It holds one execution in memory between events. Nothing it returns has not been made durable first. If another runner
was faster (Conflict), it loads what that one wrote and applies the same events again: an event that was consumed
meanwhile finds its wait over and is ignored.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from asl_engine.errors import Conflict
from asl_engine.interpreter.advance import advance, start
from asl_engine.interpreter.commands import Command, ScheduleTask
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.open_work import open_commands
from asl_engine.interpreter.options import Options
from asl_engine.interpreter.outcome import Outcome
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.advancing import Advancing
from asl_engine.store.journal import record_of
from asl_engine.store.protocol import ExecutionStore

_CONFLICTS_MAX = 20
_ACTIVITY = ":activity:"

Observer = Callable[[Outcome], None]


def unobserved(_outcome: Outcome) -> None:
    """Nobody watches."""


class Runner:
    """One execution, advanced by whoever calls. `observer` sees each outcome once it is durable.

    With `advancing`, expressions that take long do not keep the event loop. With `activity_exists`, the task of an
    activity that is not there fails before it is scheduled, as on AWS.
    """

    def __init__(
        self,
        machine: StateMachine,
        store: ExecutionStore,
        options: Options,
        observer: Observer = unobserved,
        advancing: Advancing | None = None,
        *,
        activity_exists: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self.machine, self._store, self._options, self._observer = machine, store, options, observer
        self._advancing, self._activity_exists = advancing, activity_exists
        self._execution: Execution | None = None

    @property
    def execution(self) -> Execution:
        """The execution as of its newest record."""
        assert self._execution is not None, "begin or take_up comes first"
        return self._execution

    @property
    def is_over(self) -> bool:
        """Whether the execution has ended."""
        return self.execution.status is not ExecutionStatus.RUNNING

    async def begin(self, execution: Execution) -> tuple[Command, ...]:
        """Start a new execution. Raises Conflict when one with this ARN exists."""
        limited = replace(execution, aws_limits=self._options.aws_limits)
        begin = functools.partial(start, self.machine, limited)
        return await self._append(await self._outcome(begin), ())

    async def take_up(self, execution_arn: str) -> tuple[Command, ...]:
        """Load an execution and return all its open work."""
        self._execution = await self._store.load(execution_arn, self._execution)
        self._options = self._options.pinned(self._execution)
        return open_commands(self._execution)

    async def handle(self, events: Sequence[Event], now: int, consumed: Sequence[int] = ()) -> tuple[Command, ...]:
        """Apply events; `consumed` are the inbox messages that brought them. Returns the commands to dispatch."""
        for _ in range(_CONFLICTS_MAX):
            go_on = functools.partial(advance, self.machine, self.execution, events, now)
            outcome = await self._outcome(go_on)
            try:
                return await self._append(outcome, consumed)
            except Conflict:
                await self.take_up(self.execution.arn)
                if self.is_over:
                    return ()
        raise Conflict(f"lost {_CONFLICTS_MAX} races for execution {self.execution.arn}: who else is advancing it?")

    async def _outcome(self, compute: Callable[[Options], Outcome]) -> Outcome:
        """The outcome; it is computed again when it schedules a task of an activity that is not there."""
        outcome = await self._computed(functools.partial(compute, self._options))
        missing = frozenset() if self._activity_exists is None else await self._missing(outcome, self._activity_exists)
        if not missing:
            return outcome
        return await self._computed(functools.partial(compute, replace(self._options, missing_activities=missing)))

    async def _computed(self, compute: Callable[[], Outcome]) -> Outcome:
        return compute() if self._advancing is None else await self._advancing.outcome(self.machine, compute)

    async def _missing(self, outcome: Outcome, exists: Callable[[str], Awaitable[bool]]) -> frozenset[str]:
        scheduled = {each.attempt.resource for each in outcome.commands if isinstance(each, ScheduleTask)}
        return frozenset([arn for arn in scheduled if _ACTIVITY in arn and not await exists(arn)])

    async def _append(self, outcome: Outcome, consumed: Sequence[int]) -> tuple[Command, ...]:
        keyframe = self._store.keyframe_due(outcome.execution.arn)
        await self._store.append(record_of(outcome, keyframe=keyframe, consumed=consumed))
        self._execution = outcome.execution
        self._observer(outcome)
        return outcome.commands
