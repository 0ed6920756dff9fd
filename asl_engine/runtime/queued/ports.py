"""What the queued host needs of the world: a queue that keeps messages and can hold them back until a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.in_process import StartRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something for an execution to act on. Exactly one of `start`, `event`, `timer_at`, or none: then go on with it.

    `owner` names the message for ever, in records and task attempts. A message that hands work over bears the name of
    the one whose work it hands over. `timer_at` is the moment, in epoch milliseconds, that a timer was set for.
    `definition_sha256` comes with `start`: the definition, which the store has by then. `after` is the newest record
    when the message was sent, if its sender knew: what the message leads to comes after it.
    """

    execution_arn: str
    owner: str
    start: StartRequest | None = None
    definition_sha256: str = ""
    event: Event | None = None
    timer_at: int | None = None
    after: int = -1

    @property
    def only_goes_on(self) -> bool:
        """Whether it brings nothing: its owner's work is to be taken up."""
        return self.start is None and self.event is None and self.timer_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as the queue hands it out. `receipt` acknowledges and extends this delivery.

    `id` is the queue's own, the same at each delivery; a copy that was sent has another. `deliveries` counts this one;
    `sent_at` is epoch milliseconds by the queue's clock.
    """

    message: Message
    id: str
    receipt: str
    deliveries: int
    sent_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many messages could be received, and how many were and are not acknowledged: about."""

    waiting: int
    in_hand: int

    @property
    def is_behind(self) -> bool:
        """Whether a message waits for longer than it is in hand then, whatever the traffic."""
        return self.waiting > self.in_hand


class MessageQueue(Protocol):
    """A queue that delivers at least once, in any order, as SQS does. What it took is durable."""

    async def send(self, message: Message) -> None:
        """Deliver as soon as possible. Raises QueueUnavailable: it may have been taken all the same."""

    async def send_at(self, message: Message, at: int, now: int) -> None:
        """Deliver not before `at`, however far that is, and as soon after as possible. Raises QueueUnavailable."""

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        """Keep messages from being delivered again for so long from now, and no longer.

        Does nothing for those that are acknowledged. Raises QueueUnavailable if it failed for some.
        """

    async def backlog(self) -> Backlog:
        """What is in the queue, without what is held back until a moment. Raises QueueUnavailable."""


@runtime_checkable
class ListingStore(Protocol):
    """A store whose listings are written apart from its journals, so that a crash can leave them behind."""

    async def ensure_listed(self, execution: Execution) -> None:
        """Bring the listings up to this execution, if they are not. Idempotent. Raises StoreError."""


@runtime_checkable
class OpenListing(Protocol):
    """A store that lists what is open for less than a listing that is newest first."""

    def open_executions(self, after: str = "") -> AsyncIterator[tuple[str, str]]:
        """ARNs of executions that are RUNNING, or were lately, and the place of each: `after` it one can go on.

        In any order that stays. Raises StoreUnavailable.
        """
