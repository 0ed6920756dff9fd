"""Bugs of the kind that protocols of this sort have had, each planted by replacing one piece of the engine or host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from asl_engine.errors import Conflict, StoreUnavailable
from asl_engine.interpreter import advance, children, open_work
from asl_engine.interpreter.commands import Command, Continue, ScheduleTask, StartExecutionTimer, StartTimer
from asl_engine.interpreter.events import Event, TaskSubmitted, TimerFired
from asl_engine.interpreter.execution import ChildrenWait, Execution, Frame, RetryWait, TaskAttempt, TimerWait
from asl_engine.interpreter.outcome import Outcome
from asl_engine.interpreter.states import task, task_history
from asl_engine.interpreter.step import Step
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Resource, State
from asl_engine.runtime import runner
from asl_engine.runtime.runner import Runner
from asl_engine.store import journal
from asl_engine.store.journal import Record
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import InboxMessage
from asl_engine.testing.simulation.process import Process
from asl_engine.testing.simulation.violation import Invariant

Plant = Callable[[pytest.MonkeyPatch], None]


def append_without_condition(patch: pytest.MonkeyPatch) -> None:
    """The last writer wins."""
    append = MemoryStore.append

    async def overwrite(self: MemoryStore, record: Record) -> None:
        if record.execution_arn in self._journals:
            del self._journals[record.execution_arn].records[record.sequence :]
        await append(self, record)

    patch.setattr(MemoryStore, "append", overwrite)


def dispatch_before_append(patch: pytest.MonkeyPatch) -> None:
    """Commands are carried out while their record is still to be written."""
    advance_and_append = Process._advance

    async def dispatch_first(self: Process, runner: Runner) -> None:
        events = [queued.event for queued in self._queue if queued.event is not None]
        plant = self.plant
        outcome = advance.advance(runner.machine, runner.execution, events, self.now(), plant.options)
        await self._dispatch(runner, outcome.commands)
        await advance_and_append(self, runner)

    patch.setattr(Process, "_advance", dispatch_first)


def believe_a_failed_append(patch: pytest.MonkeyPatch) -> None:
    """A write that was answered by an error is taken for written."""
    append = Runner._append

    async def believe(self: Runner, outcome: Outcome, consumed: Sequence[int]) -> tuple[Command, ...]:
        try:
            return await append(self, outcome, consumed)
        except StoreUnavailable:
            self._execution = outcome.execution
            return outcome.commands

    patch.setattr(Runner, "_append", believe)


def acknowledge_before_append(patch: pytest.MonkeyPatch) -> None:
    """Messages are acknowledged as soon as they have been read."""
    advance_and_append = Process._advance

    async def acknowledge_first(self: Process, runner: Runner) -> None:
        await self._acknowledge(self._queue)
        await advance_and_append(self, runner)

    patch.setattr(Process, "_advance", acknowledge_first)


def empty_the_inbox_by_reading(patch: pytest.MonkeyPatch) -> None:
    """Reading the inbox deletes what is in it, before any record consumes it."""
    inbox = MemoryStore.inbox

    async def read_and_delete(self: MemoryStore, execution_arn: str) -> Sequence[InboxMessage]:
        messages = await inbox(self, execution_arn)
        self._journal(execution_arn).inbox.clear()
        return messages

    patch.setattr(MemoryStore, "inbox", read_and_delete)


def apply_a_result_to_any_wait(patch: pytest.MonkeyPatch) -> None:
    """An event is applied to whatever attempt its frame is at now."""
    apply = advance._apply_to_frame

    def apply_to_any(step: Step, event: task.TaskEvent) -> None:
        frame = step.frames.get(event.frame_id)
        if frame is not None and isinstance(frame.wait, TaskAttempt) and not isinstance(event, TimerFired):
            event = replace(event, wait_id=frame.wait.wait_id)
        apply(step, event)

    patch.setattr(advance, "_apply_to_frame", apply_to_any)


def forgetting(*kinds: type[Command]) -> Plant:
    """Taking up an execution forgets some of its open work."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def forget(execution: Execution) -> tuple[Command, ...]:
            return tuple(one for one in open_work.open_commands(execution) if not isinstance(one, kinds))

        patch.setattr(runner, "open_commands", forget)

    return plant


