from __future__ import annotations

import asyncio

from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.queued.ports import Received
from benchmarks.cost.usage import Usage
from benchmarks.cost.virtual_queue import VirtualQueue


async def at_once() -> None:
    """The answer takes no time."""


def ignored(_received: Received, _size: int) -> None:
    """Nobody receives."""


def test_to_ask_how_long_the_queue_is_is_a_request() -> None:
    usage = Usage()
    queue = VirtualQueue(VirtualClock(0), usage, at_once, ignored)

    assert not asyncio.run(queue.backlog()).is_behind
    assert usage.sqs_requests == 1
