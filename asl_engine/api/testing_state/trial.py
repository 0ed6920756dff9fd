"""One state, run by the interpreter itself: an execution that stands before the state, advanced until it has left it.

An advance that may write a single history event stops as soon as the state has been left, so the state that follows
need not exist.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence

from asl_engine.api.testing_state.context import Identity, made_context
from asl_engine.api.testing_state.inspection import Inspection, observed
from asl_engine.api.testing_state.map_start import MapStart
from asl_engine.api.testing_state.mock import Result, Work, as_task
from asl_engine.api.testing_state.request import StateTest
from asl_engine.api.testing_state.verdict import Verdict, judge
from asl_engine.expressions.pace import Aside
from asl_engine.interpreter.advance import advance
from asl_engine.interpreter.events import Event, TaskFailed, TaskSucceeded, TimerFired
from asl_engine.interpreter.execution import ROOT_FRAME, Execution, Frame, TaskAttempt, TimerWait
from asl_engine.interpreter.failure import EXCEED_TOLERATED_FAILURE_THRESHOLD, RUNTIME, TIMEOUT, StatesError
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Branch, MapState, ParallelState, State, StateMachine, TaskState
from asl_engine.limits import EXPRESS_TIMEOUT_SECONDS, PAYLOAD_BYTES_MAX
from asl_engine.runtime.advancing import at_pace
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, Taken, TaskCall, TaskPerformer, TaskResult

_EVENT_BEFORE = 1  # ExecutionStarted, which the state's own first event follows


class Trial:
    """Runs the state of a test, once. `now` is epoch milliseconds; a Wait takes no time."""

    def __init__(self, test: StateTest, identity: Identity, now: int) -> None:
        self._test, self._identity, self._now = test, identity, now
        self.inspection = Inspection({"input": test.input})
        self._map_start: MapStart | None = None
        self._state = observed(self._runnable(), test.state, self.inspection)
        root = Branch(key="", start_at=self._state.name, states={self._state.name: self._state})
        self._machine = StateMachine(definition={}, sha256="", root=root, branches={root.key: root})
        self._options = Options(
            payload_bytes_max=PAYLOAD_BYTES_MAX, advance_history_events_max=1, context_object=self._context()
        )
        self._history: list[HistoryEvent] = []

    async def run(self, performer: TaskPerformer | None) -> Verdict:
        """Run the state, its work done by the mock or else by the performer."""
        execution = await self._advance(self._before(), ())
        frame = execution.frames.get(ROOT_FRAME)
        match frame.wait if frame is not None else None:
            case TaskAttempt() as attempt:
                work = self._test.mock or await self._performed(execution, attempt, performer)
                execution = await self._advance(execution, [self._event(attempt, work)])
            case TimerWait(wait_id, at):
                self._now = at
                execution = await self._advance(execution, [TimerFired(ROOT_FRAME, wait_id)])
        return judge(self._test, execution, self._history, self.inspection)

    def _runnable(self) -> State:
        """The state itself; a Map or Parallel becomes the Task that its mock stands for."""
        state = self._test.state
        if isinstance(state, MapState):
            self._map_start = MapStart(state, self.inspection, self._test.item_data)
            return as_task(state, self._map_start)
        return as_task(state, state.parameters) if isinstance(state, ParallelState) else state

    def _context(self) -> JsonObject:
        test = self._test
        if test.context is not None:
            return test.context
        retries = test.retrier_retry_count
        return made_context(
            test.state, self._identity, test.input, role_arn=test.role_arn, retry_count=retries, now=self._now
        )

    def _before(self) -> Execution:
        test, identity = self._test, self._identity
        frame = Frame(
            id=ROOT_FRAME,
            branch="",
            state=test.state.name,
            input=test.input,
            previous_event_id=_EVENT_BEFORE,
            variables=test.variables,
        )
        return Execution(
            arn=identity.execution_arn,
            name=identity.execution_name,
            state_machine_arn=identity.state_machine_arn,
            definition_sha256="",
            input=test.input,
            started_at=self._now,
            seed=identity.execution_id,
            role_arn=test.role_arn or "",
            sequence=0,
            last_event_id=_EVENT_BEFORE,
            frames={frame.id: frame},
            ready=(frame.id,),
        )

    async def _advance(self, execution: Execution, events: Sequence[Event]) -> Execution:
        """Beside the event loop: expressions may take long, and others are served meanwhile."""
        compute = functools.partial(advance, self._machine, execution, events, self._now, self._options)
        outcome = await asyncio.to_thread(at_pace, Aside(), compute)
        self._history += outcome.history
        return outcome.execution

    def _event(self, attempt: TaskAttempt, work: Work) -> Event:
        """What the work came to; a Map's also depends on how many of its iterations are said to have failed."""
        if isinstance(work, Result) and self._exceeds_threshold(work.value):
            cause = "The specified tolerated failure threshold was exceeded"
            work = StatesError(EXCEED_TOLERATED_FAILURE_THRESHOLD, cause)
        if isinstance(work, StatesError):
            return TaskFailed(ROOT_FRAME, attempt.wait_id, work.error, work.cause)
        if isinstance(self._test.state, TaskState):
            self.inspection.payloads["result"] = work.value
        return TaskSucceeded(ROOT_FRAME, attempt.wait_id, work.value)

    def _exceeds_threshold(self, result: JsonValue) -> bool:
        start, failures = self._map_start, self._test.map_iteration_failure_count
        if start is None:
            return False
        iterations = start.items if start.items is not None else result
        return not start.tolerates(failures, len(iterations) if isinstance(iterations, list) else failures)

    async def _performed(self, execution: Execution, attempt: TaskAttempt, performer: TaskPerformer | None) -> Work:
        assert isinstance(self._state, TaskState)
        resource = self._state.resource
        call = TaskCall(
            execution_arn=execution.arn,
            execution_name=execution.name,
            state_machine_name=execution.state_machine_name,
            frame_id=ROOT_FRAME,
            resource=resource,
            attempt=attempt,
        )
        if performer is None or not performer.handles(call):
            return StatesError(RUNTIME, f"nothing performs {resource.arn} here: give the test a mock")
        last = self._now + EXPRESS_TIMEOUT_SECONDS * 1000
        deadline = min(last, attempt.timeout_at or last)
        try:
            async with asyncio.timeout((deadline - self._now) / 1000):
                return _work_of(await performer.perform(call))
        except TimeoutError:
            self._now = deadline
            return StatesError(TIMEOUT)
        except Exception as error:
            return StatesError(RUNTIME, f"the task could not be performed: {type(error).__name__}: {error}")


def _work_of(result: TaskResult) -> Work:
    match result:
        case Succeeded(output):
            return Result(output)
        case Failed(error, cause):
            return StatesError(error, cause)
        case Submitted() | Taken():
            raise AssertionError("a task that is answered later runs only with a mock")
