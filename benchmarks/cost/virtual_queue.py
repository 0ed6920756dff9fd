"""SQS and EventBridge Scheduler in virtual time, with every request counted."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Final

from asl_engine.runtime.clock import Clock
from asl_engine.runtime.queued.message_text import message_of, message_text
from asl_engine.runtime.queued.ports import Backlog, Message, Received
from benchmarks.cost.usage import Usage, sqs_requests

_DELIVERY_MILLISECONDS: Final = 10  # until a message that is due can be received
_DELAY_MILLISECONDS_MAX: Final = 900_000
_SCHEDULED_EARLY_MILLISECONDS: Final = 60_000
_VISIBILITY_MILLISECONDS: Final = 60_000
_BATCH_MAX: Final = 10


class VirtualQueue:
    """A `MessageQueue`. `due` is called, on the event loop, with each message and its size when it can be received.

    `answer_after` is awaited before each answer.
    """

    def __init__(
        self,
        clock: Clock,
        usage: Usage,
        answer_after: Callable[[], Awaitable[None]],
        due: Callable[[Received, int], None],
    ) -> None:
        self._clock, self._usage, self._answer_after, self._due = clock, usage, answer_after, due
        self._receipts = count(1)
        self.undelivered = 0  # messages and schedules that are to come

    async def send(self, message: Message) -> None:
        """See MessageQueue."""
        await self._answer_after()
        self._put(message_text(message), self._clock.now())

    async def send_at(self, message: Message, at: int, now: int) -> None:
        """See MessageQueue. Beyond what SQS delays, a schedule puts the message into the queue a minute early."""
        await self._answer_after()
        text = message_text(message)
        if at - now <= _DELAY_MILLISECONDS_MAX:
            self._put(text, at)
            return
        self._usage.scheduler_invocations += 1
        self.undelivered += 1

        def put_now() -> None:
            self.undelivered -= 1
            self._put(text, self._clock.now())

        self._clock.call_at(at - _SCHEDULED_EARLY_MILLISECONDS, put_now)

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        """See MessageQueue. Every message here is kept for as long as its runner lives. Nobody at work waits for it."""
        self._usage.sqs_requests += math.ceil(len(receipts) / _BATCH_MAX)

    async def backlog(self) -> Backlog:
        """See MessageQueue. Whatever is due here is delivered at once."""
        await self._answer_after()
        self._usage.sqs_requests += 1
        return Backlog(waiting=0, in_hand=0)

    def deliver_again(self, received: Received) -> None:
        """What was not acknowledged comes back when its visibility ends."""
        text = message_text(received.message)
        self._deliver_at(self._clock.now() + _VISIBILITY_MILLISECONDS, text, received.sent_at, received.deliveries + 1)

    def _put(self, text: str, at: int) -> None:
        self._usage.sqs_requests += sqs_requests(len(text))
        now = self._clock.now()
        self._deliver_at(max(at, now) + _DELIVERY_MILLISECONDS, text, now, 1)

    def _deliver_at(self, at: int, text: str, sent_at: int, deliveries: int) -> None:
        self.undelivered += 1
        receipt = f"receipt-{next(self._receipts)}"

        def deliver() -> None:
            self.undelivered -= 1
            message = message_of(text)
            self._due(
                Received(message=message, id=receipt, receipt=receipt, deliveries=deliveries, sent_at=sent_at),
                len(text),
            )

        self._clock.call_at(at, deliver)
