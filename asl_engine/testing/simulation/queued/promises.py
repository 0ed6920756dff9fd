"""What the queued host promises beyond what the journal shows: of messages, answers to callers, jobs and timers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asl_engine.interpreter.commands import CancelTask, ScheduleTask
from asl_engine.interpreter.events import (
    Event,
    StopRequested,
    TaskFailed,
    TaskHeartbeat,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import Execution, RetryWait, TaskAttempt, TimerWait
from asl_engine.interpreter.open_work import deadlines
from asl_engine.runtime.queued.arrivals import key_of
from asl_engine.runtime.queued.host import Delivered
from asl_engine.runtime.queued.observer import Unobserved
from asl_engine.runtime.queued.ports import Message, Received
from asl_engine.runtime.queued.trials import RunnerDied
from asl_engine.runtime.tasks import Failed, Succeeded, TaskCall
from asl_engine.store.journal import Record
from asl_engine.testing.simulation.checker import Checker
from asl_engine.testing.simulation.queued.process import RESULTS, Plant
from asl_engine.testing.simulation.violation import Invariant, Violation

_JOB = (".sync", ".sync:2")


class Promises:
    """Looks at what is acknowledged and answered. The journals are looked at by the checkers of the plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._skew_max, self._may_expire = plant.faults.skew, plant.faults.expired > 0
        self._listed: dict[str, Execution] = {}
        self.told_of_end: set[str] = set()
        self._beaten: set[tuple[str, str]] = set()

    def listed(self, execution: Execution) -> None:
        """The listings show an execution, unless they show a newer state of it."""
        known = self._listed.get(execution.arn)
        if known is None or known.sequence < execution.sequence:
            self._listed[execution.arn] = execution

    def landing(self, record: Record) -> None:
        """A record becomes durable: no moment counts as come before its time, be the clocks as wrong as they are."""
        before = self._plant.checkers[record.execution_arn].execution
        if before is None:
            return
        for event in record.events:
            if not isinstance(event, TimerFired) or event.frame_id not in record.frames:
                continue
            frame = before.frames.get(event.frame_id)
            wait = frame.wait if frame is not None else None
            if isinstance(wait, TimerWait | RetryWait) and event.wait_id == wait.wait_id:
                early = wait.at - self._skew_max - self._plant.world.now
                if early > 0:
                    raise Violation(Invariant.ON_TIME, f"a wait ends {early} ms before any clock says so")

    def acknowledged(self, message: Message, left: Sequence[Message]) -> None:
        """A message was acknowledged, and these are left: nothing may be open that only it would have brought back."""
        checker = self._plant.checkers[message.execution_arn]
        execution = checker.execution
        if checker.is_over:
            return
        if execution is None:
            raise Violation(Invariant.ACKNOWLEDGED_LAST, f"{message} is acknowledged, and no execution exists")
        if message.event is not None and isinstance(message.event, TaskSucceeded | TaskFailed | StopRequested):
            checker.settled(message.event)
        left = [each for each in left if each.execution_arn == message.execution_arn]
        open_ = _unsent(execution, message.owner)
        if open_ and not self._may_expire and not any(each.owner == message.owner for each in left):
            raise Violation(
                Invariant.ACKNOWLEDGED_LAST, f"the message is acknowledged that owns the open attempt of {open_[0]}"
            )
        if not left and not self._may_expire:
            self._check_alive(execution)

    def let_go(self, message: Message, left: Sequence[Message]) -> None:
        """This invocation has let go of a message. What it was told of attempts that no message will bring back is in a
        record by now, or in a message of its own."""
        execution = self._plant.checkers[message.execution_arn].execution
        if execution is None or self._may_expire:
            return
        for call, result in RESULTS.get():
            if call.execution_arn != execution.arn or not isinstance(result, Succeeded | Failed):
                continue
            frame, key = execution.frames.get(call.frame_id), (call.frame_id, call.attempt.wait_id)
            wait = frame.wait if frame is not None else None
            is_open = isinstance(wait, TaskAttempt) and wait.wait_id == call.attempt.wait_id and wait.submitted
            is_told = any(
                isinstance(each.event, TaskSucceeded | TaskFailed) and key_of(each.event) == key for each in left
            )
            if is_open and call.attempt.owner == message.owner and not is_told:
                raise Violation(
                    Invariant.KEPT, f"{result} of {call.attempt.state_name} {key} is in no record or message"
                )

    def landed(self, record: Record, brought: Mapping[str, Event]) -> None:
        """A record is durable: the heartbeat that a message brought is in no other."""
        beats = [event for event in record.events if isinstance(event, TaskHeartbeat)]  # those of one attempt are equal
        for owner in record.owner.split():
            key = (record.execution_arn, owner)
            if brought.get(owner) not in beats:
                continue
            if key in self._beaten:
                raise Violation(Invariant.APPLIED_ONCE, f"{brought[owner]} of message {owner} counts again")
            self._beaten.add(key)

    def _check_alive(self, execution: Execution) -> None:
        """No message is left: nothing may be waiting for one."""
        moments = [at for at, _ in deadlines(execution)]
        if execution.ready or moments or any(_unsent(execution, each) for each in _owners(execution)):
            raise Violation(
                Invariant.ALIVE, f"no message is left, after record {execution.sequence}, to bring about what is open"
            )

    def started(self, execution: Execution) -> None:
        """A caller was told that an execution has started."""
        durable = self._plant.checkers[execution.arn].execution
        if durable is None or durable.seed != execution.seed:
            raise Violation(Invariant.KEPT, f"{execution.name} is said to have started, and its journal has not begun")

    def existed(self, execution_arn: str, seed: str) -> None:
        """A caller was told that another execution has the name."""
        durable = self._plant.checkers[execution_arn].execution
        if durable is None or durable.seed == seed:
            raise Violation(Invariant.KEPT, f"{execution_arn} is said to exist already, and does not")

    def delivered(self, execution_arn: str, event: Event, delivered: Delivered) -> None:
        """A caller was told that an event was applied, or came too late."""
        checker = self._plant.checkers[execution_arn]
        if delivered.applied and isinstance(event, TaskSucceeded | TaskFailed | StopRequested):
            checker.consumed(event)

    def ended(
        self, stopped: set[str], running: set[str], timers_sent: dict[tuple[str, int], int], *, is_calm: bool
    ) -> None:
        """Everything is over, and nothing will happen any more; the jobs of some attempts may run."""
        orphans = running - self._plant.unstopped
        if orphans:
            raise Violation(Invariant.STOPPED, f"the job of {min(orphans)} runs for ever, and nobody says so")
        for arn, checker in self._plant.checkers.items():
            checker.ended()
            assert checker.execution is not None
            listed = self._listed.get(arn)
            if listed is None or listed.sequence != checker.execution.sequence:
                raise Violation(Invariant.KEPT, f"{arn} is listed as {listed and listed.status} for ever")
            if arn not in self.told_of_end:
                raise Violation(Invariant.KEPT, f"nobody was told that {arn} has ended")
            _check_stopped(arn, checker, stopped)
        for key, times in self._plant.performed.items():
            if times > 1 and is_calm:
                raise Violation(Invariant.NOT_REPEATED, f"{key} was performed {times} times without need")
        lost_races = self._plant.world.counts["lost race"]  # after which whoever lost does again what it is not sure of
        for (arn, at), times in timers_sent.items():
            records = self._plant.checkers[arn].records
            set_ = sum(record.execution_fields.get("timer_at") == at for record in records)
            if is_calm and times > set_ + lost_races:
                raise Violation(Invariant.ONE_TIMER, f"{times} timers of {arn} were sent for {at}")