def perform_submitted_tasks_again(patch: pytest.MonkeyPatch) -> None:
    """Taking up an execution sends requests again that a service has taken."""

    def of_frame(frame: Frame) -> Iterator[Command]:
        match frame.wait:
            case TimerWait(wait_id, at) | RetryWait(wait_id, at):
                yield StartTimer(frame.id, wait_id, at)
            case TaskAttempt() as attempt:
                yield ScheduleTask(frame.id, attempt)

    patch.setattr(open_work, "_of_frame", of_frame)


def keyframe_of_the_state_before(patch: pytest.MonkeyPatch) -> None:
    """A keyframe carries the frames as they were before its own outcome."""
    record_of = journal.record_of

    def stale(outcome: Outcome, *, keyframe: bool = False, consumed: Sequence[int] = ()) -> Record:
        record = record_of(outcome, keyframe=keyframe, consumed=consumed)
        if not keyframe or outcome.before is None:
            return record
        before = replace(outcome, execution=replace(outcome.execution, frames=outcome.before.frames))
        return replace(record, frames=record_of(before, keyframe=True).frames)

    patch.setattr(runner, "record_of", stale)


def keyframe_without_finished_frames(patch: pytest.MonkeyPatch) -> None:
    """A keyframe leaves out frames that wait for nothing, and so the results of iterations that are through."""
    record_of = journal.record_of

    def without_finished(outcome: Outcome, *, keyframe: bool = False, consumed: Sequence[int] = ()) -> Record:
        record = record_of(outcome, keyframe=keyframe, consumed=consumed)
        if not keyframe or outcome.before is None:
            return record
        return replace(record, frames={id_: one for id_, one in record.frames.items() if one and one["wait"]})

    patch.setattr(runner, "record_of", without_finished)


def trust_timers(patch: pytest.MonkeyPatch) -> None:
    """A timer that fired is taken to have fired in time."""
    resume = advance._resume

    def trust(step: Step, frame: Frame, event: task.TaskEvent) -> None:
        if isinstance(frame.wait, TimerWait | RetryWait) and isinstance(event, TimerFired):
            frame.wait = replace(frame.wait, at=0)
        resume(step, frame, event)

    patch.setattr(advance, "_resume", trust)


def trust_deadlines(patch: pytest.MonkeyPatch) -> None:
    """A timer that fired is taken to mean that the attempt is late."""
    check = task._check_deadlines

    def trust(step: Step, frame: Frame, state: Any, wait: TaskAttempt) -> None:
        check(step, frame, state, replace(wait, timeout_at=0))

    patch.setattr(task, "_check_deadlines", trust)


def drop_what_lost_a_race(patch: pytest.MonkeyPatch) -> None:
    """Events that another runner does not know yet are taken for stale."""

    async def handle(
        self: Runner, events: Sequence[Event], now: int, consumed: Sequence[int] = ()
    ) -> tuple[Command, ...]:
        outcome = advance.advance(self.machine, self.execution, events, now, self._options)
        try:
            return await self._append(outcome, consumed)
        except Conflict:
            await self.take_up(self.execution.arn)
            return ()

    patch.setattr(Runner, "handle", handle)


def go_on_after_the_end(patch: pytest.MonkeyPatch) -> None:
    """Whoever lost the race against the last record does not look whether the execution is over."""

    async def handle(
        self: Runner, events: Sequence[Event], now: int, consumed: Sequence[int] = ()
    ) -> tuple[Command, ...]:
        while True:
            outcome = advance.advance(self.machine, self.execution, events, now, self._options)
            try:
                return await self._append(outcome, consumed)
            except Conflict:
                await self.take_up(self.execution.arn)

    patch.setattr(Runner, "handle", handle)


