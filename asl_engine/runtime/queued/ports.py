"""What the queued host needs of the world: a queue that keeps messages and can hold them back until a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asl_engine.interpreter.events import Event
from asl_engine.runtime.in_process import StartRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something for an execution to act on. Exactly one of `start`, `event`, `timer_at`, or none: then go on with it.

    `owner` names the message for ever, in records and task attempts. A message that hands work over bears the name of
    the one whose work it hands over. `timer_at` is the moment, in epoch milliseconds, that a timer was set for.
    """

    execution_arn: str
    owner: str
    start: StartRequest | None = None
    event: Event | None = None
    timer_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as the queue hands it out. `receipt` acknowledges and extends this delivery.

    `deliveries` counts this one; `sent_at` is epoch milliseconds by the queue's clock.
    """

    message: Message
    receipt: str
    deliveries: int
    sent_at: int


class MessageQueue(Protocol):
    """A queue that delivers at least once, in any order, as SQS does. What it took is durable."""

    async def send(self, message: Message) -> None:
        """Deliver as soon as possible. Raises QueueUnavailable: it may have been taken all the same."""

    async def send_at(self, message: Message, at: int, now: int) -> None:
        """Deliver not before `at`, however far that is, and as soon after as possible. Raises QueueUnavailable."""

    async def extend(self, receipt: str, seconds: int) -> None:
        """Keep the message from being delivered again for so long from now. Does nothing once it is acknowledged."""
