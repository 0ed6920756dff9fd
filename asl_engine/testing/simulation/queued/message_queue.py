"""A queue as SQS is: each message arrives at least once, in any order, until its newest receipt acknowledges it.

A message that is handed out is invisible for a while, and comes again if nobody extends that or acknowledges it. To be
delivered at a moment within 15 minutes is a delay that the sender's clock reckons; beyond, the moment is told to a
scheduler, which knows the true time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from asl_engine.interpreter.events import Event
from asl_engine.runtime.queued.ports import Backlog, Message, Received
from asl_engine.runtime.queued.trials import MemoryTrials, Trial
from asl_engine.testing.simulation.queued.process import Plant, Process

VISIBILITY: Final = 60_000  # milliseconds that a message is invisible once it is handed out
_DELAY_MAX: Final = 900_000
_HOUR: Final = 3_600_000
_STALE_RECEIPT: Final = 0.5  # share of the acknowledgements with an old receipt that count


@dataclass(slots=True, kw_only=True)
class _Held:
    """A message of which nobody has said that it is done. `due` numbers what was planned last."""

    message: Message
    sent_at: int
    not_before: int
    at: int = 0
    due: int = 0
    deliveries: int = 0
    in_flight: bool = False


class DurableQueue:
    """What the queue holds. `arrived` is told the number of each message that may be handed out."""

    def __init__(self, plant: Plant, arrived: Callable[[int], None]) -> None:
        self._plant, self._arrived = plant, arrived
        self._held: dict[int, _Held] = {}
        self._taken = 0
        # How often for each moment to come. One may be set again to a moment that is past, which no record shows.
        self.timers_sent: dict[tuple[str, int], int] = {}
        self.brought: dict[str, Event] = {}  # the event of each message, by its name

    @property
    def messages(self) -> list[Message]:
        """Those that nobody has acknowledged."""
        return [held.message for held in self._held.values()]

    def take(self, message: Message, delay: int = 0) -> None:
        """Keep a message, and deliver it after a delay in milliseconds."""
        world, faults = self._plant.world, self._plant.faults
        self._taken += 1
        number = self._taken
        if message.event is not None:
            self.brought[message.owner] = message.event
        if world.chance(faults.expired):
            world.befell("expired message")
            return
        self._held[number] = _Held(message=message, sent_at=world.now, not_before=world.now + delay)
        if message.timer_at is not None and message.timer_at > world.now:
            key = (message.execution_arn, message.timer_at)
            self.timers_sent[key] = self.timers_sent.get(key, 0) + 1
        lag = world.between(0, faults.delay) if faults.delay else 0
        if world.chance(faults.hour_late):
            world.befell("message up to an hour late")
            lag = world.between(0, _HOUR)
        self._plan(number, delay + lag)
        if world.chance(faults.duplicate):
            world.befell("duplicate message")
            world.after(delay + lag + world.between(0, 2_000), lambda: self._arrive(number))

    def hand_out(self, number: int) -> Received | None:
        """The message, now invisible for a while; None if it is gone."""
        held = self._held.get(number)
        if held is None:
            return None
        held.deliveries += 1
        held.in_flight = True
        self._plan(number, VISIBILITY)
        return Received(
            message=held.message,
            id=str(number),
            receipt=f"{number}.{held.deliveries}",
            deliveries=held.deliveries,
            sent_at=held.sent_at,
        )

    def extend(self, receipt: str, milliseconds: int) -> None:
        """Keep it invisible for so long from now."""
        number, held = self._of(receipt)
        if held is not None and receipt == f"{number}.{held.deliveries}":
            self._plan(number, milliseconds)

    def acknowledge(self, receipt: str) -> Message | None:
        """Forget a message. Returns it unless it is gone, or an old receipt is not believed."""
        number, held = self._of(receipt)
        if held is None:
            return None
        if receipt != f"{number}.{held.deliveries}" and not self._plant.world.chance(_STALE_RECEIPT):
            return None
        del self._held[number]
        return held.message

    def backlog(self) -> Backlog:
        """What may be handed out now, and what is."""
        in_hand = sum(held.in_flight for held in self._held.values())
        due = sum(held.at <= self._plant.world.now for held in self._held.values() if not held.in_flight)
        return Backlog(waiting=due, in_hand=in_hand)

    def hurry(self) -> None:
        """The faults have stopped: whatever is late because of them comes now."""
        for number, held in self._held.items():
            if not held.in_flight and held.at > max(self._plant.world.now, held.not_before):
                self._plan(number, max(0, held.not_before - self._plant.world.now))

    def _of(self, receipt: str) -> tuple[int, _Held | None]:
        number = int(receipt.partition(".")[0])
        return number, self._held.get(number)

    def _plan(self, number: int, delay: int) -> None:
        held = self._held[number]
        held.due += 1
        due, held.at = held.due, self._plant.world.now + delay

        def come() -> None:
            if number in self._held and held.due == due:
                held.in_flight = False
                self._arrive(number)

        self._plant.world.after(delay, come)

    def _arrive(self, number: int) -> None:
        if number in self._held:
            self._arrived(number)


class QueueConnection:
    """One process's way to the queue: a `MessageQueue`."""

    def __init__(self, queue: DurableQueue, process: Process) -> None:
        self._queue, self._process = queue, process

    async def send(self, message: Message) -> None:
        """See MessageQueue."""
        await self._take("send", message, 0)

    async def send_at(self, message: Message, at: int, now: int) -> None:
        """See MessageQueue."""
        delay = max(0, at - now)
        if delay > _DELAY_MAX:
            delay = max(0, at - self._process.plant.world.now)
        await self._take("send_at", message, delay)

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        """See MessageQueue."""
        process = self._process
        await process.effect("extend")
        process.refuse("extend")
        if process.plant.world.chance(process.plant.faults.lost_extension):
            process.plant.world.befell("lost extension", process.name)
        else:
            for receipt in receipts:
                self._queue.extend(receipt, seconds * 1000)
        await process.effect("extended")

    async def backlog(self) -> Backlog:
        """See MessageQueue."""
        await self._process.effect("backlog")
        self._process.refuse("backlog")
        return self._queue.backlog()

    async def _take(self, call: str, message: Message, delay: int) -> None:
        process = self._process
        await process.effect(call)
        process.refuse(f"{call}, lost")
        process.plant.world.note(process.name, "sends", shown(message))
        self._queue.take(message, delay)
        process.refuse(f"{call}, taken")
        await process.effect(f"{call}, done")


