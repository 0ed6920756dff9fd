"""An execution that a test drives: it decides when time passes and what comes in from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from asl_engine.api.open_waits import open_waits
from asl_engine.embedded import ExecutionResult
from asl_engine.errors import TaskDoesNotExist
from asl_engine.interpreter.events import Event, StopRequested, TaskFailed, TaskHeartbeat, TaskSucceeded
from asl_engine.interpreter.execution import Frame, TaskAttempt
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.definition import IntegrationPattern, StateMachine
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import Clock, VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.mocks import Case, ScriptedTasks
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.runtime.tasks import Submitted, TaskCall, TaskPerformer, TaskResult
from asl_engine.store.memory import MemoryStore

_STATE_MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:test"
_T = TypeVar("_T")


class _LeftToTheTest:
    """Takes every request of a `.waitForTaskToken` task that has no script: the test answers it by its token."""

    def handles(self, call: TaskCall) -> bool:
        return call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN

    async def perform(self, _call: TaskCall) -> TaskResult:
        return Submitted({})

    async def close(self) -> None:
        """Nothing is held."""


class DrivenExecution:
    """Each method returns when everything that can happen without more time has happened."""

    def __init__(
        self,
        machine: StateMachine,
        input: JsonValue,
        script: Mapping[str, Sequence[Case]],
        functions: Mapping[str, Callable[..., Any]],
        mocks: Sequence[Callable[[Clock], TaskPerformer]],
        name: str,
        options: Options | None,
    ) -> None:
        self._events: list[HistoryEvent] = []
        self._loop = asyncio.new_event_loop()
        now = time.time_ns() // 1_000_000
        self._clock = VirtualClock(now, until=now)
        performers = (
            ScriptedTasks(script, self._clock),
            *(load(self._clock) for load in mocks),
            PythonTasks(functions, self._clock),
            _LeftToTheTest(),
        )
        self._store = MemoryStore()
        self._host = InProcessHost(
            self._store,
            PerformerChain(performers),
            self._clock,
            options=options,
            observer=lambda outcome: self._events.extend(outcome.history),
        )
        request = StartRequest(name=name, input=input, state_machine_arn=_STATE_MACHINE_ARN, seed=name)
        self._live: LiveExecution = self._complete(self._host.start(machine, request))
        self._settle()

    # What happened

    @property
    def result(self) -> ExecutionResult:
        """The execution as it stands."""
        return ExecutionResult(self._live.execution, tuple(self._events))

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.result.status

    @property
    def output(self) -> JsonValue:
        """The output, parsed."""
        return self.result.output

    @property
    def error(self) -> str | None:
        """The error name."""
        return self.result.error

    @property
    def cause(self) -> str | None:
        """The cause."""
        return self.result.cause

    @property
    def history(self) -> list[JsonObject]:
        """The history events, as GetExecutionHistory spells them."""
        return self.result.history

    @property
    def path(self) -> list[str]:
        """The names of the states entered, in order."""
        return self.result.path

    @property
    def now(self) -> int:
        """Virtual time, in milliseconds since the epoch."""
        return self._clock.now()

    @property
    def elapsed_seconds(self) -> float:
        """Virtual time since the execution started."""
        return (self.now - self._live.execution.started_at) / 1000

    @property
    def waiting(self) -> list[str]:
        """The names of the Task states that wait for a callback by token."""
        return [frame.state for frame in self._frames() if _token(frame) is not None]

    def attempts(self, state: str) -> int:
        """How often a Task state has been tried."""
        scheduled = 0
        current: dict[int, str] = {}
        for event in self._events:
            if event.type == "TaskStateEntered" and event.details:
                current[event.id] = str(event.details["name"])
            else:
                current[event.id] = current.get(event.previous_event_id, "")
            scheduled += event.type.endswith("Scheduled") and current[event.id] == state
        return scheduled

    # What comes in

    def run_on(self) -> None:
        """Let virtual time run until the execution is over or only a callback can move it."""
        self._clock.run_free()
        self._settle()

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let that much virtual time pass."""
        total = seconds + 60 * (minutes + 60 * (hours + 24 * days))
        self._clock.advance_to(self.now + round(total * 1000))
        self._settle()

    def send_task_success(self, state: str, output: JsonValue) -> None:
        """Answer the token of a waiting state. Raises TaskDoesNotExist when none of that name waits."""
        frame, wait = self._waiting_at(state)
        self._send(TaskSucceeded(frame.id, wait.wait_id, output))

    def send_task_failure(self, state: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail the token of a waiting state."""
        frame, wait = self._waiting_at(state)
        self._send(TaskFailed(frame.id, wait.wait_id, error, cause))

    def send_task_heartbeat(self, state: str) -> None:
        """Report that a waiting state's work is alive."""
        frame, wait = self._waiting_at(state)
        self._send(TaskHeartbeat(frame.id, wait.wait_id))

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """StopExecution."""
        self._send(StopRequested(error, cause))

    # What should have happened

    def assert_succeeded(self, *output: JsonValue) -> None:
        """Fail the test unless the execution succeeded, with this output if one is given."""
        assert self.status == "SUCCEEDED", self._report()
        if output:
            assert self.output == output[0], f"output is {dump_json(self.output)}, expected {dump_json(output[0])}"

    def assert_failed(self, error: str | None = None) -> None:
        """Fail the test unless the execution failed, with this error name if one is given."""
        assert self.status == "FAILED", self._report()
        assert error is None or self.error == error, self._report()

    def close(self) -> None:
        """Let go of the event loop."""
        if not self._loop.is_closed():
            self._complete(self._host.close())
            self._complete(self._store.close())
            self._loop.close()

    def _report(self) -> str:
        waits = open_waits(self._live.execution)
        ending = f"{self.error}: {self.cause}" if self.error else f"waiting at {[wait.state_name for wait in waits]}"
        if any(wait.until is not None for wait in waits):
            ending += "; advance() or run_on() lets time pass"
        return f"the execution is {self.status} ({ending}); path: {' > '.join(self.path)}"

    def _frames(self) -> list[Frame]:
        return list(self._live.execution.frames.values())

    def _waiting_at(self, state: str) -> tuple[Frame, TaskAttempt]:
        for frame in self._frames():
            wait = _token(frame)
            if frame.state == state and wait is not None:
                return frame, wait
        raise TaskDoesNotExist(f'no task waits for a token at "{state}"; waiting: {self.waiting or "none"}')

    def _send(self, event: Event) -> None:
        self._complete(self._live.apply(event))
        self._settle()

    def _settle(self) -> None:
        self._complete(self._host.until_over(self._live))

    def _complete(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(work)


def _token(frame: Frame) -> TaskAttempt | None:
    wait = frame.wait
    return wait if isinstance(wait, TaskAttempt) and wait.task_token is not None else None
