"""An asyncio event loop in a simulated world: no selector, no threads, and time jumps to the next thing that happens.

Callbacks that are ready run in the order in which they became so, as in any event loop; what is due at the same moment
comes in an order that the world draws. A callback bears the process that it belongs to in its context: once that is
dead, none of its code runs any more, wherever it stood.
"""

# ruff: noqa: SLF001 - an event loop runs handles and says that it runs: asyncio has no public way to do either
from __future__ import annotations

import asyncio
import sys
import warnings
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple

from asl_engine.testing.simulation.violation import Invariant, Violation
from asl_engine.testing.simulation.world import Planned, World

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_SPINS_MAX: Final = 20_000  # callbacks at one moment

_CLOSES_MAX: Final = 20


class Life(Protocol):
    """The process that a callback belongs to."""

    is_dead: bool


LIFE: Final[ContextVar[Life | None]] = ContextVar("LIFE", default=None)


class SimulatedLoop(asyncio.BaseEventLoop):
    """The part of an event loop that needs nothing from outside."""

    def __init__(self, world: World) -> None:
        # BaseEventLoop's own state is for selectors and threads: none of it is made, and nothing here uses it.
        self._world = world
        self._ready: deque[asyncio.Handle] = deque()
        self._tasks: list[asyncio.Task[Any]] = []

    def run(self, is_done: Callable[[], bool], steps_max: int) -> bool:
        """Let things happen until it is done. False if there were too many."""
        events._set_running_loop(self)
        try:
            for _ in range(steps_max):
                self._run_ready()
                if is_done() or not self._world.step():
                    return True
            return False
        finally:
            events._set_running_loop(None)

    def _run_ready(self) -> None:
        ready, spins = self._ready, 0
        while ready:
            handle = ready.popleft()
            context = handle._context  # type: ignore[attr-defined]
            life = context.get(LIFE)
            if (life is None or not life.is_dead) and not handle._cancelled:
                context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
            spins += 1
            if spins > _SPINS_MAX:
                raise Violation(Invariant.ENDS, f"{spins} callbacks at one moment: somebody waits without waiting")

    def close(self) -> None:
        """Let go of what will never go on."""
        events._set_running_loop(self)
        told, sys.unraisablehook = sys.unraisablehook, lambda _raised: None  # by what ends while it should not
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # of what was never begun
                for task in self._tasks:
                    if not task.done():
                        task._log_destroy_pending = False  # type: ignore[attr-defined]
                        _close(task.get_coro())
        finally:
            events._set_running_loop(None)
            sys.unraisablehook = told
        self._ready.clear()
        self._tasks.clear()

    # What asyncio asks of an event loop

    def time(self) -> float:
        """The true time of the world, in seconds."""
        return self._world.now / 1000

    def get_debug(self) -> bool:
        """Never: it would only cost time."""
        return False

    def is_running(self) -> bool:
        """Whoever asks is running in it."""
        return True

    def is_closed(self) -> bool:
        """It has nothing open that would be missed."""
        return True

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """See AbstractEventLoop."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See AbstractEventLoop."""
        handle = _Timer(self.time() + delay, callback, args, self, context)
        handle.planned = self._world.after(max(0, round(delay * 1000)), lambda: self._ready.append(handle))
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See AbstractEventLoop."""
        return self.call_later(when - self.time(), callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        """See AbstractEventLoop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: object = None,  # noqa: ARG002 - nobody reads the names of tasks
        context: Context | None = None,
    ) -> asyncio.Task[_T]:
        """See AbstractEventLoop."""
        task: asyncio.Task[_T] = asyncio.Task(coro, loop=self, name="simulated", context=context)
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody asked for, nobody misses: each port sees what is raised through it."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        assert isinstance(handle, _Timer)
        if handle.planned is not None:
            handle.planned.cancel()


class _Timer(asyncio.TimerHandle):
    __slots__ = ("planned",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._scheduled = True
        self.planned: Planned | None = None


def _close(coroutine: Any) -> None:
    """End a coroutine, which may go on to another await when it is asked to end."""
    for _ in range(_CLOSES_MAX):
        try:
            coroutine.close()
        except RuntimeError:
            continue
        except Exception:  # whatever it says: it is not supposed to live
            return
        return


async def for_ever() -> None:
    """Never return."""
    await asyncio.get_running_loop().create_future()


async def pass_time(milliseconds: int) -> None:
    """Let so much time go by."""
    await asyncio.sleep(milliseconds / 1000)
