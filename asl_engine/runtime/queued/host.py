"""QueuedHost: executions driven by whichever process a message reaches, as on AWS Lambda.

What comes in is a message before it is a record, and a record before anything is done about it. See
docs/queued-host.md for the protocol and for what repairs a crash at each point of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from asl_engine.errors import (
    AslError,
    Conflict,
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
)
from asl_engine.interpreter.advance import start
from asl_engine.interpreter.events import Event, FailRequested, TaskHeartbeat
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.arrivals import says_nothing_new
from asl_engine.runtime.queued.observer import Advanced, place_of
from asl_engine.runtime.queued.plan import Plan, effective, timed
from asl_engine.runtime.queued.ports import Message, Received
from asl_engine.runtime.queued.recovery import append, consumed
from asl_engine.runtime.queued.tenure import Tenure
from asl_engine.runtime.queued.visibility import Visibility
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.queued.work import PASSING

DELIVERIES_MAX: Final = 5
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

    async def handle(self, received: Sequence[Received], deadline: int) -> frozenset[str]:
        """Do what messages ask for; the receipts to acknowledge. The others are to be delivered again.

        `deadline`, by the clock's `elapsed`, is when to hand over what is still in hand. From half way on no task is
        begun that need not end before.
        """
        if not received:
            return frozenset()
        groups: dict[str, list[Received]] = {}
        for each in received:
            groups.setdefault(each.message.execution_arn, []).append(each)
        clock, unfinished = self._wiring.clock, len(groups)
        receipts = [each.receipt for each in received]
        visibility = Visibility(self._wiring.queue, clock, receipts, self._wiring.visibility_seconds)

        async def handled(group: Sequence[Received]) -> set[str]:
            nonlocal unfinished
            try:
                done = await self._handle(group, deadline)
            finally:
                unfinished -= 1
                if not unfinished:
                    visibility.stop()
                clock.end()
            visibility.let_go({each.receipt for each in group} - done)
            return done

        for _ in groups:
            clock.begin()
        done = frozenset().union(*await asyncio.gather(*map(handled, groups.values())))
        await visibility.settle(all_done=len(done) == len(received))
        return done

    def hand_over_by(self, deadline: int) -> None:
        """Begin no more tasks, and hand over by then what is in hand: this process is about to end."""
        self._ends_at = deadline
        for tenure in self._tenures:
            tenure.hasten(deadline)

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
            self._tell_failed(received, error)
        except ExecutionDoesNotExist as error:
            return self._drop_unknown(received, error)
        except Exception as error:
            if len(received) > 1:  # one of them may be harmless
                return set().union(*[await self._hold([each], deadline) for each in received])
            return await self._isolate(received[0], error, deadline)
        else:
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
        """Fail the execution of a message that fails for the last time. Left alone if even that is impossible."""
        if received.deliveries < DELIVERIES_MAX:
            self._tell_failed([received], error)
            return set()
        cause = (
            f"The engine could not handle a message of this execution in {received.deliveries} deliveries: "
            f"{type(error).__name__} at {place_of(error)}"
        )
        if isinstance(error, AslError):  # the text of any other may quote a payload
            cause = f"{cause}: {error}"
        event = FailRequested("States.Runtime", cause)
        failing = replace(received, message=replace(received.message, start=None, timer_at=None, event=event))
        try:
            await self._run_tenure([failing], deadline)
        except Exception as another:
            self._tell_failed([received], another)
            return set()
        self._wiring.observer.poisoned(received, error)
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
