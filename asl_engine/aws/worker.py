"""A process that polls the queue, for those who run the engine on ECS or EC2: `python -m asl_engine.aws.worker`.

It does what the function `engine` does, from the same environment. Told to end (SIGTERM, SIGINT) it takes no more
messages and begins no more tasks; what has not ended 20 seconds later it hands over. Killed, it leaves its messages to
be delivered again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

from asl_engine.aws.assembly import engine_on
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.aws.records import Foreign, RecordReader
from asl_engine.errors import QueueUnavailable
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.ports import Received
from asl_engine.runtime.queued.visibility import Visibility

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
_MESSAGES_MAX: Final = 10
# Messages in hand; each may keep an execution in memory.
_IN_HAND_MAX: Final = 200
# Nothing ends a worker as Lambda ends a function, but no message should be held for ever by one that hangs.
_TENURE_MILLISECONDS: Final = 900_000
# ECS kills what has not ended 30 seconds after SIGTERM, unless it is told otherwise.
_ENDING_MILLISECONDS: Final = 20_000
_UNAVAILABLE_PAUSE_SECONDS: Final = 1.0


class Worker:
    """Receives, handles, acknowledges. Messages that came together for one execution are handled together."""

    def __init__(self, ports: Ports, host: QueuedHost) -> None:
        self._ports, self._host = ports, host
        self._reader = RecordReader(ports)
        self._name = f"process {os.getpid()} on {socket.gethostname()}"
        self._in_hand: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled; then what is in hand is finished soon, or handed over."""
        try:
            while True:
                received, foreign = self._reader.read(await self._receive())
                if foreign:
                    self._begin(self._set_aside(foreign))
                suspects = await self._host.suspects(received)
                for group in _by_execution(each for each in received if each not in suspects):
                    self._begin(self._handle(group))
                if suspects:
                    await self._handle_alone(suspects)
                if len(self._in_hand) >= _IN_HAND_MAX:
                    await asyncio.wait(self._in_hand, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._host.hand_over_by(self._ports.clock.elapsed() + _ENDING_MILLISECONDS)
            await asyncio.gather(*self._in_hand, return_exceptions=True)

    def _begin(self, handling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(handling)
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _handle_alone(self, suspects: Sequence[Received]) -> None:
        """A process died with them: only when nothing else is in hand, and nothing else before it is over."""
        ports, receipts = self._ports, [each.receipt for each in suspects]
        visibility = Visibility(ports.queue, ports.clock, receipts, ports.settings.visibility_seconds)
        try:
            await self._until_free()
        finally:
            visibility.stop()
        self._begin(self._handle(suspects))
        await self._until_free()

    async def _until_free(self) -> None:
        if self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _set_aside(self, foreign: Sequence[Foreign]) -> None:
        await self._acknowledge(await self._reader.set_aside(foreign))

    async def _receive(self) -> list[dict[str, Any]]:
        try:
            return await self._ports.queue.receive(
                messages_max=_MESSAGES_MAX, wait_seconds=self._ports.settings.worker_wait_seconds
            )
        except QueueUnavailable as error:
            self._ports.log.write("ERROR", "cannot receive messages", {"cause": str(error)})
            await asyncio.sleep(_UNAVAILABLE_PAUSE_SECONDS)
            return []

    async def _handle(self, received: Sequence[Received]) -> None:
        deadline = self._ports.clock.elapsed() + _TENURE_MILLISECONDS
        await self._acknowledge(await self._host.handle(received, deadline, self._name))

    async def _acknowledge(self, receipts: Iterable[str]) -> None:
        try:
            await asyncio.gather(*(self._ports.queue.acknowledge(receipt) for receipt in receipts))
        except QueueUnavailable as error:  # what was handled is delivered again, and ignored
            self._ports.log.write("WARN", "cannot acknowledge messages", {"cause": str(error)})


def _by_execution(received: Iterable[Received]) -> list[list[Received]]:
    groups: dict[str, list[Received]] = {}
    for each in received:
        groups.setdefault(each.message.execution_arn, []).append(each)
    return list(groups.values())


async def main(environ: Mapping[str, str] = os.environ) -> None:
    """Work until told to end. Raises AslError for what the environment lacks."""
    ports = open_ports(environ)
    engine = engine_on(ports)
    working = asyncio.get_running_loop().create_task(Worker(ports, engine.host).run())
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, working.cancel)
    await asyncio.gather(working, return_exceptions=True)
    await ports.close()


if __name__ == "__main__":
    asyncio.run(main())
