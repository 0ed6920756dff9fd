"""Work: what one tenure has in hand, its attempts and the jobs that it stops. Lives as long as the tenure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from asl_engine.errors import Conflict, QueueUnavailable, StoreUnavailable
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
)
from asl_engine.language.definition import IntegrationPattern, ResourceType
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.jobs import JobPerformer
from asl_engine.runtime.queued.arrivals import Key
from asl_engine.runtime.queued.observer import HostObserver
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, Taken, TaskCall, TaskPerformer, TaskResult

# What the next delivery may well find mended: it says nothing about a task.
PASSING: Final = (StoreUnavailable, QueueUnavailable, Conflict)
_STOP_PAUSES_MILLISECONDS: Final = (1_000, 3_000)


@dataclass(frozen=True, slots=True)
class _InHand:
    """An attempt. Without a task it was put off; with a failure, its task is over and did not come to a result."""

    call: TaskCall
    task: asyncio.Task[None] | None = None
    failure: Exception | None = None

    @property
    def is_performed(self) -> bool:
        return self.task is not None and self.failure is None

    def let_go(self) -> None:
        if self.task is not None:
            self.task.cancel()


class Work:
    """Performs attempts and posts what became of them: None for one that is answered from outside.

    An attempt that `may_begin` forbids is put off: it stays in hand, for another runner. So does one that an outage
    kept from being performed.
    """

    def __init__(
        self,
        performer: TaskPerformer,
        jobs: JobPerformer | None,
        clock: Clock,
        observer: HostObserver,
        post: Callable[[Event | None], None],
        may_begin: Callable[[TaskCall], bool] = lambda _call: True,
    ) -> None:
        self._performer, self._jobs, self._clock, self._observer, self._post = performer, jobs, clock, observer, post
        self._may_begin = may_begin
        self._in_hand: dict[Key, _InHand] = {}
        self._taken: set[Key] = set()  # every attempt that was begun here
        self._over: set[Key] = set()
        self._cancelled: set[Key] = set()  # every job that was stopped here
        self._looks: set[asyncio.Task[None]] = set()
        self._stops: set[asyncio.Task[None]] = set()
        self._has_unstopped = False
        self.has_started_jobs = False  # or asked for it

    @property
    def in_hand(self) -> frozenset[Key]:
        """The attempts whose results are awaited, here or by the next runner."""
        return frozenset(self._in_hand)

    @property
    def is_performing(self) -> bool:
        """Whether the result of any of them may still come."""
        return any(held.is_performed for held in self._in_hand.values())

    @property
    def failure(self) -> Exception | None:
        """What kept an attempt from being performed: an outage."""
        return next((held.failure for held in self._in_hand.values() if held.failure is not None), None)

    @property
    def owners(self) -> frozenset[str]:
        """The messages that own them."""
        return self.owners_of(self._in_hand)

    def owners_of(self, keys: Iterable[Key]) -> frozenset[str]:
        """The messages that own some of them."""
        return frozenset(self._in_hand[key].call.attempt.owner for key in keys)

    @property
    def is_stopping(self) -> bool:
        """Whether jobs are being stopped."""
        return bool(self._stops)

    @property
    def has_requests_under_way(self) -> bool:
        """Whether jobs are being started or stopped, or could not be stopped during an outage."""
        jobs = self._jobs
        return self._has_unstopped or (
            jobs is not None
            and (
                bool(self._stops)
                or any(each.is_performed and jobs.handles(each.call) for each in self._in_hand.values())
            )
        )

    def perform(self, call: TaskCall) -> None:
        """Begin an attempt, unless it was begun here before: its result is awaited, or is on its way into a record."""
        key = _key(call)
        if key in self._taken:
            return
        self._taken.add(key)
        if not self._may_begin(call):
            self._in_hand[key] = _InHand(call)
            return
        self.has_started_jobs = self.has_started_jobs or (self._jobs is not None and self._jobs.handles(call))
        heard = replace(
            call,
            heartbeat=lambda: self._post(TaskHeartbeat(*key)),
            begun=lambda: self._begun(call),
            submitted=lambda output: self._post(TaskSubmitted(*key, output)),
            is_over=lambda: key in self._over,
        )
        self._in_hand[key] = _InHand(heard, self._spawn(self._performing(key, heard)))

    def look(self, call: TaskCall, post: Callable[[Event], None]) -> asyncio.Task[None]:
        """Look at a job, and post how it ended if it did."""
        task = self._spawn(self._looking(call, post))
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)
        return task

    def cancel(self, call: TaskCall) -> None:
        """Drop an attempt whose result no longer counts, and stop its job if it is one."""
        key = _key(call)
        if self._jobs is None or not self._jobs.handles(call):
            self._drop(key)
        elif key not in self._cancelled:
            self._cancelled.add(key)
            self._over.add(key)
            stop = self._spawn(self._stopping(self._jobs, call, self._in_hand.pop(key, None)))
            self._stops.add(stop)
            stop.add_done_callback(self._stopped)

    def keep(self, is_open: Callable[[Key], bool]) -> None:
        """Drop the attempts that are no longer open: another runner's record ended them. It knows nothing of a job that
        is being submitted here."""
        for key in [key for key in self._in_hand if not is_open(key)]:
            self.cancel(self._in_hand[key].call)

    async def rest(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Wait for some of the work, which is no work itself."""
        self._clock.end()
        try:
            await asyncio.wait(tuple(tasks))
        finally:
            self._clock.begin()

    def let_go(self) -> None:
        """Let go of the attempts: what is open stays open in the journal. Jobs are still stopped."""
        for held in self._in_hand.values():
            held.let_go()
        for look in self._looks:
            look.cancel()
        self._in_hand.clear()

    def abandon(self) -> None:
        """Let go of everything."""
        self.let_go()
        for stop in self._stops:
            stop.cancel()

    def _drop(self, key: Key) -> None:
        held = self._in_hand.pop(key, None)
        if held is not None:
            self._over.add(key)
            held.let_go()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self._clock.begin()
        loop = asyncio.get_running_loop()
        task = loop.create_task(work)
        # Whoever waits for the task is at work again before it counts as ended, so that virtual time cannot slip by.
        task.add_done_callback(lambda _done: loop.call_soon(self._clock.end))
        return task

    async def _performing(self, key: Key, call: TaskCall) -> None:
        try:
            result = await self._perform(call)
        except PASSING as error:
            if key in self._in_hand:
                self._in_hand[key] = replace(self._in_hand[key], failure=error)
            self._post(None)
            return
        except Exception as error:
            result = Failed("States.Runtime", f"the task could not be performed: {type(error).__name__}: {error}")
        self._in_hand.pop(key, None)
        if key not in self._over:
            self._post(_event_of(key, result))

    async def _perform(self, call: TaskCall) -> TaskResult:
        if self._jobs is not None and self._jobs.handles(call):
            return await self._jobs.submit(call)
        if self._performer.handles(call):
            return await self._performer.perform(call)
        return Failed("States.Runtime", f"nothing here performs tasks of Resource {call.resource.arn}")

    async def _looking(self, call: TaskCall, post: Callable[[Event], None]) -> None:
        assert self._jobs is not None, "only jobs are looked at"
        try:
            result = await self._jobs.look(call)
        except Exception as error:
            self._observer.unseen(call, f"{type(error).__name__}: {error}")
            return
        event = None if result is None else _event_of(_key(call), result)
        if event is not None and not isinstance(event, TaskSubmitted):
            post(event)

    async def _stopping(self, jobs: JobPerformer, call: TaskCall, held: _InHand | None) -> None:
        """A request that is on its way may still start the job: only its answer says what there is to stop."""
        if held is not None and held.task is not None:
            try:
                await asyncio.wait({held.task})
            finally:
                held.let_go()
        try:
            reason = await self._stop(jobs, call)
        except PASSING:
            self._has_unstopped = True
            return
        if reason is not None:
            self._observer.unstopped(call, reason)

    async def _stop(self, jobs: JobPerformer, call: TaskCall) -> str | None:
        """Why the job runs on after some tries. Raises what is PASSING."""
        reason = await _stop_once(jobs, call)
        for pause in _STOP_PAUSES_MILLISECONDS:
            if reason is None:
                return None
            await self._clock.sleep_until(self._clock.now() + pause)
            reason = await _stop_once(jobs, call)
        return reason

    def _stopped(self, stop: asyncio.Task[None]) -> None:
        self._stops.discard(stop)
        self._post(None)

    def _begun(self, call: TaskCall) -> None:
        if call.resource.type is ResourceType.ACTIVITY:
            self._post(ActivityStarted(*_key(call)))


def is_awaited(call: TaskCall) -> bool:
    """Whether whoever performs it waits for its result: else it is over as soon as it is asked for."""
    resource = call.resource
    return resource.type is not ResourceType.ACTIVITY and resource.pattern is IntegrationPattern.REQUEST_RESPONSE


async def _stop_once(jobs: JobPerformer, call: TaskCall) -> str | None:
    try:
        return await jobs.stop(call)
    except PASSING:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _key(call: TaskCall) -> Key:
    return call.frame_id, call.attempt.wait_id


def _event_of(key: Key, result: TaskResult) -> Event | None:
    match result:
        case Succeeded(output):
            return TaskSucceeded(*key, output)
        case Failed(error, cause):
            return TaskFailed(*key, error, cause)
        case Submitted(output):
            return TaskSubmitted(*key, output)
        case Taken():
            return None
        case _:
            assert_never(result)
