"""Drive executions until they are over, wait for the outside, or somebody presses Ctrl-C.

The first Ctrl-C lets go in order: tasks are abandoned, what is durable stays, the execution can be resumed. The second
ends the process at once, which loses nothing either: it is what a crash does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import FrameType

from asl_engine.cli.views import View
from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.in_process import InProcessHost
from asl_engine.runtime.live_execution import LiveExecution

Begin = Callable[[], Awaitable[Sequence[LiveExecution]]]


class Detached(Exception):
    """The process was told to let go."""

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__(signal_number)


async def drive(host: InProcessHost, view: View, begin: Begin) -> list[Execution]:
    """Begin executions and drive them; returns each as it is in the end. Raises Detached and StoreError.

    What tasks print goes to standard error: standard output is for the result.
    """
    with interruptions() as interrupted, contextlib.redirect_stdout(sys.stderr):
        view.start()
        try:
            driving = asyncio.create_task(_until_over(host, begin))
            await asyncio.wait((driving, interrupted), return_when=asyncio.FIRST_COMPLETED)
            if driving.done():
                return driving.result()
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)
            raise Detached(interrupted.result())
        finally:
            await host.close()
            view.stop()


async def _until_over(host: InProcessHost, begin: Begin) -> list[Execution]:
    return list(await asyncio.gather(*(host.until_over(live) for live in await begin())))


@contextlib.contextmanager
def interruptions() -> Iterator[asyncio.Future[int]]:
    """A future that the first Ctrl-C or SIGTERM resolves; the second ends the process.

    The handlers run between two bytecodes of the main thread, so they work even while a task blocks the event loop.
    """
    loop = asyncio.get_running_loop()
    interrupted: asyncio.Future[int] = loop.create_future()
    seen: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if seen:
            os._exit(128 + number)
        seen.append(number)
        loop.call_soon_threadsafe(interrupted.set_result, number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
