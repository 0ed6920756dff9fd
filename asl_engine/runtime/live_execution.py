"""A live execution: one that this process drives, its tasks performed and its timers running.

Events queue up while a record is being written and go into the next one together (group commit). Whatever is queued,
performed or dispatched counts as work for the clock, so virtual time cannot jump over it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from asl_engine.interpreter.commands import (
    CancelTask,
    Command,
    Continue,
    ScheduleTask,
    StartExecutionTimer,
    StartTimer,
)
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    ExecutionTimerFired,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import Execution, TaskAttempt
from asl_engine.language.definition import Resource, ResourceType, TaskState
from asl_engine.runtime.clock import Clock, TimerHandle
from asl_engine.runtime.runner import Runner
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, Taken, TaskCall, TaskPerformer, TaskResult

_EXECUTION_TIMER = ("", -1)
_Key = tuple[str, int]


@dataclass(slots=True)
class _Queued:
    """An event on its way in; None only asks to go on. `message_id` is its place in the inbox it came from."""

    event: Event | None
    message_id: int | None = None
    durable: asyncio.Future[None] | None = None


class LiveExecution:
    """Drives a runner: `launch` begins, `ended` is done when the execution is over or the store failed."""

    def __init__(self, runner: Runner, performer: TaskPerformer, clock: Clock) -> None:
        self._runner, self._performer, self._clock = runner, performer, clock
        self._queue: list[_Queued] = []
        self._arrived = asyncio.Event()
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._timers: dict[_Key, TimerHandle] = {}
        self._messages_seen: set[int] = set()
        self._driver: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None  # what ended the driving before the execution was over

    @property
    def execution(self) -> Execution:
        """The execution as of its newest record."""
        return self._runner.execution

    @property
    def ended(self) -> asyncio.Task[None]:
        """Done when nothing is left to drive. Raises what stopped it: a StoreError leaves the execution resumable."""
        assert self._driver is not None, "launch comes first"
        return self._driver

    def launch(self, commands: Sequence[Command]) -> None:
        """Dispatch the first commands and drive from here on."""
        self._dispatch(commands)
        self._driver = asyncio.get_running_loop().create_task(self._drive())

    def post(self, event: Event | None, message_id: int | None = None) -> None:
        """Queue an event; one that came from the inbox is taken only once."""
        if message_id is not None:
            if message_id in self._messages_seen:
                return
            self._messages_seen.add(message_id)
        self._enqueue(_Queued(event, message_id))

    async def apply(self, event: Event) -> None:
        """Queue an event and return once the record that consumed it is durable, or the execution is over.

        Raises what stopped the driving: whether the event is durable must then be asked of the store.
        """
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(_Queued(event, durable=durable))
        await durable

    async def close(self) -> None:
        """Stop driving. What is open stays open in the store."""
        self._let_go()
        if self._driver is not None:
            self._driver.cancel()
            await asyncio.gather(self._driver, return_exceptions=True)

    def _enqueue(self, queued: _Queued) -> None:
        self._clock.begin()
        if self._driver is not None and self._driver.done():  # nobody is left to take it
            self._settle(queued)
            return
        self._queue.append(queued)
        self._arrived.set()

    async def _drive(self) -> None:
        batch: list[_Queued] = []
        try:
            while not self._runner.is_over:
                await self._arrived.wait()
                self._arrived.clear()
                batch, self._queue = self._queue, []
                await self._handle(batch)
                batch = []
        except BaseException as error:
            self._broken = error
            raise
        finally:
            self._let_go()
            for queued in (*batch, *self._queue):
                self._settle(queued)
            self._queue = []

    async def _handle(self, batch: list[_Queued]) -> None:
        events = [queued.event for queued in batch if queued.event is not None]
        consumed = [queued.message_id for queued in batch if queued.message_id is not None]
        frames = len(self.execution.frames)
        commands = await self._runner.handle(events, self._clock.now(), consumed)
        self._dispatch(commands)
        if len(self.execution.frames) < frames:
            self._forget_timers_of_lost_frames()
        for queued in batch:
            self._forget_timer(queued.event)
            self._settle(queued)

    def _settle(self, queued: _Queued) -> None:
        self._clock.end()
        if queued.durable is None or queued.durable.done():
            return
        if self._broken is None:
            queued.durable.set_result(None)
        elif isinstance(self._broken, asyncio.CancelledError):
            queued.durable.cancel()
        else:
            queued.durable.set_exception(self._broken)

    def _dispatch(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case ScheduleTask(frame_id, attempt):
                    self._perform(frame_id, attempt)
                case CancelTask(frame_id, attempt):
                    self._cancel(frame_id, attempt)
                case StartTimer(frame_id, wait_id, at) if frame_id in self.execution.frames:
                    self._start_timer((frame_id, wait_id), at, TimerFired(frame_id, wait_id))
                case StartTimer():
                    pass  # what asked for it was ended by a sibling's failure in the same advance
                case StartExecutionTimer(at):
                    self._start_timer(_EXECUTION_TIMER, at, ExecutionTimerFired())
                case Continue():
                    self.post(None)
                case _:
                    assert_never(command)

    def _start_timer(self, key: _Key, at: int, event: Event) -> None:
        def fire() -> None:
            self._timers.pop(key, None)
            self.post(event)

        self._timers[key] = self._clock.call_at(at, fire)

    def _forget_timer(self, event: Event | None) -> None:
        if isinstance(event, TaskSucceeded | TaskFailed):
            timer = self._timers.pop((event.frame_id, event.wait_id), None)
            if timer is not None:
                timer.cancel()

    def _forget_timers_of_lost_frames(self) -> None:
        """Virtual time must not run on to a moment that nothing waits for any more."""
        frames = self.execution.frames
        for key in [key for key in self._timers if key[0] not in frames and key != _EXECUTION_TIMER]:
            self._timers.pop(key).cancel()

    def _perform(self, frame_id: str, attempt: TaskAttempt) -> None:
        key = (frame_id, attempt.wait_id)
        self._clock.begin()
        task = asyncio.get_running_loop().create_task(self._performing(frame_id, attempt))
        self._tasks[key] = task

        def performed(_task: asyncio.Task[None]) -> None:
            self._clock.end()
            if self._tasks.get(key) is task:
                del self._tasks[key]

        task.add_done_callback(performed)

    def _cancel(self, frame_id: str, attempt: TaskAttempt) -> None:
        task = self._tasks.pop((frame_id, attempt.wait_id), None)
        if task is not None:
            task.cancel()

    async def _performing(self, frame_id: str, attempt: TaskAttempt) -> None:
        call = self._call(frame_id, attempt)
        try:
            result = await self._performer.perform(call)
        except Exception as error:
            result = Failed("States.Runtime", f"the task could not be performed: {type(error).__name__}: {error}")
        event = _event_of(frame_id, attempt.wait_id, result)
        if event is not None:
            self.post(event)

    def _call(self, frame_id: str, attempt: TaskAttempt) -> TaskCall:
        execution = self.execution
        branch = self._runner.machine.branches[execution.frames[frame_id].branch]
        state = branch.states[attempt.state_name]
        assert isinstance(state, TaskState)
        return TaskCall(
            execution_arn=execution.arn,
            execution_name=execution.name,
            state_machine_name=execution.state_machine_name,
            frame_id=frame_id,
            resource=state.resource,
            attempt=attempt,
            execution_started_at=execution.started_at,
            state_entered_at=execution.frames[frame_id].entered_at,
            state_entered_event_id=execution.frames[frame_id].entered_event_id,
            heartbeat=lambda: self.post(TaskHeartbeat(frame_id, attempt.wait_id)),
            begun=lambda: self._begun(state.resource, frame_id, attempt.wait_id),
            submitted=lambda output: self.post(TaskSubmitted(frame_id, attempt.wait_id, output)),
            is_over=lambda: self._is_over(frame_id, attempt.wait_id),
        )

    def _is_over(self, frame_id: str, wait_id: int) -> bool:
        frame = self.execution.frames.get(frame_id)
        is_open = frame is not None and frame.wait is not None and frame.wait.wait_id == wait_id
        return self._runner.is_over or not is_open

    def _begun(self, resource: Resource, frame_id: str, wait_id: int) -> None:
        if resource.type is ResourceType.ACTIVITY:
            self.post(ActivityStarted(frame_id, wait_id))

    def _let_go(self) -> None:
        for task in tuple(self._tasks.values()):
            task.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _event_of(frame_id: str, wait_id: int, result: TaskResult) -> Event | None:
    match result:
        case Succeeded(output):
            return TaskSucceeded(frame_id, wait_id, output)
        case Failed(error, cause):
            return TaskFailed(frame_id, wait_id, error, cause)
        case Submitted(output):
            return TaskSubmitted(frame_id, wait_id, output)
        case Taken():
            return None
        case _:
            assert_never(result)
