"""Daemon threads: bounded, used again, and never in the way of the process's end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from asl_engine.runtime.daemon_threads import DaemonThreads


def test_work_beyond_the_bound_waits_its_turn() -> None:
    """All work is handed in before any may end, so each needs a thread of its own but for the bound."""
    leave = threading.Event()

    def work() -> int:
        leave.wait(timeout=30)
        return threading.get_ident()

    async def main() -> list[int]:
        threads = DaemonThreads(2)
        running = [asyncio.ensure_future(threads.run(work)) for _ in range(10)]
        await asyncio.sleep(0)
        leave.set()
        used = await asyncio.gather(*running)
        threads.close()
        return used

    used = asyncio.run(main())
    assert len(used) == 10
    assert len(set(used)) <= 2


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_what_the_work_raises_is_raised_and_the_thread_goes_on(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def main() -> tuple[BaseException | None, str]:
        threads = DaemonThreads(1)
        caught: BaseException | None = None
        try:
            await threads.run(fail)
        except BaseException as raised:
            caught = raised
        answer = await threads.run(lambda: "still here")
        threads.close()
        return caught, answer

    assert asyncio.run(main()) == (error, "still here")


def test_closing_ends_idle_threads() -> None:
    async def main() -> threading.Thread:
        threads = DaemonThreads(1)
        thread = await threads.run(threading.current_thread)
        threads.close()
        return thread

    thread = asyncio.run(main())
    thread.join(timeout=30)
    assert (thread.daemon, thread.is_alive()) == (True, False)


@pytest.mark.parametrize("error", [None, ValueError("late")])
def test_a_result_that_nobody_waits_for_is_dropped(error: Exception | None) -> None:
    complaints: list[dict[str, Any]] = []
    started, leave = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        leave.wait(timeout=30)
        if error is not None:
            raise error

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        threads = DaemonThreads(1)
        running = asyncio.ensure_future(threads.run(work))
        await asyncio.to_thread(started.wait)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        leave.set()
        await threads.run(bool)  # the one thread has handed its late result over before it takes this
        threads.close()

    asyncio.run(main())
    assert complaints == []


def test_work_may_outlive_its_loop() -> None:
    started, leave = threading.Event(), threading.Event()

    def work() -> threading.Thread:
        seen.append(threading.current_thread())
        started.set()
        leave.wait(timeout=30)
        return threading.current_thread()

    async def abandon(threads: DaemonThreads) -> None:
        running = asyncio.create_task(threads.run(work))
        await asyncio.to_thread(started.wait)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        threads.close()

    seen: list[threading.Thread] = []
    threads = DaemonThreads(1)
    asyncio.run(abandon(threads))
    leave.set()
    seen[0].join(timeout=30)
    assert not seen[0].is_alive()
