"""A simulated process that runs an execution by the rules of `runtime.live_execution`, and may die at every effect.

Its life is one coroutine, driven by the world and not by asyncio: read the inbox, take up, dispatch what is open; then
hand each batch of events to the real Runner, dispatch what that returns, and only then acknowledge the messages that
brought the events. A crash ends the coroutine where it stands and takes the queue, timers and tasks of the process
with it; what is durable, and what others perform, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from asl_engine.errors import Conflict, StoreError
from asl_engine.interpreter.commands import (
    CancelTask,
    Command,
    Continue,
    ScheduleTask,
    StartExecutionTimer,
    StartTimer,
)
from asl_engine.interpreter.events import Event, ExecutionTimerFired, TimerFired
from asl_engine.interpreter.execution import Execution, TaskAttempt
from asl_engine.interpreter.options import Options
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.runner import Runner
from asl_engine.store.protocol import ExecutionStore
from asl_engine.testing.simulation.checker import Checker
from asl_engine.testing.simulation.faults import Faults
from asl_engine.testing.simulation.message_queue import MessageQueue
from asl_engine.testing.simulation.simulated_store import StoreConnection
from asl_engine.testing.simulation.violation import Crash
from asl_engine.testing.simulation.world import PARKED, World, pause

_RESTART_MAX: Final = 20_000  # milliseconds a process stays away

Post = Callable[[Event], None]
_Key = tuple[str, str, int]


class Work(Protocol):
    """Who performs tasks for a process."""

    def perform(self, process: Process, execution: Execution, frame_id: str, attempt: TaskAttempt) -> None:
        """Begin. What comes of it is posted, or sent through the queue."""


@dataclass(slots=True, kw_only=True)
class Plant:
    """What the processes of one simulation share.

    `begun` says that somebody knows the execution has been started. `orphaned` is called when a process has died for
    good, as only the second one of two does, if `is_mortal_rival`. `may_orphan_records`: the one that has written a
    record may never hear of it.
    """

    world: World
    machine: StateMachine
    execution: Execution
    options: Options
    checker: Checker
    queue: MessageQueue
    faults: Faults
    orphaned: Callable[[], object]
    is_mortal_rival: bool = False
    may_orphan_records: bool = False
    begun: bool = False
    effects: int = 0


@dataclass(slots=True)
class _Queued:
    """An event on its way in. None only asks to go on. It came from the inbox, from the queue, or from here."""

    event: Event | None
    message_id: int | None = None
    receipt: int | None = None


class Process:
    """One process. `skew` is what its clock is off, in milliseconds."""

    def __init__(
        self,
        name: str,
        plant: Plant,
        work: Work,
        connect: Callable[[Process], StoreConnection],
        *,
        is_mortal: bool = False,
    ) -> None:
        self.name, self.plant, self._work, self._is_mortal = name, plant, work, is_mortal
        self._store = connect(self)
        self.skew = 0
        self._incarnation = 0
        self._life: Coroutine[int, None, None] | None = None
        self._is_away = False
        self._is_parked = False
        self._queue: list[_Queued] = []
        self._messages: set[int] = set()
        self._cancelled: set[tuple[str, int]] = set()
        self._dispatched: set[_Key] = set()
        self._inbox_due = True

    # What the world does to it

    def launch(self) -> None:
        """Start, unless it runs or has just died."""
        if self._life is None and not self._is_away:
            self._incarnation += 1
            self._life = self._live()
            self._go_on(self._incarnation)

    def deliver(self, event: Event, receipt: int) -> None:
        """A message from the queue has come."""
        if not self._is_away:
            self._enqueue(_Queued(event, receipt=receipt))

    def inherit(self) -> None:
        """A message that another process owned, dead for good, has come back to the queue, and now here."""
        if self._life is not None:
            self._enqueue(_Queued(None))

    def look_into_inbox(self) -> None:
        """Something may have come."""
        self._inbox_due = True
        self._wake()

    def poster(self) -> Post:
        """Posts events of this process's own; whatever comes after its death is lost with it."""
        incarnation = self._incarnation

        def post(event: Event) -> None:
            if self._incarnation == incarnation and self._life is not None:
                self._enqueue(_Queued(event))

        return post

    def now(self) -> int:
        """The time as this process sees it."""
        return self.plant.world.now + self.skew

    def has_cancelled(self, frame_id: str, wait_id: int) -> bool:
        """Whether it has stopped its own work on an attempt."""
        return (frame_id, wait_id) in self._cancelled

    async def effect(self, what: str) -> None:
        """Something is about to be done to the world outside, or has just been done. Raises Crash."""
        plant = self.plant
        plant.effects += 1
        if plant.effects in plant.faults.crash_at or plant.world.chance(self._crash):
            raise Crash(what)
        if plant.faults.pause and plant.world.chance(0.5):
            await pause(plant.world.between(0, plant.faults.pause))

    @property
    def _crash(self) -> float:
        """Beside one that dies for good, the other one survives: so nothing but its own rules makes up for the loss."""
        is_survivor = self.plant.is_mortal_rival and not self._is_mortal
        return 0 if is_survivor else self.plant.faults.crash

    # Its life

    async def _live(self) -> None:
        runner = Runner(
            self.plant.machine,
            cast("ExecutionStore", self._store),  # a runner asks no more of a store
            self.plant.options,
            self.plant.checker.observed,
        )
        await self._dispatch(runner, await self._begin_or_take_up(runner))
        while not runner.is_over:
            if self._inbox_due:
                await self._read_inbox()
            if self._queue:
                await self._advance(runner)
            elif not self._inbox_due:
                self._is_parked = True
                await pause(PARKED)
        await self._acknowledge(self._queue)

    async def _begin_or_take_up(self, runner: Runner) -> Sequence[Command]:
        if not self.plant.begun:
            try:
                commands = await runner.begin(self.plant.execution)
            except Conflict:
                self.plant.world.befell("lost race to begin", self.name)
                self.plant.begun = True
            else:
                self.plant.begun = True
                return commands
        # A record may land late and consume a message. Whoever looks for messages first is sure to load that record.
        await self._read_inbox()
        return await runner.take_up(self.plant.execution.arn)

    async def _advance(self, runner: Runner) -> None:
        batch, self._queue = self._queue, []
        events = [queued.event for queued in batch if queued.event is not None]
        consumed = [queued.message_id for queued in batch if queued.message_id is not None]
        before = runner.execution.sequence
        self.plant.world.note(self.name, "handles", *events)
        commands: Sequence[Command] = await runner.handle(events, self.now(), consumed)
        if runner.execution.sequence != before + 1:
            self.plant.world.befell("lost race", self.name)
            commands = await self._after_lost_race(runner, commands)
        await self._dispatch(runner, commands)
        await self._acknowledge(batch)

    async def _after_lost_race(self, runner: Runner, commands: Sequence[Command]) -> Sequence[Command]:
        """Whoever has written what we did not know may be dead, or we in our last life: its commands are ours too."""
        if not self.plant.may_orphan_records:
            return commands
        still_open = {_key(one): one for one in await runner.take_up(runner.execution.arn)}
        cancels = (one for one in commands if isinstance(one, CancelTask))
        known = self._dispatched - set(map(_key, commands))
        return (*cancels, *(one for key, one in still_open.items() if key not in known))

    async def _read_inbox(self) -> None:
        self._inbox_due = False
        for message in await self._store.inbox(self.plant.execution.arn):
            if message.id not in self._messages:
                self._messages.add(message.id)
                self._queue.append(_Queued(message.event, message_id=message.id))

    async def _dispatch(self, runner: Runner, commands: Sequence[Command]) -> None:
        for command in commands:
            await self.effect("dispatch")
            self.plant.world.note(self.name, "dispatches", command)
            self.plant.checker.dispatched(command, runner.execution.sequence)
            if not isinstance(command, Continue):
                self._dispatched.add(_key(command))
            self._carry_out(runner.execution, command)
            await self.effect("dispatched")

    async def _acknowledge(self, batch: Sequence[_Queued]) -> None:
        for queued in batch:
            if queued.receipt is not None:
                await self.effect("acknowledge")
                event = self.plant.queue.acknowledge(queued.receipt)
                if event is not None:
                    self.plant.checker.acknowledged(event)
                await self.effect("acknowledged")

    def _carry_out(self, execution: Execution, command: Command) -> None:
        match command:
            case ScheduleTask(frame_id, attempt):
                if _is_open(execution, frame_id, attempt):  # or else its CancelTask comes right behind
                    self._work.perform(self, execution, frame_id, attempt)
            case CancelTask(frame_id, attempt):
                self._cancelled.add((frame_id, attempt.wait_id))
            case StartTimer(frame_id, wait_id, at):
                self._start_timer(at, TimerFired(frame_id, wait_id))
            case StartExecutionTimer(at):
                self._start_timer(at, ExecutionTimerFired())
            case Continue():
                self._queue.append(_Queued(None))

    def _start_timer(self, at: int, event: Event) -> None:
        world, faults = self.plant.world, self.plant.faults
        error = world.between(-faults.timer_error, faults.timer_error) if faults.timer_error else 0
        delay = max(0, at - self.now() + error)
        if world.chance(faults.remote):
            self.plant.queue.send(event, delay)
            return
        post = self.poster()
        world.after(delay, lambda: post(event))
        if world.chance(faults.duplicate):
            world.befell("duplicate timer", self.name)
            world.after(delay + world.between(0, 1_000), lambda: post(event))

    # How it goes on, and how it ends

    def _enqueue(self, queued: _Queued) -> None:
        self._queue.append(queued)
        world, faults = self.plant.world, self.plant.faults
        if world.chance(faults.clock_jump):
            world.befell("clock jump", self.name)
            self.skew = world.between(-faults.skew, faults.skew)
        if world.chance(self._crash):
            self._die("idle")
        elif self._life is None:
            self.launch()
        else:
            self._wake()

    def _wake(self) -> None:
        if self._is_parked:
            self._is_parked = False
            incarnation = self._incarnation
            self.plant.world.after(self.plant.world.between(0, 5), lambda: self._go_on(incarnation))

    def _go_on(self, incarnation: int) -> None:
        if self._life is None or incarnation != self._incarnation:
            return
        try:
            delay = self._life.send(None)
        except StopIteration:
            self._life = None
            self._forget()
        except StoreError:
            self._die("store", is_crash=False)
        except Crash as crash:
            self._die(str(crash))
        else:
            if delay != PARKED:
                self.plant.world.after(delay, lambda: self._go_on(incarnation))

    def _die(self, where: str, *, is_crash: bool = True) -> None:
        """Lose all that is only in memory, and come back later."""
        self.plant.world.befell(f"crash: {where}" if is_crash else "given up after a store error", self.name)
        if self._life is not None:
            self._life.close()
        self._life, self._is_away = None, True
        self._incarnation += 1
        self._forget()
        if is_crash and self._is_mortal:
            self.plant.world.befell("death", self.name)
            self.plant.orphaned()
        else:
            self.plant.world.after(self.plant.world.between(1, _RESTART_MAX), self._come_back)

    def _come_back(self) -> None:
        self._is_away = False
        self.launch()

    def _forget(self) -> None:
        self._queue, self._messages, self._cancelled, self._dispatched = [], set(), set(), set()
        self._inbox_due, self._is_parked = True, False


def _key(command: Command) -> _Key:
    """Tells commands apart. A timer for another moment is another one."""
    match command:
        case ScheduleTask(frame_id, attempt) | CancelTask(frame_id, attempt):
            return type(command).__name__, frame_id, attempt.wait_id
        case StartTimer(frame_id, _, at):
            return "StartTimer", frame_id, at
        case StartExecutionTimer(at):
            return "StartExecutionTimer", "", at
        case Continue():
            return "Continue", "", 0


def _is_open(execution: Execution, frame_id: str, attempt: TaskAttempt) -> bool:
    frame = execution.frames.get(frame_id)
    return frame is not None and frame.wait is not None and frame.wait.wait_id == attempt.wait_id