def leave_what_the_dead_have_written(patch: pytest.MonkeyPatch) -> None:
    """Whoever loses a race to one that then dies for good does only what its own events ask for."""

    async def own_commands(_self: Process, _runner: Runner, commands: Sequence[Command]) -> Sequence[Command]:
        return commands

    patch.setattr(Process, "_after_lost_race", own_commands)


def start_one_iteration_too_many(patch: pytest.MonkeyPatch) -> None:
    """MaxConcurrency is off by one."""
    start_more = children.start_more

    def start_too_many(step: Step, frame: Frame, state: State, follows: int) -> None:
        wait = frame.wait
        assert isinstance(wait, ChildrenWait)
        frame.wait = replace(wait, concurrency=wait.concurrency + bool(wait.concurrency))
        start_more(step, frame, state, follows)
        assert isinstance(frame.wait, ChildrenWait)
        frame.wait = replace(frame.wait, concurrency=wait.concurrency)

    patch.setattr(children, "start_more", start_too_many)


def gather_results_as_they_came(patch: pytest.MonkeyPatch) -> None:
    """The results of children are in the order in which these ended."""
    gathered = children.gathered

    def in_order_of_ending(step: Step, frame: Frame) -> list[JsonValue] | None:
        wait = frame.wait
        assert isinstance(wait, ChildrenWait)
        ids = [children.child_id(frame, wait, index) for index in range(wait.total)]
        ended = {id_: step.frames[id_].previous_event_id for id_ in ids if id_ in step.frames}
        results = gathered(step, frame)
        if results is None or len(results) != wait.total:
            return results
        return [results[ids.index(id_)] for id_ in sorted(ids, key=lambda id_: ended[id_])]

    patch.setattr(children, "gathered", in_order_of_ending)


def forget_retries_on_taking_up(patch: pytest.MonkeyPatch) -> None:
    """How often a state was tried is not durable: every crash grants new attempts."""
    load = MemoryStore.load

    async def forget(self: MemoryStore, execution_arn: str, held: Execution | None = None) -> Execution:
        execution = await load(self, execution_arn, held)
        for frame in execution.frames.values():
            frame.retries = ()
        return execution

    patch.setattr(MemoryStore, "load", forget)


def skip_a_history_id(patch: pytest.MonkeyPatch) -> None:
    """An id is drawn and not used."""
    record = Step.record

    def skip(self: Step, frame: Frame, event_type: str, details: JsonObject | None = None) -> int:
        self._last_event_id += event_type == "TaskStateExited"
        return record(self, frame, event_type, details)

    patch.setattr(Step, "record", skip)


def follow_an_event_to_come(patch: pytest.MonkeyPatch) -> None:
    """An event names one as previous that does not exist yet."""
    record = Step.record

    def follow_itself(self: Step, frame: Frame, event_type: str, details: JsonObject | None = None) -> int:
        event_id = record(self, frame, event_type, details)
        frame.previous_event_id += event_type == "PassStateEntered"
        return event_id

    patch.setattr(Step, "record", follow_itself)


def record_a_result_twice(patch: pytest.MonkeyPatch) -> None:
    """A task succeeds twice in history."""
    succeeded = task_history.succeeded

    def twice(step: Step, frame: Frame, resource: Resource, output: JsonValue) -> None:
        succeeded(step, frame, resource, output)
        succeeded(step, frame, resource, output)

    patch.setattr(task_history, "succeeded", twice)


def end_without_saying_so(patch: pytest.MonkeyPatch) -> None:
    """The execution is over, and its history does not end."""
    record = Step.record

    def keep_quiet(self: Step, frame: Frame, event_type: str, details: JsonObject | None = None) -> int:
        return record(self, frame, event_type.replace("ExecutionFailed", "ExecutionStopped"), details)

    patch.setattr(Step, "record", keep_quiet)