class Watch(Unobserved):
    """Sees what a host reports: nothing but what the ports raise may keep a message from being handled."""

    def __init__(self, plant: Plant, expected: tuple[type[Exception], ...]) -> None:
        self._plant, self._expected = plant, expected

    def failed(self, received: Received, error: Exception) -> None:
        """See HostObserver."""
        self._plant.world.befell(f"message failed: {type(error).__name__}")
        if not isinstance(error, self._expected):
            self._plant.broken(Violation(Invariant.NO_DEFECT, f"{type(error).__name__}: {error} for {received}"))

    def set_aside(self, received: Received, error: Exception) -> None:
        """See HostObserver."""
        self.poisoned(received, error)

    def poisoned(self, received: Received, error: Exception) -> None:
        """See HostObserver."""
        if received.message.execution_arn == self._plant.poisoned and isinstance(error, RunnerDied):
            self._plant.world.befell("message isolated")
            return
        self._plant.broken(Violation(Invariant.NO_DEFECT, f"poison: {type(error).__name__}: {error} for {received}"))

    def unstopped(self, call: TaskCall, reason: str) -> None:
        """See HostObserver."""
        self._plant.world.befell(f"job runs on: {reason}")
        self._plant.unstopped.add(call.idempotency_key)

    def unknown(self, received: Received) -> None:
        """See HostObserver."""
        self._plant.broken(Violation(Invariant.ACKNOWLEDGED_LAST, f"dropped as unknown: {received}"))


def _unsent(execution: Execution, owner: str) -> list[str]:
    """The states whose attempts by this owner no service has taken. Activities wait in a list of their own."""
    return [
        frame.state
        for frame in execution.frames.values()
        if isinstance(frame.wait, TaskAttempt)
        and not frame.wait.submitted
        and frame.wait.owner == owner
        and ":activity:" not in frame.wait.resource
    ]


def _owners(execution: Execution) -> set[str]:
    return {frame.wait.owner for frame in execution.frames.values() if isinstance(frame.wait, TaskAttempt)}


def _check_stopped(arn: str, checker: Checker, stopped: set[str]) -> None:
    for record in checker.records:
        begun = {(each.frame_id, each.attempt.wait_id) for each in record.commands if isinstance(each, ScheduleTask)}
        for command in record.commands:
            if isinstance(command, CancelTask) and command.attempt.resource.endswith(_JOB):
                key = (command.frame_id, command.attempt.wait_id)
                if key not in begun and f"{arn}/{key[0]}/{key[1]}" not in stopped:
                    raise Violation(Invariant.STOPPED, f"nobody stopped the job of {command.attempt.state_name} {key}")
