"""Bugs that a host driven by a queue could have, each planted by replacing one piece of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from asl_engine.errors import Conflict, ExecutionDoesNotExist, QueueUnavailable, StoreUnavailable
from asl_engine.interpreter.commands import ScheduleTask
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued import plan, tenure, work
from asl_engine.runtime.queued.host import Delivered, QueuedHost
from asl_engine.runtime.queued.plan import Plan
from asl_engine.runtime.queued.ports import Received
from asl_engine.runtime.queued.recovery import Recovered
from asl_engine.runtime.queued.tenure import Tenure
from asl_engine.runtime.queued.trials import Trial, Trials
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.queued.work import Work
from asl_engine.testing.simulation.queued.event_loop import pass_time
from asl_engine.testing.simulation.queued.fleet import Fleet
from asl_engine.testing.simulation.queued.store import ProcessStore
from asl_engine.testing.simulation.violation import Invariant
from tests.simulation.planted_bugs import append_without_condition
from tests.simulation.queued.planted_job_bugs import (
    hand_over_while_jobs_are_being_stopped,
    leave_while_jobs_are_being_stopped,
    look_before_the_link_is_written,
    never_look_at_jobs,
    never_stop_a_job,
    stop_only_what_ones_own_record_cancelled,
    stop_what_is_still_being_submitted,
)

Plant = Callable[[pytest.MonkeyPatch], None]


def acknowledge_first(patch: pytest.MonkeyPatch) -> None:
    """Messages are acknowledged as soon as they have come."""
    invoke = Fleet._invoke

    async def acknowledged(self: Fleet, engine: Any, received: Sequence[Received]) -> None:
        for each in received:
            await self._acknowledge(engine.process, each)
        await invoke(self, engine, received)

    patch.setattr(Fleet, "_invoke", acknowledged)


def acknowledge_what_failed(patch: pytest.MonkeyPatch) -> None:
    """A message that could not be handled is acknowledged like any other."""
    handle = QueuedHost.handle

    async def handle_all(self: QueuedHost, received: Sequence[Received], deadline: int) -> frozenset[str]:
        await handle(self, received, deadline)
        return frozenset(each.receipt for each in received)

    patch.setattr(QueuedHost, "handle", handle_all)


def dispatch_first(patch: pytest.MonkeyPatch) -> None:
    """Commands are carried out before their record is written."""
    append = Tenure._append

    async def dispatched(self: Tenure, plan: Plan, *rest: Any) -> None:
        for command in plan.outcome.commands:
            if isinstance(command, ScheduleTask):
                self._work.perform(self._definition.call(plan.outcome.execution, command.frame_id, command.attempt))
        await asyncio.sleep(0)
        await append(self, plan, *rest)

    patch.setattr(Tenure, "_append", dispatched)


def believe_a_failed_append(patch: pytest.MonkeyPatch) -> None:
    """A write that was answered by an error is taken for written."""
    append = ProcessStore.append

    async def believe(self: ProcessStore, record: Any) -> None:
        try:
            await append(self, record)
        except StoreUnavailable:
            return

    patch.setattr(ProcessStore, "append", believe)


def take_up_nothing(patch: pytest.MonkeyPatch) -> None:
    """Attempts do not name the message that owns them, so nobody dispatches what died with a runner."""
    init = Tenure.__init__

    def forget(self: Tenure, *args: Any) -> None:
        init(self, *args)
        self._owners = frozenset()

    patch.setattr(Tenure, "__init__", forget)


class _Everything(frozenset[str]):
    def __contains__(self, _owner: object) -> bool:
        return True


def take_up_everything(patch: pytest.MonkeyPatch) -> None:
    """No attempt is fenced: whoever loads an execution performs all that is open in it."""
    init = Tenure.__init__

    def take_all(self: Tenure, *args: Any) -> None:
        init(self, *args)
        self._owners = _Everything(self._owners)

    patch.setattr(Tenure, "__init__", take_all)


def keyframe_of_the_state_before(patch: pytest.MonkeyPatch) -> None:
    """A keyframe carries the frames as they were before its own outcome, and is trusted."""
    record_of = plan.record_of  # type: ignore[attr-defined]

    def stale(outcome: Any, **options: Any) -> Any:
        record = record_of(outcome, **options)
        if not record.keyframe or outcome.before is None:
            return record
        before = replace(outcome, execution=replace(outcome.execution, frames=outcome.before.frames))
        return replace(record, frames=record_of(before, keyframe=True).frames)

    patch.setattr(plan, "record_of", stale)


def drop_what_is_unknown(patch: pytest.MonkeyPatch) -> None:
    """A message whose execution is not in the store has nothing to do there, and is dropped."""
    hold = QueuedHost._hold

    async def dropping(self: QueuedHost, received: Sequence[Received], deadline: int) -> set[str]:
        if not received:
            return set()
        try:
            await self._wiring.store.load(received[0].message.execution_arn)
        except ExecutionDoesNotExist:
            return {each.receipt for each in received}
        except StoreUnavailable:
            return set()
        return await hold(self, received, deadline)

    patch.setattr(QueuedHost, "_hold", dropping)


def set_the_timer_after_the_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    """The durable timer is sent in the background."""
    send_timer = Tenure._send_timer

    async def later(self: Tenure) -> None:
        async def send() -> None:
            await pass_time(1_000)
            try:
                await send_timer(self)
            except QueueUnavailable:
                return

        asyncio.get_running_loop().create_task(send())

    patch.setattr(Tenure, "_send_timer", later)


def follow_every_timer_by_another(patch: pytest.MonkeyPatch) -> None:
    """Whatever timer comes, stale or not, the timer that is set is sent again: soon there are many."""
    run = Tenure.run

    async def and_again(self: Tenure) -> None:
        timers = [each for each in self._arrivals if each.timer_at is not None]
        await run(self)
        if timers:
            await self._send_timer()

    patch.setattr(Tenure, "run", and_again)


def cancel_once(patch: pytest.MonkeyPatch) -> None:
    """What was to be cancelled when a runner died is not cancelled again."""
    recover = tenure.recover  # type: ignore[attr-defined]

    async def without_cancels(*args: Any, **options: Any) -> Recovered:
        return replace(await recover(*args, **options), cancels=())

    patch.setattr(tenure, "recover", without_cancels)


def never_recover(patch: pytest.MonkeyPatch) -> None:
    """A message that comes again is handled like one that comes for the first time."""

    async def nothing(self: Tenure) -> None:
        self._recovering = False

    patch.setattr(Tenure, "_recover", nothing)


def forget_the_timer_of_a_dead_runner(patch: pytest.MonkeyPatch) -> None:
    """That the execution says a timer is set is taken to mean that it was sent."""
    recover = tenure.recover  # type: ignore[attr-defined]

    async def without_timer(*args: Any, **options: Any) -> Recovered:
        return replace(await recover(*args, **options), set_timer=False)

    patch.setattr(tenure, "recover", without_timer)


async def _nothing(_self: Tenure) -> None:
    return


def hand_over_nothing(patch: pytest.MonkeyPatch) -> None:
    """At its deadline a runner acknowledges, and tells no other."""
    patch.setattr(Tenure, "_hand_over", _nothing)


def answer_before_the_start_is_durable(patch: pytest.MonkeyPatch) -> None:
    """StartExecution answers while the message and the record are on their way."""
    start = QueuedHost.start

    async def at_once(self: QueuedHost, machine: StateMachine, request: StartRequest) -> Execution:
        asyncio.get_running_loop().create_task(start(self, machine, request))
        return request.execution(machine, self._wiring.clock.now())

    patch.setattr(QueuedHost, "start", at_once)


def start_without_a_message(patch: pytest.MonkeyPatch) -> None:
    """The record comes first: nobody hears of an execution whose API process then dies."""
    start = QueuedHost.start

    async def silent(self: QueuedHost, machine: StateMachine, request: StartRequest) -> Execution:
        send, queue, kept = self._wiring.queue.send, self._wiring.queue, []

        async def keep(message: Any) -> None:
            kept.append(message)

        queue.send = keep  # type: ignore[method-assign]
        try:
            execution = await start(self, machine, request)
        finally:
            queue.send = send  # type: ignore[method-assign]
        for message in kept:
            await send(message)
        return execution

    patch.setattr(QueuedHost, "start", silent)


def say_that_a_lost_event_counts(patch: pytest.MonkeyPatch) -> None:
    """Whoever answers a task that another has answered is told that the answer was taken."""
    deliver = QueuedHost.deliver

    async def yes(self: QueuedHost, execution_arn: str, event: Event) -> Delivered:
        return replace(await deliver(self, execution_arn, event), applied=True)

    patch.setattr(QueuedHost, "deliver", yes)


def deliver_without_a_message(patch: pytest.MonkeyPatch) -> None:
    """The API writes the record, and nobody is told to do what it asks for."""
    patch.setattr(Plan, "leaves_work", property(lambda self: False))


def believe_the_timers_clock(patch: pytest.MonkeyPatch) -> None:
    """The moment that a timer was set for is taken for the present, whatever the clock shows."""
    now = Tenure._now

    def trusting(self: Tenure) -> int:
        execution = getattr(self, "_execution", None)
        return max(now(self), (execution.timer_at if execution is not None else None) or 0)

    patch.setattr(Tenure, "_now", trusting)
    patch.setattr(QueuedHost, "_is_a_little_early", lambda _self, _received, _deadline: False)
    patch.setattr(Tenure, "_put_off_early_timers", _nothing)


def drop_early_timers(patch: pytest.MonkeyPatch) -> None:
    """A timer that comes before its time by this clock is acknowledged, and not sent again."""
    handle = QueuedHost.handle

    async def dropping(self: QueuedHost, received: Sequence[Received], deadline: int) -> frozenset[str]:
        now = self._wiring.clock.now()
        early = [each for each in received if (each.message.timer_at or 0) > now]
        done = await handle(self, [each for each in received if each not in early], deadline)
        return done | {each.receipt for each in early}

    patch.setattr(QueuedHost, "handle", dropping)


def forget_what_lost_a_race(patch: pytest.MonkeyPatch) -> None:
    """After a lost race the execution is loaded again, and what had come in is forgotten."""

    async def advance(self: Tenure) -> None:
        arrivals, self._arrivals = self._arrivals, []
        plan = self._plan(await self._without_ignored(arrivals), [])
        if plan is not None:
            try:
                await self._append(plan, self._clock.now())
            except Conflict:
                await self._load()

    patch.setattr(Tenure, "_advance", advance)


def set_no_timer(patch: pytest.MonkeyPatch) -> None:
    """A runner leaves without a timer for what it leaves."""
    for module in (plan, tenure):
        patch.setattr(module, "uncovered", lambda _execution, _definition, _now: None)


def stop_at_the_bound(patch: pytest.MonkeyPatch) -> None:
    """What an advance left ready is left alone."""
    patch.setattr(Tenure, "_goes_on", property(lambda self: False))
    planned = Tenure._plan

    def nothing_ready(self: Tenure, arrivals: Sequence[Any], seen: Sequence[Any]) -> Plan | None:
        return planned(self, arrivals, seen) if arrivals or seen else None

    patch.setattr(Tenure, "_plan", nothing_ready)


def end_unlisted(patch: pytest.MonkeyPatch) -> None:
    """Nobody brings the listings up to date."""
    patch.setattr(Tenure, "_list", _nothing)


def ignore_all_deadlines(patch: pytest.MonkeyPatch) -> None:
    """A timer that fires says nothing: nothing is due."""

    def nothing(_self: Tenure, _now: int) -> Iterator[Event]:
        return iter(())

    patch.setattr(Tenure, "_due", nothing)


def hand_over_by_one_name(patch: pytest.MonkeyPatch) -> None:
    """What several messages own is handed over under the name of the first."""
    patch.setattr(Work, "owners", property(lambda self: frozenset(sorted(self.owners_of(self._in_hand))[:1])))


def count_a_heartbeat_again(patch: pytest.MonkeyPatch) -> None:
    """A heartbeat whose message comes again counts again."""

    async def never(_self: Tenure, _arrival: Any) -> bool:
        return False

    patch.setattr(Tenure, "_is_old_heartbeat", never)


def take_an_outage_for_a_result(patch: pytest.MonkeyPatch) -> None:
    """What the store raises while a task is performed fails the task."""
    patch.setattr(work, "PASSING", ())


def never_isolate_a_message(patch: pytest.MonkeyPatch) -> None:
    """A message that kills is handled like any other, for ever."""
    patch.setattr(Wiring, "__post_init__", _with_deliveries(Wiring.__post_init__, 1_000_000))


def count_the_queues_deliveries(patch: pytest.MonkeyPatch) -> None:
    """What the queue has delivered often enough is taken for poisonous, whatever became of it."""
    begin = Trials.begin

    async def believe_the_queue(self: Trials, received: Received, runner: str) -> Trial | None:
        await begin(self, received, runner)
        return Trial(count=5, is_open=True) if received.deliveries > 5 else None

    patch.setattr(Trials, "begin", believe_the_queue)


def _with_deliveries(post_init: Callable[[Wiring], None], deliveries_max: int) -> Callable[[Wiring], None]:
    def changed(self: Wiring) -> None:
        post_init(self)
        object.__setattr__(self, "deliveries_max", deliveries_max)

    return changed


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """A bug, and the promises that it may break first."""

    name: str
    plant: Plant
    breaks: frozenset[Invariant]


def _bug(plant: Plant, *breaks: Invariant) -> PlantedBug:
    return PlantedBug(plant.__name__.replace("_", " "), plant, frozenset(breaks))


PLANTED: Final = (
    _bug(append_without_condition, Invariant.GAPLESS),
    _bug(acknowledge_first, Invariant.ACKNOWLEDGED_LAST),
    _bug(acknowledge_what_failed, Invariant.ACKNOWLEDGED_LAST, Invariant.ALIVE),
    _bug(dispatch_first, Invariant.DISPATCHED),
    _bug(believe_a_failed_append, Invariant.DISPATCHED, Invariant.KEPT, Invariant.ACKNOWLEDGED_LAST),
    _bug(take_up_nothing, Invariant.ACKNOWLEDGED_LAST),
    _bug(take_up_everything, Invariant.NOT_REPEATED),
    _bug(
        keyframe_of_the_state_before,
        Invariant.APPLIED_ONCE,
        Invariant.ACKNOWLEDGED_LAST,
        Invariant.ALIVE,
        Invariant.FOLDS,
        Invariant.NOT_REPEATED,
    ),
    _bug(drop_what_is_unknown, Invariant.ACKNOWLEDGED_LAST, Invariant.ALIVE),
    _bug(set_the_timer_after_the_acknowledgement, Invariant.ONE_TIMER, Invariant.ALIVE),
    _bug(follow_every_timer_by_another, Invariant.ONE_TIMER, Invariant.ENDS),
    _bug(cancel_once, Invariant.STOPPED),
    _bug(never_stop_a_job, Invariant.STOPPED),
    _bug(never_recover, Invariant.ALIVE, Invariant.KEPT),
    _bug(forget_the_timer_of_a_dead_runner, Invariant.ALIVE),
    _bug(hand_over_nothing, Invariant.ALIVE, Invariant.ACKNOWLEDGED_LAST),
    _bug(answer_before_the_start_is_durable, Invariant.KEPT),
    _bug(start_without_a_message, Invariant.ALIVE, Invariant.SWEPT),
    _bug(say_that_a_lost_event_counts, Invariant.KEPT),
    _bug(deliver_without_a_message, Invariant.ALIVE, Invariant.KEPT),
    _bug(believe_the_timers_clock, Invariant.ON_TIME, Invariant.SAME_RESULT),
    _bug(drop_early_timers, Invariant.ALIVE),
    _bug(forget_what_lost_a_race, Invariant.STOPPED, Invariant.ACKNOWLEDGED_LAST, Invariant.KEPT, Invariant.ALIVE),
    _bug(never_look_at_jobs, Invariant.ALIVE, Invariant.SWEPT, Invariant.SAME_RESULT),
    _bug(set_no_timer, Invariant.ALIVE),
    _bug(stop_at_the_bound, Invariant.ALIVE),
    _bug(end_unlisted, Invariant.KEPT),
    _bug(ignore_all_deadlines, Invariant.ENDS, Invariant.ALIVE),
    _bug(stop_what_is_still_being_submitted, Invariant.STOPPED),
    _bug(look_before_the_link_is_written, Invariant.HEARD, Invariant.ALIVE),
    _bug(stop_only_what_ones_own_record_cancelled, Invariant.STOPPED),
    _bug(hand_over_by_one_name, Invariant.ACKNOWLEDGED_LAST),
    _bug(hand_over_while_jobs_are_being_stopped, Invariant.STOPPED),
    _bug(leave_while_jobs_are_being_stopped, Invariant.STOPPED),
    _bug(count_a_heartbeat_again, Invariant.APPLIED_ONCE),
    _bug(take_an_outage_for_a_result, Invariant.SAME_RESULT, Invariant.STOPPED),
    _bug(never_isolate_a_message, Invariant.ENDS, Invariant.ALIVE, Invariant.SWEPT, Invariant.ISOLATED),
    _bug(count_the_queues_deliveries, Invariant.NO_DEFECT),
)