class ProcessTrials:
    """One process's way to the trials that are noted: a `TrialStore`. Half of the notes that fail were taken."""

    def __init__(self, noted: MemoryTrials, process: Process) -> None:
        self._noted, self._process = noted, process

    async def get(self, message_id: str) -> Trial | None:
        """See TrialStore."""
        await self._process.effect("read trial")
        self._process.fail_store("read trial")
        return await self._noted.get(message_id)

    async def put(self, message_id: str, trial: Trial | None) -> None:
        """See TrialStore."""
        process = self._process
        await process.effect("note trial")
        is_taken = process.plant.world.chance(0.5)
        if not is_taken:
            process.fail_store("note trial, lost")
        await self._noted.put(message_id, trial)
        if is_taken:
            process.fail_store("note trial, taken")
        await process.effect("trial noted")


def shown(message: Message) -> str:
    """A message as the trace shows it."""
    name = message.execution_arn.rpartition(":")[2]
    if message.start is not None:
        what = "start"
    elif message.event is not None:
        event = message.event
        what = f"{type(event).__name__} {getattr(event, 'frame_id', '')} #{getattr(event, 'wait_id', '')}"
    elif message.timer_at is not None:
        what = f"timer {message.timer_at % 1_000_000_000 / 1000:.3f}"
    else:
        what = "go on"
    return f"{what} of {name} (owner {message.owner})"
