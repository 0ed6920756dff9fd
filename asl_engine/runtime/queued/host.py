"""QueuedHost: executions driven by whichever process a message reaches, as on AWS Lambda.

What comes in is a message before it is a record, and a record before anything is done about it. See
docs/queued-host.md for the protocol and for what repairs a crash at each point of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from asl_engine.errors import (
    AslError,
    Conflict,
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    QueueUnavailable,
    StoreError,
)
from asl_engine.interpreter.advance import start
from asl_engine.interpreter.events import Event, FailRequested, TaskHeartbeat
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.clock import TimerHandle
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.arrivals import says_nothing_new
from asl_engine.runtime.queued.observer import Advanced, place_of
from asl_engine.runtime.queued.plan import Plan, effective, timed
from asl_engine.runtime.queued.ports import Message, Received
from asl_engine.runtime.queued.recovery import append, consumed
from asl_engine.runtime.queued.tenure import Tenure
from asl_engine.runtime.queued.trials import DELIVERIES_MAX, RunnerDied, Trial, Trials
from asl_engine.runtime.queued.visibility import Visibility
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.queued.work import PASSING

_CONFLICTS_MAX: Final = 20
_EARLY_MILLISECONDS_MAX: Final = 5_000
_BACK_OFF_MILLISECONDS: Final = 4
_BACK_OFF_MILLISECONDS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Delivered:
    """Whether an event was applied, or came too late; and the execution then."""

    applied: bool
    execution: Execution


class QueuedHost:
    """Starts executions, delivers events to them, and handles the messages that both have sent."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._tenures: set[Tenure] = set()
        self._trials = Trials(wiring.trials, wiring.deliveries_max)
        self._ends_at: int | None = None

    # For those who ask

    async def start(self, machine: StateMachine, request: StartRequest) -> Execution:
        """Begin an execution; it is durable when this returns. Raises ExecutionAlreadyExists.

        Raising StoreUnavailable or QueueUnavailable, it may begin all the same: ask again with the same name.
        """
        wiring = self._wiring
        found = await self._find(request.execution_arn)
        if found is not None:
            return _started(found, request)
        definition = await wiring.definitions.put(machine)
        owner, began_at = wiring.new_owner(), wiring.clock.now()
        message = Message(
            execution_arn=request.execution_arn, owner=owner, start=request, definition_sha256=machine.sha256
        )
        await wiring.queue.send(message)
        execution = replace(request.execution(machine, began_at), aws_limits=wiring.options.aws_limits)
        outcome = start(machine, execution, replace(wiring.options, owner=owner))
        plan = timed(outcome, definition, strike=False, awaited=frozenset()).by([owner])
        try:
            await self._append(plan, began_at)
        except Conflict:
            return _started(await wiring.store.load(request.execution_arn), request)
        return outcome.execution

    async def deliver(self, execution_arn: str, event: Event) -> Delivered:
        """Apply an event; it is durable when this returns. Raises ExecutionDoesNotExist.

        What follows from it is done by whoever handles the message that is sent first, unless nothing does.
        """
        wiring, owner = self._wiring, self._wiring.new_owner()
        began_at, is_sent, known = wiring.clock.now(), False, -1
        execution: Execution | None = None
        for lost in range(_CONFLICTS_MAX):
            execution = await wiring.store.load(execution_arn, execution)
            plan = await self._planned(execution, event, owner)
            # The execution does not show whether a heartbeat was consumed, and what is written again after that would
            # be written by a message that may be gone.
            engine_was_faster = (
                is_sent
                and (plan is None or isinstance(event, TaskHeartbeat))
                and await consumed(wiring.store, execution_arn, event, owner, known)
            )
            if plan is None:
                return Delivered(engine_was_faster, execution)
            if engine_was_faster or plan.is_empty or says_nothing_new(execution, event):
                return Delivered(True, execution)
            if plan.leaves_work and not is_sent:
                known = execution.sequence
                await wiring.queue.send(Message(execution_arn=execution_arn, owner=owner, event=event, after=known))
                is_sent = True
            try:
                await self._append(plan, began_at)
            except Conflict:
                wiring.observer.lost_race(execution_arn, plan.record.sequence)
                await self._back_off(lost)
                continue
            return Delivered(True, plan.outcome.execution)
        raise Conflict(f"lost {_CONFLICTS_MAX} races for execution {execution_arn}: send the request again")

    # For the queue

    async def handle(self, received: Sequence[Received], deadline: int, runner: str = "") -> frozenset[str]:
        """Do what messages ask for; the receipts to acknowledge. The others are to be delivered again.

        `deadline`, by the clock's `elapsed`, is when to hand over what is still in hand. From half way on no task is
        begun that need not end before. `runner` is what to look for in logs if this process does not live to return.
        """
        suspects = await self.suspects(received)
        if not suspects:
            return await self._handle_together(received, deadline, runner)
        clock, seconds = self._wiring.clock, self._wiring.visibility_seconds
        ends_at = min(deadline, clock.elapsed() + seconds * 1000 // 2)
        await self._give_back([each for each in received if each not in suspects], 0)
        await self._give_back(suspects[1:], seconds)
        done = await self._handle_together(suspects[:1], deadline, runner)
        for each in suspects[1:]:
            if clock.elapsed() < ends_at:  # else others are given it soon
                done |= await self._handle_together([each], deadline, runner)
        return done

    async def suspects(self, received: Sequence[Received]) -> list[Received]:
        """Messages with which a process died: what is handled beside them may die as well."""
        return await self._trials.suspects(received)

    async def _handle_together(self, received: Sequence[Received], deadline: int, runner: str) -> frozenset[str]:
        if not received:
            return frozenset()
        groups: dict[str, list[Received]] = {}
        for each in received:
            groups.setdefault(each.message.execution_arn, []).append(each)
        clock, unfinished = self._wiring.clock, len(groups)
        receipts = [each.receipt for each in received]
        visibility = Visibility(
            self._wiring.queue,
            clock,
            receipts,
            self._wiring.visibility_seconds,
            lost=lambda: self._trials.end(received),
        )
        acquittal = self._acquit_at(deadline, received)

        async def handled(group: Sequence[Received]) -> set[str]:
            nonlocal unfinished
            try:
                done = await self._try(group, deadline, runner)
            finally:
                unfinished -= 1
                if not unfinished:
                    visibility.stop()
                    if acquittal is not None:
                        acquittal.cancel()
                clock.end()
            visibility.let_go({each.receipt for each in group} - done)
            return done

        for _ in groups:
            clock.begin()
        done = frozenset().union(*await asyncio.gather(*map(handled, groups.values())))
        await visibility.settle(all_done=len(done) == len(received))
        return done

    def _acquit_at(self, deadline: int, received: Sequence[Received]) -> TimerHandle | None:
        """Whoever comes to the deadline and can say so was not killed by what it has in hand."""
        if all(each.deliveries == 1 for each in received):
            return None
        loop, clock = asyncio.get_running_loop(), self._wiring.clock
        acquitting: set[asyncio.Task[None]] = set()

        def acquit() -> None:
            acquitting.add(loop.create_task(self._trials.end(received)))

        return clock.call_at(clock.now() + deadline - clock.elapsed(), acquit)

    async def _give_back(self, received: Sequence[Received], seconds: int) -> None:
        if received:
            with contextlib.suppress(QueueUnavailable):
                await self._wiring.queue.extend([each.receipt for each in received], seconds)

    def hand_over_by(self, deadline: int) -> None:
        """Begin no more tasks, and hand over by then what is in hand: this process is about to end."""
        self._ends_at = deadline
        for tenure in self._tenures:
            tenure.hasten(deadline)

    async def _try(self, received: Sequence[Received], deadline: int, runner: str) -> set[str]:
        """Handle the messages of one execution, but those with which too many died."""
        done: set[str] = set()
        left: list[Received] = []
        for each in received:
            try:
                trial = await self._trials.begin(each, runner)
            except StoreError as error:
                self._tell_failed([each], error)
                continue
            if trial is None:
                left.append(each)
            else:
                done |= await self._fail_for(each, trial, deadline)
        return done | await self._handle(left, deadline)

    async def _handle(self, received: Sequence[Received], deadline: int) -> set[str]:
        """The messages of one execution: those that are due together, and then a timer that came a little early."""
        early = [each for each in received if self._is_a_little_early(each, deadline)]
        done = await self._hold([each for each in received if each not in early], deadline)
        for each in early:
            await self._wiring.clock.sleep_until(each.message.timer_at or 0)
            done |= await self._hold([each], deadline)
        return done

    def _is_a_little_early(self, received: Received, deadline: int) -> bool:
        at, now = received.message.timer_at, self._wiring.clock.now()
        left = deadline - self._wiring.clock.elapsed()
        return at is not None and now < at <= now + min(_EARLY_MILLISECONDS_MAX, left)

    async def _hold(self, received: Sequence[Received], deadline: int) -> set[str]:
        """One tenure; the receipts that it leaves to acknowledge."""
        if not received:
            return set()
        try:
            await self._run_tenure(received, deadline)
        except PASSING as error:
            await self._trials.end(received)
            self._tell_failed(received, error)
        except ExecutionDoesNotExist as error:
            await self._trials.end(received)
            return self._drop_unknown(received, error)
        except Exception as error:
            if len(received) > 1:  # one of them may be harmless
                return set().union(*[await self._hold([each], deadline) for each in received])
            return await self._isolate(received[0], error, deadline)
        else:
            await self._trials.end(received)
            return {each.receipt for each in received}
        return set()

    async def _run_tenure(self, received: Sequence[Received], deadline: int) -> None:
        tenure = Tenure(self._wiring, received, deadline)
        if self._ends_at is not None:
            tenure.hasten(self._ends_at)
        self._tenures.add(tenure)
        try:
            await tenure.run()
        finally:
            self._tenures.discard(tenure)

    def _drop_unknown(self, received: Sequence[Received], error: Exception) -> set[str]:
        """Nothing owns them, unless their execution is about to start: they may have overtaken it."""
        dropped = [each for each in received if each.deliveries >= DELIVERIES_MAX]
        for each in dropped:
            self._wiring.observer.unknown(each)
        self._tell_failed([each for each in received if each not in dropped], error)
        return {each.receipt for each in dropped}

    async def _isolate(self, received: Received, error: Exception, deadline: int) -> set[str]:
        """Fail the execution of a message that fails for the last time."""
        if not await self._trials.fail(received):
            self._tell_failed([received], error)
            return set()
        event = self._failure(f"{type(error).__name__} at {place_of(error)}", error)
        failing = replace(received, message=replace(received.message, start=None, timer_at=None, event=event))
        return await self._settle(received, error, self._run_tenure([failing], deadline))

    async def _fail_for(self, received: Received, trial: Trial, deadline: int) -> set[str]:
        """Fail the execution of a message that killed whoever handled it, without touching what it asks for again."""
        error = RunnerDied(trial.runner)
        if trial.count >= 2 * self._wiring.deliveries_max:  # as many died of failing it
            return await self._set_aside(received, error)
        done = await self._settle(received, error, self._fail_from_outside(received, error, deadline))
        if not done:
            await self._trials.restore(received, trial)
        return done

    async def _fail_from_outside(self, received: Received, error: RunnerDied, deadline: int) -> bool:
        """Whether that was needed. If the execution has ended, what is to follow from its end is done."""
        event = self._failure(type(error).__name__, error)
        is_failed = (await self.deliver(received.message.execution_arn, event)).applied
        if not is_failed:
            await self._run_tenure([received], deadline)
        return is_failed

    def _failure(self, what: str, error: Exception) -> FailRequested:
        cause = (
            "The engine could not handle a message of this execution in "
            f"{self._wiring.deliveries_max} deliveries: {what}"
        )
        # The text of an error that is not ours may quote a payload.
        return FailRequested("States.Runtime", f"{cause}: {error}" if isinstance(error, AslError) else cause)

    async def _settle(self, received: Received, error: Exception, failing: Awaitable[bool | None]) -> set[str]:
        """Await `failing`, which gives False if the execution had ended before."""
        try:
            is_failed = await failing
        except PASSING as another:
            self._tell_failed([received], another)
            return set()
        except ExecutionDoesNotExist:  # it never began, and why is what people want to know
            return await self._set_aside(received, error)
        except Exception as another:
            return await self._set_aside(received, another)
        await self._trials.forget(received)
        if is_failed is not False:
            self._wiring.observer.poisoned(received, error)
        return {received.receipt}

    async def _set_aside(self, received: Received, error: Exception) -> set[str]:
        """Out of the way with what can be neither handled nor failed, to where people find it."""
        set_aside = self._wiring.set_aside
        if set_aside is None:
            self._tell_failed([received], error)
            return set()
        why = f": {error}" if isinstance(error, AslError) else f" at {place_of(error)}"
        try:
            await set_aside(received, f"{type(error).__name__}{why}")
        except QueueUnavailable as another:
            self._tell_failed([received], another)
            return set()
        await self._trials.forget(received)
        self._wiring.observer.set_aside(received, error)
        return {received.receipt}

    def _tell_failed(self, received: Sequence[Received], error: Exception) -> None:
        for each in received:
            self._wiring.observer.failed(each, error)

    # What both need

    async def _find(self, execution_arn: str) -> Execution | None:
        try:
            return await self._wiring.store.load(execution_arn)
        except ExecutionDoesNotExist:
            return None

    async def _planned(self, execution: Execution, event: Event, owner: str) -> Plan | None:
        """What the event leads to; None if it comes too late."""
        if execution.status is not ExecutionStatus.RUNNING:
            return None
        definition = await self._wiring.definitions.get(execution.definition_sha256)
        options = replace(self._wiring.options.pinned(execution), owner=owner)
        outcome = effective(definition, execution, [event], self._wiring.clock.now(), options)
        if not outcome.events:
            return None
        return timed(outcome, definition, strike=False, awaited=frozenset()).by([owner])

    async def _back_off(self, lost: int) -> None:
        """A pause after so many lost races, so that those who lost together do not meet again."""
        longest = min(_BACK_OFF_MILLISECONDS_MAX, _BACK_OFF_MILLISECONDS * 2**lost)
        clock = self._wiring.clock
        await clock.sleep_until(clock.now() + int(longest * self._wiring.chance()))

    async def _append(self, plan: Plan, began_at: int) -> None:
        wiring = self._wiring
        await append(wiring.store, plan)
        duration = wiring.clock.now() - began_at
        wiring.observer.advanced(Advanced.of(plan.outcome, plan.record.owner, duration))


def _started(found: Execution, request: StartRequest) -> Execution:
    """The execution if this request began it."""
    if found.seed != request.seed:
        raise ExecutionAlreadyExists(f"Execution Already Exists: '{found.arn}'")
    return found
