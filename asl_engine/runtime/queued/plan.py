"""Plan: what an advance would make durable, worked out before anything is written. Pure.

Three rules save writes and messages: an event that is ignored goes into no record; an advance that changes nothing is
no record; and the durable timer is set in a record that is due anyway, the last one before the execution is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from asl_engine.interpreter.advance import advance
from asl_engine.interpreter.commands import CancelTask, Continue, ScheduleTask
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.options import Options
from asl_engine.interpreter.outcome import Outcome
from asl_engine.runtime.queued.arrivals import Key, keeps_message
from asl_engine.runtime.queued.definitions import Definition
from asl_engine.runtime.queued.moments import uncovered
from asl_engine.store.journal import Record, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An outcome, its record, and the moment that the record sets the durable timer to, if it does."""

    outcome: Outcome
    record: Record
    timer_at: int | None = None

    def by(self, owners: Iterable[str]) -> Plan:
        """The same, its record naming the messages that it answers; the first owns what it asks for."""
        return replace(self, record=replace(self.record, owner=" ".join(dict.fromkeys(owners))))

    @property
    def keyframe(self) -> Record:
        """The record as a keyframe."""
        return record_of(self.outcome, keyframe=True, owner=self.record.owner)

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it was: at most a timer was asked for again."""
        record = self.record
        return not (
            self.outcome.before is None
            or record.history
            or record.execution_fields.keys() - {"ignored_events"}
            or any(changes is None or changes for changes in record.frames.values())
        )

    @property
    def leaves_work(self) -> bool:
        """Whether something must be done after the write, which a host that wrote it may not live to do."""
        lasting = (ScheduleTask, CancelTask, Continue)
        is_over = self.outcome.execution.status is not ExecutionStatus.RUNNING
        return is_over or self.timer_at is not None or any(isinstance(each, lasting) for each in self.outcome.commands)


def effective(
    definition: Definition, execution: Execution, events: Sequence[Event], now: int, options: Options
) -> Outcome:
    """The outcome of those of the events that are not ignored, each applied after the ones before it."""
    outcome = advance(definition.machine, execution, events, now, options)
    if not _has_ignored(outcome, execution):
        return outcome
    kept: list[Event] = []
    for event in events:
        if not _has_ignored(advance(definition.machine, execution, [*kept, event], now, options), execution):
            kept.append(event)
    return advance(definition.machine, execution, kept, now, options)


def timed(outcome: Outcome, definition: Definition, *, strike: bool, awaited: frozenset[Key]) -> Plan:
    """The plan of an outcome. `strike` the timer that fired; `awaited` is what this runner has in hand.

    Unless the runner will go on awaiting something, the durable timer is set for what comes first.
    """
    if strike:
        outcome = _with_timer(outcome, None)
    if outcome.execution.status is not ExecutionStatus.RUNNING or _goes_on(outcome, awaited):
        return Plan(outcome=outcome, record=record_of(outcome))
    timer_at = uncovered(outcome.execution, definition, outcome.at)
    if timer_at is None:
        return Plan(outcome=outcome, record=record_of(outcome))
    outcome = _with_timer(outcome, timer_at)
    return Plan(outcome=outcome, record=record_of(outcome), timer_at=timer_at)


def _goes_on(outcome: Outcome, awaited: frozenset[Key]) -> bool:
    if any(isinstance(command, Continue) for command in outcome.commands):
        return True
    begun = {(each.frame_id, each.attempt.wait_id) for each in outcome.commands if isinstance(each, ScheduleTask)}
    return any(keeps_message(outcome.execution, key) for key in awaited | begun)


def _with_timer(outcome: Outcome, timer_at: int | None) -> Outcome:
    return replace(outcome, execution=outcome.execution.changed({"timer_at": timer_at}))


def _has_ignored(outcome: Outcome, execution: Execution) -> bool:
    return outcome.execution.ignored_events > execution.ignored_events
