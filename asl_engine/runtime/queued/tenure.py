"""Tenure: one runner has one execution in memory, from a message's arrival until nothing is left that it can await.

Other runners may hold the same execution, even by the same message. The conditional append arbitrates, and one rule
keeps the messages honest. A message is acknowledged only when nothing that it owns is open; and a tenure writes only
while its messages own something: an event that no record has consumed, an attempt that is open and not submitted, or
the newest record, of which frames are still ready or no timer is set. What a message has ceased to own it never owns
again. So no record can be based on a message that another runner was right to acknowledge, and whatever a record asks
for has a message that brings it back after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, assert_never

from asl_engine.errors import Conflict, ExecutionDoesNotExist, QueueUnavailable
from asl_engine.interpreter.advance import start
from asl_engine.interpreter.commands import CancelTask, Continue, ScheduleTask, StartExecutionTimer, StartTimer
from asl_engine.interpreter.events import (
    Event,
    ExecutionTimerFired,
    TaskFailed,
    TaskHeartbeat,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import Execution, ExecutionStatus, TaskAttempt
from asl_engine.runtime.queued.alarms import Alarms
from asl_engine.runtime.queued.arrivals import (
    Arrival,
    Key,
    answers_open,
    brought_by,
    fired,
    is_open,
    keeps_message,
    result_of,
    sifted,
)
from asl_engine.runtime.queued.moments import jobs_to_look_at, look_of, uncovered
from asl_engine.runtime.queued.observer import Advanced
from asl_engine.runtime.queued.plan import Plan, effective, timed
from asl_engine.runtime.queued.ports import ListingStore, Message, Received
from asl_engine.runtime.queued.recovery import Reach, append, consumed, recover
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.queued.work import PASSING, Work, is_awaited
from asl_engine.runtime.tasks import TaskCall

_CONFLICTS_MAX: Final = 20
# After so many records without a rest, others get so many times as long as the last one took, within bounds.
_RECORDS_IN_A_ROW: Final = 8
_TURN_RECORDS: Final = 3
_TURN_MILLISECONDS_MAX: Final = 100


class Tenure:
    """One execution, by the messages that brought it. `run` once."""

    def __init__(self, wiring: Wiring, received: Sequence[Received], deadline: int) -> None:
        self._wiring, self._clock, self._deadline = wiring, wiring.clock, deadline
        # A task that takes longer than the rest of the time would be performed again by the next runner.
        self._begins_until = (self._clock.elapsed() + deadline) // 2
        self._arn = received[0].message.execution_arn
        self._owner = received[0].message.owner  # of the next record that answers no message
        self._owners = frozenset(each.message.owner for each in received)
        self._reach = Reach.of(received)
        # Whether records of these messages may have asked for what was not done.
        self._recovering = any(each.deliveries > 1 or each.message.only_goes_on for each in received)
        self._is_first_delivery = not self._recovering
        self._may_come_again = not any(each.message.only_goes_on for each in received)
        self._responsible = False  # the newest record is by these messages
        self._options = wiring.options
        self._work = Work(
            wiring.performer, wiring.jobs, wiring.clock, wiring.observer, self._post, may_begin=self._may_begin
        )
        self._starts = [each.message for each in received if each.message.start is not None]
        self._arrivals = brought_by(each.message for each in received)
        self._seen: list[Event] = []  # how jobs ended that were looked at
        self._alarms = Alarms()
        self._in_a_row = self._append_took = 0  # records since the last rest; milliseconds
        self._waiter: asyncio.Future[None] | None = None

    def hasten(self, deadline: int) -> None:
        """Be over by then, if not before, and begin nothing more that is awaited."""
        self._deadline = min(self._deadline, deadline)
        self._begins_until = min(self._begins_until, self._clock.elapsed())
        self._wake()

    async def run(self) -> None:
        """Return when the messages may be acknowledged. Raises what keeps them from it.

        ExecutionDoesNotExist: nothing has started it. Conflict: too many races lost.
        """
        try:
            await self._take_up()
            await self._drive()
        except PASSING:
            self._work.let_go()
            await self._rest_while_stopping()  # who has copies of our messages may have acknowledged them
            if self._work.has_started_jobs and self._is_first_delivery:  # else an outage would breed messages
                with suppress(QueueUnavailable):
                    await self._come_again()
            raise
        finally:
            self._work.abandon()
            await asyncio.sleep(0)  # what was cancelled lets go before this counts as ended

    # Taking up

    async def _take_up(self) -> None:
        try:
            await self._load()
        except ExecutionDoesNotExist:
            if not self._starts:
                raise
            await self._begin(self._starts[0])
        if self._starts:
            await self._know_start()
        await self._put_off_early_timers()
        if fired(self._execution, self._arrivals) and self._execution.timer_at is not None:
            await self._look_at_jobs(self._execution.timer_at)

    async def _load(self, held: Execution | None = None) -> None:
        """Take the execution as it is, and what is open of ours in hand."""
        self._execution = execution = await self._wiring.store.load(self._arn, held)
        self._loaded = execution.sequence
        self._definition = await self._wiring.definitions.get(execution.definition_sha256)
        self._options = self._options.pinned(execution)
        self._responsible = False
        self._work.keep(partial(is_open, execution))
        self._alarms.reset(execution, self._definition, self._now())
        for frame in execution.frames.values():
            if isinstance(frame.wait, TaskAttempt) and frame.wait.owner in self._owners and not frame.wait.submitted:
                self._work.perform(self._definition.call(execution, frame.id, frame.wait))

    async def _begin(self, message: Message) -> None:
        assert message.start is not None
        self._definition = await self._wiring.definitions.get(message.definition_sha256)
        began_at = self._clock.now()
        execution = replace(
            message.start.execution(self._definition.machine, began_at), aws_limits=self._options.aws_limits
        )
        outcome = start(self._definition.machine, execution, replace(self._options, owner=message.owner))
        self._loaded = -1
        try:
            plan = timed(outcome, self._definition, strike=False, awaited=frozenset())
            await self._append(plan.by([message.owner]), began_at)
        except Conflict:
            await self._load()

    async def _know_start(self) -> None:
        """Go on from record 0, which is ours whoever wrote it, unless another start was first."""
        ours = [each for each in self._starts if each.start is not None and each.start.seed == self._execution.seed]
        if not ours:
            return
        await self._list()
        if self._execution.sequence > 0:
            self._recovering = True
        elif not self._responsible:
            self._responsible, self._owner = True, ours[0].owner
            await self._send_timer()

    async def _put_off_early_timers(self) -> None:
        """Send the durable timer to its moment again, if it is set still: most that come far too early are not."""
        for each in fired(self._execution, self._arrivals):
            if each.timer_at is not None and each.timer_at > self._now():
                message = Message(
                    execution_arn=self._arn, owner=each.owner, timer_at=each.timer_at, after=self._reach.after
                )
                await self._wiring.queue.send_at(message, each.timer_at, self._clock.now())
                self._arrivals.remove(each)

    async def _look_at_jobs(self, since: int) -> None:
        frames = jobs_to_look_at(self._execution, self._definition, since, self._now())
        looks = [self._look(frame.id, frame.wait) for frame in frames if isinstance(frame.wait, TaskAttempt)]
        while looks := [look for look in looks if not look.done()]:
            await self._work.rest(looks)

    # Driving

    async def _drive(self) -> None:
        while True:
            await self._advance()
            if self._recovering and (self._definition.job_states or self._is_late or not self._work.is_performing):
                await self._recover()
            elif self._is_over:
                return await self._conclude()
            elif self._is_late and not self._arrivals and (self._work.in_hand or self._goes_on):
                return await self._hand_over()  # a result at hand is written first: nobody else has it
            elif self._goes_on or self._arrivals or self._must_set_timer:
                await self._let_others_go_on()
            elif self._work.is_performing or (self._work.in_hand and self._work.is_stopping):
                await self._rest()
            elif self._work.in_hand:
                return await self._hand_over()
            else:
                return await self._finish_stopping()

    async def _advance(self) -> None:
        """Make durable what came in, what is due and what may go on, in one record."""
        began_at = self._clock.now()
        arrivals, self._arrivals = self._arrivals, []
        seen, self._seen = self._seen, []
        for _ in range(_CONFLICTS_MAX):
            arrivals = await self._without_ignored(arrivals)
            plan = self._plan(arrivals, seen)
            if plan is None:
                return
            try:
                await self._append(plan, began_at)
            except Conflict:
                self._wiring.observer.lost_race(self._arn, plan.record.sequence)
                self._recovering = True
                await self._load(self._execution)
            else:
                return
        raise Conflict(f"lost {_CONFLICTS_MAX} races for execution {self._arn}: who else is advancing it?")

    def _plan(self, arrivals: Sequence[Arrival], seen: Sequence[Event]) -> Plan | None:
        """The next record; None if there is none to write."""
        execution, now = self._execution, self._now()
        open_ = [each for each in arrivals if each.event is not None]
        timers = fired(execution, arrivals)
        standing = not self._is_over and bool(open_ or timers or self._awaits)
        strike = bool(timers) or (standing and execution.timer_at is not None and execution.timer_at <= now)
        guests = [*filter(partial(answers_open, execution), seen), *self._due(now)] if standing else []
        goes_on = bool(execution.ready) and (standing or self._responsible)
        if not (open_ or guests or goes_on or strike or self._must_set_timer):
            return None
        owners = [each.owner for each in (*open_, *timers)]
        options = replace(self._options, owner=owners[0] if owners else self._ground)
        events = [each.event for each in open_ if each.event is not None]
        outcome = effective(self._definition, execution, [*events, *guests], now, options)
        plan = timed(outcome, self._definition, strike=strike, awaited=self._work.in_hand)
        if plan.is_empty:
            self._alarms.note(plan.outcome, self._definition)
            return None
        consumed = {id(event) for event in outcome.events}
        answered = [each.owner for each in arrivals if each in timers or id(each.event) in consumed]
        return plan.by([options.owner, *answered])

    async def _append(self, plan: Plan, began_at: int) -> None:
        wiring, owner, at = self._wiring, plan.record.owner, self._clock.elapsed()
        await append(wiring.store, plan)
        self._in_a_row, self._append_took = self._in_a_row + 1, self._clock.elapsed() - at
        self._execution, self._responsible = plan.outcome.execution, True
        self._owner = owner.partition(" ")[0]
        wiring.observer.advanced(Advanced.of(plan.outcome, owner, self._clock.now() - began_at))
        self._dispatch(plan)
        if plan.timer_at is not None:
            await self._send_timer()

    def _dispatch(self, plan: Plan) -> None:
        begun: set[Key] = set()
        for command in plan.outcome.commands:
            match command:
                case ScheduleTask(frame_id, attempt):
                    begun.add(key := (frame_id, attempt.wait_id))
                    if is_open(self._execution, key):  # not what a sibling's failure ended in the same advance
                        self._work.perform(self._definition.call(self._execution, frame_id, attempt))
                case CancelTask(frame_id, attempt):
                    if (frame_id, attempt.wait_id) not in begun:
                        self._work.cancel(self._definition.call(self._execution, frame_id, attempt))
                case StartTimer() | StartExecutionTimer() | Continue():
                    pass  # the alarms know them, and `ready` the execution
                case _:
                    assert_never(command)
        self._alarms.note(plan.outcome, self._definition)

    async def _send_timer(self) -> None:
        """Set the durable timer that the execution says is set. Twice does no harm."""
        at = self._execution.timer_at
        if at is not None:
            owner, after = self._wiring.new_owner(), self._execution.sequence
            message = Message(execution_arn=self._arn, owner=owner, timer_at=at, after=after)
            await self._wiring.queue.send_at(message, at, self._clock.now())

    # What there is to do

    @property
    def _is_over(self) -> bool:
        return self._execution.status is not ExecutionStatus.RUNNING

    @property
    def _is_late(self) -> bool:
        return self._clock.elapsed() >= self._deadline

    def _may_begin(self, call: TaskCall) -> bool:
        """Whether nobody will have to perform the attempt again, as far as can be told."""
        if self._clock.elapsed() < self._begins_until or not is_awaited(call):
            return True
        limits = (call.attempt.timeout_at, call.attempt.heartbeat_at)
        ends_at = min((at for at in limits if at is not None), default=None)
        return ends_at is not None and ends_at - self._now() < self._deadline - self._clock.elapsed()

    @property
    def _goes_on(self) -> bool:
        return bool(self._execution.ready) and (self._responsible or self._awaits)

    @property
    def _awaits(self) -> bool:
        """Whether anything in hand is still its message's: of two runners with copies of a message, one may hold what
        the other's record has submitted, and must base nothing on it."""
        return any(keeps_message(self._execution, key) for key in self._work.in_hand)

    @property
    def _ground(self) -> str:
        """A message that owns something, to own a record that answers none."""
        owners = self._work.owners_of(key for key in self._work.in_hand if keeps_message(self._execution, key))
        return self._owner if self._owner in owners else min(owners, default=self._owner)

    @property
    def _must_set_timer(self) -> bool:
        if not self._responsible or self._awaits:
            return False
        return uncovered(self._execution, self._definition, self._now()) is not None

    def _now(self) -> int:
        """The present of the execution: never before its newest record, whose writer's clock may be ahead of ours."""
        return max(self._clock.now(), self._execution.at)

    async def _without_ignored(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        kept, ignored = sifted(self._execution, arrivals)
        for each in tuple(kept):
            if await self._is_old_heartbeat(each):
                kept.remove(each)
                ignored.append(each)
        for each in ignored:
            await self._pass_on(each)
        events = tuple(type(each.event).__name__ for each in ignored if each.event is not None)
        if events:
            self._wiring.observer.ignored(self._arn, events)
        # A record may have consumed it whose writer died before it did what the record asked for.
        self._recovering |= any(each.by_message for each in ignored)
        return kept

    async def _is_old_heartbeat(self, arrival: Arrival) -> bool:
        """Whether a record has consumed a heartbeat that a message brought, which the execution does not show."""
        event = arrival.event
        if not arrival.by_message or not isinstance(event, TaskHeartbeat):
            return False
        return await consumed(self._wiring.store, self._arn, event, arrival.owner, self._reach.after)

    async def _pass_on(self, arrival: Arrival) -> None:
        """Send the result of an attempt, which no record takes from here, as a message of its own."""
        event = arrival.event
        if arrival.by_message or not isinstance(event, TaskSucceeded | TaskFailed):
            return
        if answers_open(self._execution, event):
            owner, after = self._wiring.new_owner(), self._execution.sequence
            await self._wiring.queue.send(Message(execution_arn=self._arn, owner=owner, event=event, after=after))

    # Time

    def _due(self, now: int) -> Iterator[Event]:
        """The timers that have come. A job's look begins instead, and tells later."""
        for moment in self._alarms.due(self._execution, now):
            if not moment.frame_id:
                yield ExecutionTimerFired()
            elif not moment.look:
                yield TimerFired(*moment.key)
            else:
                frame = self._execution.frames[moment.frame_id]
                assert isinstance(frame.wait, TaskAttempt)
                self._alarms.add(look_of(frame, now))
                self._look(frame.id, frame.wait)

    def _look(self, frame_id: str, attempt: TaskAttempt) -> asyncio.Task[None]:
        return self._work.look(self._definition.call(self._execution, frame_id, attempt), self._post_seen)

    # Waiting

    async def _let_others_go_on(self) -> None:
        """The other executions of the batch; and now and then whoever else has something to write to this one."""
        # He reads the newest record and then writes, so he would lose each race to results that never cease.
        if self._in_a_row < _RECORDS_IN_A_ROW:
            await asyncio.sleep(0)
            return
        self._in_a_row = 0
        pause = min(_TURN_RECORDS * self._append_took, _TURN_MILLISECONDS_MAX)
        await self._clock.sleep_until(self._clock.now() + pause)

    async def _rest(self) -> None:
        """Until a result comes, a moment, or the deadline; which is no work."""
        self._in_a_row = 0
        now = self._clock.now()
        at = now + self._deadline - self._clock.elapsed()
        first = self._alarms.first(self._execution)
        if first is not None and self._awaits:
            at = min(at, now + first.at - self._now())
        self._waiter = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(at, self._wake)
        self._clock.end()
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._clock.begin()
            if not waiter.done():
                waiter.set_result(None)

    def _post(self, event: Event | None) -> None:
        if event is not None:
            self._arrivals.append(result_of(self._execution, event, self._owner))
        self._wake()

    def _post_seen(self, event: Event) -> None:
        self._seen.append(event)
        self._wake()

    # Leaving

    async def _recover(self) -> None:
        """Do what records of ours asked for and may have been left undone."""
        self._recovering = False
        if not (self._definition.job_states or self._is_over or self._has_loose_ends):
            return
        found = await recover(
            self._wiring.store,
            self._execution,
            self._owners,
            loaded=self._loaded,
            reach=self._reach,
            has_jobs=bool(self._definition.job_states),
        )
        if found.is_behind:
            self._recovering = True
            await self._load(self._execution)
            return
        if found.newest is not None:
            self._responsible, self._owner = True, found.newest
        for command in found.cancels:
            self._work.cancel(self._definition.call(self._execution, command.frame_id, command.attempt))
        if self._may_come_again and found.cancelled_early(self._definition.job_states):
            self._may_come_again = False
            await self._come_again()  # who has copies of our messages may be starting one of these jobs, and die
        if found.set_timer:
            await self._send_timer()

    @property
    def _has_loose_ends(self) -> bool:
        execution = self._execution
        if execution.ready or execution.timer_at is not None:
            return True
        return uncovered(execution, self._definition, self._now()) is not None

    async def _conclude(self) -> None:
        if self._responsible:
            await self._list()
            if self._wiring.ended is not None:
                await self._wiring.ended(self._execution)
        await self._finish_stopping()

    async def _list(self) -> None:
        if isinstance(self._wiring.store, ListingStore):
            await self._wiring.store.ensure_listed(self._execution)

    async def _hand_over(self) -> None:
        """Let another runner go on, under the names of the messages that own what is left.

        A request to start or stop a job that is on its way cannot be called back: the next runner is to find what it
        did. Another that holds copies of our messages may have acknowledged them, so they are not left to come again.
        """
        if self._work.failure is not None:
            raise self._work.failure
        if self._work.has_requests_under_way:
            await self._come_again()
        else:
            owners = self._work.owners | ({self._owner} if self._goes_on and self._responsible else set())
            for owner in sorted(owners):
                message = Message(execution_arn=self._arn, owner=owner, after=self._execution.sequence)
                await self._wiring.queue.send(message)
        while self._arrivals:  # they came meanwhile, and nobody else may have them
            await self._pass_on(self._arrivals.pop(0))

    async def _come_again(self) -> None:
        """Look once more when what was asked for has arrived: a job may run that was to stop."""
        at = self._clock.now() + self._wiring.visibility_seconds * 1000
        for owner in sorted(self._owners):
            message = Message(execution_arn=self._arn, owner=owner, after=self._reach.after)
            await self._wiring.queue.send_at(message, at, self._clock.now())

    async def _rest_while_stopping(self) -> None:
        while self._work.is_stopping and not self._is_late:
            await self._rest()

    async def _finish_stopping(self) -> None:
        await self._rest_while_stopping()
        if self._work.has_requests_under_way:
            await self._hand_over()
