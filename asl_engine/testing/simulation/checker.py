"""The checker: looks at everything that becomes durable, is dispatched or is acknowledged, and raises Violation.

It knows the journal's data and none of the interpreter's code. It is told of each write at the moment it lands, be it
by a process that dies before it hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asl_engine.interpreter.commands import (
    CancelTask,
    Command,
    Continue,
    ScheduleTask,
    StartExecutionTimer,
    StartTimer,
)
from asl_engine.interpreter.events import Event, TaskFailed, TaskSucceeded, TimerFired
from asl_engine.interpreter.execution import (
    ChildrenWait,
    Execution,
    ExecutionStatus,
    Phase,
    RetryWait,
    TaskAttempt,
    TimerWait,
)
from asl_engine.interpreter.outcome import Outcome
from asl_engine.store.journal import Record, fold
from asl_engine.testing.invariants import check_frames
from asl_engine.testing.simulation.history_checker import HistoryChecker
from asl_engine.testing.simulation.violation import Invariant, Violation

_Key = tuple[str, str, int]


@dataclass(slots=True)
class _Attempt:
    """What is known of a task attempt: the records that made it durable that it was submitted, and that it ended."""

    dispatched: bool = False
    cancelled: bool = False
    submitted_at: int | None = None
    ended_at: int | None = None


class Checker:
    """Of one execution. `execution` is what its durable records fold to."""

    def __init__(self, *, clocks_agree: bool) -> None:
        self.execution: Execution | None = None
        self.records: list[Record] = []
        self._history = HistoryChecker(clocks_agree=clocks_agree)
        self._attempts: dict[tuple[str, int], _Attempt] = {}
        self._committed: set[_Key] = set()
        self._consumed: set[_Key] = set()

    @property
    def is_over(self) -> bool:
        """Whether the execution has durably ended."""
        return self.execution is not None and self.execution.status is not ExecutionStatus.RUNNING

    def appended(self, record: Record) -> None:
        """A record has become durable."""
        before = self.execution
        if record.sequence != len(self.records):
            raise Violation(Invariant.GAPLESS, f"record {record.sequence} was written as number {len(self.records)}")
        if self.is_over:
            raise Violation(Invariant.TERMINAL, f"record {record.sequence} follows the end of the execution")
        self.records.append(record)
        after = self.execution = fold(self._tail(record.sequence))
        timed_out = self._history.check(record, after)
        _check_frames(after)
        _check_concurrency(after)
        if before is not None:
            self._check_events(record, before)
            self._check_deadlines(record, before, timed_out)
        self._learn(record, after)

    def observed(self, outcome: Outcome) -> None:
        """A runner has heard that its outcome is durable."""
        sequence = outcome.execution.sequence
        folded = self.execution
        if folded is None or folded.sequence != sequence:  # another process has written since
            folded = fold(self._tail(sequence))
        if folded != outcome.execution:
            raise Violation(Invariant.FOLDS, f"after record {sequence}: {_difference(folded, outcome.execution)}")

    def dispatched(self, command: Command, sequence: int) -> None:
        """A process that knows the execution up to that record is about to carry out a command."""
        key = _command_key(command)
        if key not in self._committed:
            raise Violation(Invariant.DISPATCHED, f"{key} is dispatched and no durable record holds it")
        if isinstance(command, ScheduleTask):
            attempt = self._attempts[command.frame_id, command.attempt.wait_id]
            attempt.dispatched = True
            done_at = attempt.submitted_at if _sends_again(command.attempt) else attempt.ended_at
            if done_at is not None and done_at <= sequence and not attempt.cancelled:
                raise Violation(
                    Invariant.NOT_REPEATED,
                    f"{command.attempt.state_name} (frame {command.frame_id}) is performed again by a runner that "
                    f"knows record {sequence}; it was done with record {done_at}",
                )

    def acknowledged(self, event: Event) -> None:
        """A message has been acknowledged: nobody will deliver it again."""
        if not self.is_over and _event_key(event) not in self._consumed:
            raise Violation(Invariant.ACKNOWLEDGED_LAST, f"{_event_key(event)} is acknowledged and not durable")

    def settled(self, event: Event) -> None:
        """The message that brought an event has been acknowledged: it was consumed, or answered a wait that is over."""
        if not self.is_over and _event_key(event) not in self._consumed and self._is_open(event):
            raise Violation(Invariant.ACKNOWLEDGED_LAST, f"{_event_key(event)} is acknowledged and not durable")

    def consumed(self, event: Event) -> None:
        """Somebody was told that an event counts."""
        if _event_key(event) not in self._consumed:
            raise Violation(Invariant.KEPT, f"{_event_key(event)} is said to be applied, and no record has it")

    def _is_open(self, event: Event) -> bool:
        _, frame_id, wait_id = _event_key(event)
        frame = None if self.execution is None else self.execution.frames.get(frame_id)
        return not frame_id or (frame is not None and frame.wait is not None and frame.wait.wait_id == wait_id)

    def ended(self) -> None:
        """The simulation is over, and so is the execution."""
        for (frame_id, wait_id), attempt in self._attempts.items():
            if not attempt.dispatched and not attempt.cancelled:
                raise Violation(Invariant.DISPATCHED, f"attempt {wait_id} of frame {frame_id} was never dispatched")
        if fold(self.records) != self.execution:
            raise Violation(Invariant.FOLDS, "the whole journal folds to another execution than its newest keyframe")

    def _tail(self, sequence: int) -> list[Record]:
        """The records up to this one, from the newest keyframe before it."""
        start = next(number for number in range(sequence, -1, -1) if self.records[number].keyframe)
        return self.records[start : sequence + 1]

    def _check_events(self, record: Record, before: Execution) -> None:
        for event in record.events:
            match event:
                case TaskSucceeded(frame_id, wait_id) | TaskFailed(frame_id, wait_id):
                    known = self._attempts.get((frame_id, wait_id))
                    if known is None or not known.dispatched:
                        raise Violation(Invariant.DISPATCHED, f"{_event_key(event)} answers what nobody dispatched")
                case TimerFired(frame_id):
                    self._check_moment(record, before, frame_id)

    def _check_moment(self, record: Record, before: Execution, frame_id: str) -> None:
        """A frame that waits for a moment is where it was, unless the moment has come or the frame was given up."""
        assert self.execution is not None
        known, now = before.frames.get(frame_id), self.execution.frames.get(frame_id)
        if known is None or now is None or not isinstance(known.wait, TimerWait | RetryWait):
            return
        if known.wait.at > record.at and now.wait != known.wait:
            early = known.wait.at - record.at
            raise Violation(Invariant.ON_TIME, f"{known.state} (frame {frame_id}) goes on {early} ms early")

    def _check_deadlines(self, record: Record, before: Execution, timed_out: Iterable[int]) -> None:
        # Those of a Map Run's children are numbered by histories of their own.
        own = [frame.wait for frame in before.frames.values() if frame.wait is not None and frame.map_run is None]
        waits = {wait.wait_id: wait for wait in own}
        for wait_id in timed_out:
            attempt = waits.get(wait_id)
            if isinstance(attempt, TaskAttempt):
                due = min(at for at in (attempt.timeout_at, attempt.heartbeat_at) if at is not None)
                if due > record.at:
                    raise Violation(Invariant.ON_TIME, f"{attempt.state_name} times out {due - record.at} ms early")

    def _learn(self, record: Record, after: Execution) -> None:
        for command in record.commands:
            self._committed.add(_command_key(command))
            if isinstance(command, ScheduleTask):
                self._attempts[command.frame_id, command.attempt.wait_id] = _Attempt()
            elif isinstance(command, CancelTask):
                self._attempts[command.frame_id, command.attempt.wait_id].cancelled = True
        self._consumed.update(map(_event_key, record.events))
        for (frame_id, wait_id), attempt in self._attempts.items():
            if attempt.ended_at is None:
                frame = after.frames.get(frame_id)
                wait = frame.wait if frame is not None else None
                if not isinstance(wait, TaskAttempt) or wait.wait_id != wait_id:
                    attempt.ended_at = record.sequence
                if attempt.submitted_at is None and (attempt.ended_at is not None or getattr(wait, "submitted", False)):
                    attempt.submitted_at = record.sequence


def _check_frames(execution: Execution) -> None:
    try:
        check_frames(execution)
    except AssertionError as error:
        raise Violation(
            Invariant.ALIVE, f"after record {execution.sequence}: {error or 'frames do not fit'}"
        ) from error


def _check_concurrency(execution: Execution) -> None:
    for frame in execution.frames.values():
        wait = frame.wait
        if isinstance(wait, ChildrenWait) and wait.concurrency:
            children = (execution.frames.get(f"{frame.id}/{wait.wait_id}.{index}") for index in range(wait.started))
            running = sum(child is not None and child.phase in (Phase.READY, Phase.WAITING) for child in children)
            if running > wait.concurrency:
                raise Violation(
                    Invariant.CONCURRENCY, f"{running} iterations of {frame.state} run; {wait.concurrency} may"
                )


def _sends_again(attempt: TaskAttempt) -> bool:
    """Whether this dispatch sends the request. What is said to be submitted is only followed, but for a callback."""
    return not attempt.submitted or attempt.resource.endswith(".waitForTaskToken")


def _command_key(command: Command) -> _Key:
    match command:
        case ScheduleTask(frame_id, attempt) | CancelTask(frame_id, attempt):
            return type(command).__name__, frame_id, attempt.wait_id
        case StartTimer(frame_id, wait_id, _):
            return "StartTimer", frame_id, wait_id
        case StartExecutionTimer() | Continue():
            return type(command).__name__, "", -1


def _event_key(event: Event) -> _Key:
    return type(event).__name__, getattr(event, "frame_id", ""), getattr(event, "wait_id", -1)


def _difference(folded: Execution, held: Execution) -> str:
    members: Iterable[str] = (name for name in Execution.__dataclass_fields__ if name != "frames")
    found = [name for name in members if getattr(folded, name) != getattr(held, name)]
    ids = sorted(folded.frames.keys() | held.frames.keys())
    found += [f"frame {id_}" for id_ in ids if folded.frames.get(id_) != held.frames.get(id_)]
    return f"the journal tells otherwise of {', '.join(found)}"
