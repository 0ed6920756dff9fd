"""Drive: the pure interpreter driven by hand, so that a test is a story of what came in, what went out, and when.

Every advance of every story also tests what the interpreter promises in general: the same call gives the same outcome
byte for byte and changes nothing that it was given; the execution folded from the encoded journal is the one in
memory; the invariants hold; and an event that comes twice changes nothing but `ignored_events`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from asl_engine.interpreter.advance import advance, start
from asl_engine.interpreter.commands import Command, StartExecutionTimer, StartTimer
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    ExecutionTimerFired,
    StopRequested,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import Execution, ExecutionStatus, Frame, TaskAttempt
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.options import Options
from asl_engine.interpreter.outcome import Outcome
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from asl_engine.store.codec import decode_record, encode_record
from asl_engine.store.journal import Record, fold, record_of
from asl_engine.testing.invariants import check_frames, check_history, check_work, outstanding_timers

_STATE_MACHINE_ARN: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:story"
_EXECUTION_ARN: Final = "arn:aws:states:us-east-1:123456789012:execution:story"
_ROLE_ARN: Final = "arn:aws:iam::123456789012:role/story"
_NO_INPUT: Final[JsonObject] = {}
_NO_LIMITS: Final = Options()


class Drive:
    """One execution. `at` is the time of its start and then of the newest event, in epoch milliseconds.

    `commands` are those of the newest advance; `outcomes`, `events` and `history` are of the whole life.
    """

    def __init__(
        self,
        definition: StateMachine | JsonObject,
        *,
        input: JsonValue = _NO_INPUT,
        at: int = 0,
        options: Options = _NO_LIMITS,
        seed: str = "seed",
        name: str = "first",
    ) -> None:
        self.machine = definition if isinstance(definition, StateMachine) else compile_definition(definition)
        self.at, self.options = at, options
        self.events: list[Event] = []
        self.history: list[HistoryEvent] = []
        self.outcomes: list[Outcome] = []
        self._records: list[Record] = []
        timeout = self.machine.timeout_seconds
        self.execution = Execution(
            arn=f"{_EXECUTION_ARN}:{name}",
            name=name,
            state_machine_arn=_STATE_MACHINE_ARN,
            definition_sha256=self.machine.sha256,
            input=input,
            started_at=at,
            seed=seed,
            role_arn=_ROLE_ARN,
            timeout_at=None if timeout is None else at + timeout * 1000,
        )
        self._commit(lambda: start(self.machine, self.execution, self.options))

    def __repr__(self) -> str:
        """What a failed assertion shows."""
        execution = self.execution
        ending = (
            execution.output if execution.status is ExecutionStatus.SUCCEEDED else (execution.error, execution.cause)
        )
        waits = {frame.state: frame.wait for frame in execution.frames.values()}
        lines = (f"{execution.status} {ending!r} waiting for {waits}", *map(repr, self.history))
        return "\n".join(lines)

    # What comes in

    def feed(self, *events: Event, at: int | None = None) -> Drive:
        """Advance by events, at a time (the last one's if none is given). No event: go on where a bound was reached."""
        self.at = self.at if at is None else at
        self.events += events
        self._commit(lambda: advance(self.machine, self.execution, events, self.at, self.options))
        self._check_repeat(events)
        return self

    def elapse(self, *, seconds: float) -> Drive:
        """Let time pass: each timer fires at its moment, the earliest first."""
        until = self.at + round(seconds * 1000)
        while self.is_running and (timers := [one for one in self.timers if one.at <= until]):
            self.feed(TimerFired(timers[0].frame_id, timers[0].wait_id), at=max(self.at, timers[0].at))
        self.at = until
        return self

    def succeed(self, state: str, output: JsonValue = None, *, index: int = 0, at: int | None = None) -> Drive:
        """The attempt that is open at the state, the `index`-th if there are several, ends well."""
        frame_id, attempt = self.open_attempt(state, index)
        return self.feed(TaskSucceeded(frame_id, attempt.wait_id, output), at=at)

    def fail(
        self, state: str, error: str | None, cause: str | None = None, *, index: int = 0, at: int | None = None
    ) -> Drive:
        """The attempt that is open at the state fails."""
        frame_id, attempt = self.open_attempt(state, index)
        return self.feed(TaskFailed(frame_id, attempt.wait_id, error, cause), at=at)

    def submit(self, state: str, output: JsonValue = None) -> Drive:
        """The service takes the request of the attempt that is open at the state."""
        frame_id, attempt = self.open_attempt(state)
        return self.feed(TaskSubmitted(frame_id, attempt.wait_id, output))

    def begin(self, state: str, worker_name: str = "") -> Drive:
        """A worker takes the activity task that is open at the state."""
        frame_id, attempt = self.open_attempt(state)
        return self.feed(ActivityStarted(frame_id, attempt.wait_id, worker_name))

    def heartbeat(self, state: str, *, at: int | None = None) -> Drive:
        """The attempt that is open at the state reports that it is alive."""
        frame_id, attempt = self.open_attempt(state)
        return self.feed(TaskHeartbeat(frame_id, attempt.wait_id), at=at)

    def stop(self, error: str | None = None, cause: str | None = None) -> Drive:
        """StopExecution."""
        return self.feed(StopRequested(error, cause))

    # What is there

    @property
    def commands(self) -> list[Command]:
        """What the newest advance asked for."""
        return list(self.outcomes[-1].commands)

    @property
    def all_commands(self) -> list[Command]:
        """What all advances asked for, in order."""
        return [command for outcome in self.outcomes for command in outcome.commands]

    @property
    def timers(self) -> list[StartTimer]:
        """The timers that have not fired, the earliest first."""
        return outstanding_timers(self.all_commands, self.events)

    @property
    def status(self) -> ExecutionStatus:
        """The execution's status."""
        return self.execution.status

    @property
    def is_running(self) -> bool:
        """Whether the execution goes on."""
        return self.execution.status is ExecutionStatus.RUNNING

    @property
    def event_types(self) -> list[str]:
        """The types of all history events, in order."""
        return [event.type for event in self.history]

    @property
    def path(self) -> list[str]:
        """The names of the states entered, in order."""
        return [str(event.details["name"]) for event in self.history if event.details and "StateEntered" in event.type]

    def of_type(self, event_type: str) -> list[HistoryEvent]:
        """The history events of a type, in order."""
        return [event for event in self.history if event.type == event_type]

    def details(self, event_type: str) -> JsonObject:
        """The details of the newest history event of a type."""
        return self.of_type(event_type)[-1].details or {}

    def frames_at(self, state: str) -> list[Frame]:
        """The frames that are in a state, in the order they began."""
        return [frame for frame in self.execution.frames.values() if frame.state == state]

    def open_attempts(self, state: str) -> list[tuple[str, TaskAttempt]]:
        """The attempts that are open at a state, each with its frame's id."""
        return [(frame.id, frame.wait) for frame in self.frames_at(state) if isinstance(frame.wait, TaskAttempt)]

    def open_attempt(self, state: str, index: int = 0) -> tuple[str, TaskAttempt]:
        """The attempt that is open at a state, with its frame's id."""
        found = self.open_attempts(state)
        assert len(found) > index, f"no attempt number {index} is open at {state}: {self!r}"
        return found[index]

    def succeeded_with(self, output: JsonValue) -> bool:
        """Whether the execution succeeded with this output; 1, 1.0 and true are three values."""
        return self.status is ExecutionStatus.SUCCEEDED and repr(self.execution.output) == repr(output)

    def failed_with(self, error: str | None, cause: str | None = None) -> bool:
        """Whether the execution failed with this error, and this cause if one is given."""
        execution = self.execution
        return (
            execution.status is ExecutionStatus.FAILED
            and execution.error == error
            and (cause is None or execution.cause == cause)
        )

    # What always holds

    def _commit(self, work: Callable[[], Outcome]) -> None:
        before = repr(self.execution)
        outcome = work()
        body = encode_record(record_of(outcome))
        assert encode_record(record_of(work())) == body, "the same call gave another outcome"
        assert repr(self.execution) == before, "an advance changed the execution that it was given"
        assert self.is_running or outcome.execution.status is self.status, "a terminal status changed"
        self.outcomes.append(outcome)
        self.history += outcome.history
        self._records.append(decode_record(body))
        self.execution = fold(self._records)
        assert repr(self.execution) == repr(outcome.execution), "the journal folds to another execution"
        keyframe = decode_record(encode_record(record_of(outcome, keyframe=True)))
        assert repr(fold([keyframe])) == repr(outcome.execution), "the keyframe holds another execution"
        check_history(self.history, self.execution)
        check_frames(self.execution)
        check_work(self.execution, self.all_commands, self.events)
        if outcome.execution.status is not ExecutionStatus.RUNNING:
            self._check_over()

    def _check_repeat(self, events: Sequence[Event]) -> None:
        if self.execution.ready:
            return  # it would go on: that is no repeat
        again = advance(self.machine, self.execution, events, self.at, self.options)
        assert again.history == (), "an event that came twice did something"
        assert all(isinstance(each, StartTimer | StartExecutionTimer) for each in again.commands)
        assert self._is_unchanged(again.execution), "an event that came twice changed the execution"

    def _check_over(self) -> None:
        late = (*self.events, StopRequested(), ExecutionTimerFired())
        after = advance(self.machine, self.execution, late, self.at, self.options)
        assert (after.history, after.commands) == ((), ()), "an event moved an execution that is over"
        assert self._is_unchanged(after.execution)
        assert after.execution.ignored_events == self.execution.ignored_events + len(late)

    def _is_unchanged(self, after: Execution) -> bool:
        now = self.execution
        return repr(replace(after, sequence=now.sequence, ignored_events=now.ignored_events)) == repr(now)
