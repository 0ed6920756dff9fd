"""Threads for tasks that block, of a kind that never keeps the process alive.

`concurrent.futures` joins its threads at exit, so one hung task would hang the process. These are daemons: they are
reused while idle, bounded in number, and simply end with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from collections.abc import Callable
from typing import TypeAlias, TypeVar

T = TypeVar("T")
_Handover: TypeAlias = Callable[[], object]


class DaemonThreads:
    """At most `count_max` daemon threads, started when work finds none idle. Work beyond that waits its turn."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._work: queue.SimpleQueue[Callable[[], _Handover] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = self._idle = 0

    async def run(self, function: Callable[[], T]) -> T:
        """What `function` gives or raises. Cancelling abandons the result; the thread ends with its work."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def work() -> _Handover:
            try:
                settle = functools.partial(_resolve, done, function())
            except BaseException as error:  # a SystemExit, too, must not take the thread along
                settle = functools.partial(_reject, done, error)
            return functools.partial(loop.call_soon_threadsafe, settle)

        self._submit(work)
        return await done

    def close(self) -> None:
        """Let idle threads end now and busy ones after their work. No more work may come."""
        with self._lock:
            for _ in range(self._count):
                self._work.put(None)

    def _submit(self, work: Callable[[], _Handover]) -> None:
        with self._lock:
            self._work.put(work)
            if self._idle:
                self._idle -= 1
            elif self._count < self._count_max:
                self._count += 1
                threading.Thread(target=self._serve, name=f"asl-task-{self._count}", daemon=True).start()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            hand_over = work()
            with self._lock:  # idle before anybody can know of the result, or the next work would start a thread
                self._idle += 1
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                hand_over()


def _resolve(done: asyncio.Future[T], value: T) -> None:
    if not done.done():
        done.set_result(value)


def _reject(done: asyncio.Future[T], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