def never_believe_a_timer(patch: pytest.MonkeyPatch) -> None:
    """Whatever the time, a Wait asks for another timer."""
    resume = advance._resume

    def ask_again(step: Step, frame: Frame, event: task.TaskEvent) -> None:
        if isinstance(frame.wait, TimerWait) and isinstance(event, TimerFired):
            step.commands.append(StartTimer(frame.id, event.wait_id, step.now + 1_000))
        else:
            resume(step, frame, event)

    patch.setattr(advance, "_resume", ask_again)


def choke_on_a_second_submission(patch: pytest.MonkeyPatch) -> None:
    """An event that comes twice is more than the interpreter can take."""
    resume = task.resume

    def choke(step: Step, frame: Frame, state: Any, event: task.TaskEvent) -> None:
        if isinstance(event, TaskSubmitted) and isinstance(frame.wait, TaskAttempt) and frame.wait.submitted:
            raise RuntimeError("submitted twice")
        resume(step, frame, state, event)

    patch.setattr(task, "resume", choke)


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """A bug, and the promises that it may break first."""

    name: str
    plant: Plant
    breaks: frozenset[Invariant]


def _bug(plant: Plant, *breaks: Invariant, name: str = "") -> PlantedBug:
    return PlantedBug(name or plant.__name__.replace("_", " "), plant, frozenset(breaks))


PLANTED: Final = (
    _bug(append_without_condition, Invariant.GAPLESS),
    _bug(dispatch_before_append, Invariant.DISPATCHED),
    _bug(believe_a_failed_append, Invariant.DISPATCHED, Invariant.ACKNOWLEDGED_LAST, Invariant.GAPLESS),
    _bug(acknowledge_before_append, Invariant.ACKNOWLEDGED_LAST),
    _bug(empty_the_inbox_by_reading, Invariant.ALIVE, Invariant.SAME_RESULT),
    _bug(apply_a_result_to_any_wait, Invariant.SAME_RESULT, Invariant.APPLIED_ONCE),
    _bug(forgetting(ScheduleTask), Invariant.ALIVE, Invariant.SAME_RESULT, name="forget tasks on taking up"),
    _bug(forgetting(StartTimer), Invariant.ALIVE, name="forget timers on taking up"),
    _bug(forgetting(StartExecutionTimer), Invariant.ALIVE, name="forget the time-out on taking up"),
    _bug(forgetting(Continue), Invariant.ALIVE, name="forget to go on after taking up"),
    _bug(perform_submitted_tasks_again, Invariant.NOT_REPEATED),
    _bug(keyframe_of_the_state_before, Invariant.FOLDS),
    _bug(keyframe_without_finished_frames, Invariant.ALIVE, Invariant.FOLDS),
    _bug(trust_timers, Invariant.ON_TIME),
    _bug(trust_deadlines, Invariant.ON_TIME),
    _bug(drop_what_lost_a_race, Invariant.ACKNOWLEDGED_LAST, Invariant.ALIVE),
    _bug(go_on_after_the_end, Invariant.TERMINAL),
    _bug(leave_what_the_dead_have_written, Invariant.ALIVE),
    _bug(start_one_iteration_too_many, Invariant.CONCURRENCY),
    _bug(gather_results_as_they_came, Invariant.SAME_RESULT),
    _bug(forget_retries_on_taking_up, Invariant.FOLDS),
    _bug(skip_a_history_id, Invariant.GAPLESS),
    _bug(follow_an_event_to_come, Invariant.GAPLESS),
    _bug(record_a_result_twice, Invariant.APPLIED_ONCE),
    _bug(end_without_saying_so, Invariant.TERMINAL),
    _bug(never_believe_a_timer, Invariant.ENDS),
    _bug(choke_on_a_second_submission, Invariant.NO_DEFECT),
)
