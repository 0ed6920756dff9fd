"""Events from outside: durable first, then applied, by whoever runs the execution or else here.

Nothing is dispatched here. What the event sets free (the next task, a timer) is open work in the journal, and whoever
takes the execution up goes on with it.
"""

from __future__ import annotations

from enum import StrEnum

from asl_engine.errors import Conflict, ExecutionClaimed
from asl_engine.interpreter.commands import ScheduleTask
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.options import Options
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.runner import Runner
from asl_engine.store.inbox import answered_attempt
from asl_engine.store.protocol import ExecutionStore


class Delivery(StrEnum):
    """What became of an event that is durable."""

    APPLIED = "APPLIED"
    HANDED_OVER = "HANDED_OVER"  # the live process that runs the execution will take it from the inbox
    TOO_LATE = "TOO_LATE"  # the execution had ended, or somebody else's answer was first


async def deliver(store: ExecutionStore, execution_arn: str, event: Event, now: int) -> Delivery:
    """Send an event to a running execution. It is durable when this returns. Raises ExecutionDoesNotExist."""
    try:
        await store.send(execution_arn, event)
    except Conflict:
        return Delivery.TOO_LATE
    try:
        await store.claim(execution_arn)
    except ExecutionClaimed:
        return Delivery.TOO_LATE if await _is_left_over(store, execution_arn, event) else Delivery.HANDED_OVER
    try:
        return await _apply_inbox(store, execution_arn, event, now)
    finally:
        await store.release(execution_arn)


async def _apply_inbox(store: ExecutionStore, execution_arn: str, event: Event, now: int) -> Delivery:
    execution = await store.load(execution_arn)
    runner = Runner(compile_definition(await store.definition(execution.definition_sha256)), store, Options())
    await runner.take_up(execution_arn)
    messages = await store.inbox(execution_arn)
    if runner.is_over:
        return Delivery.TOO_LATE
    is_in_time = _is_awaited(runner.execution, event)
    await runner.handle(
        [message.event for message in messages],
        now,
        [message.id for message in messages],
    )
    return Delivery.APPLIED if is_in_time else Delivery.TOO_LATE


async def _is_left_over(store: ExecutionStore, execution_arn: str, event: Event) -> bool:
    """Whether it answers an attempt that is over, and not by it: the inbox need not show that it was not taken."""
    attempt = answered_attempt(event)
    if attempt is None or _is_awaited(await store.load(execution_arn), event):
        return False
    async for record in store.records(execution_arn):
        answers = [each for each in record.events if answered_attempt(each) == attempt]
        if answers:
            return event not in answers
        begun = (each for each in record.commands if isinstance(each, ScheduleTask))
        if any((each.frame_id, each.attempt.wait_id) == attempt for each in begun):
            break
    return True


def _is_awaited(execution: Execution, event: Event) -> bool:
    """Whether what an answer answers is still open; what is no answer always counts."""
    attempt = answered_attempt(event)
    if attempt is None:
        return True
    frame_id, wait_id = attempt
    frame = execution.frames.get(frame_id)
    return frame is not None and frame.wait is not None and frame.wait.wait_id == wait_id
