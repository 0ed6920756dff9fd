"""Open executions that nobody drives are taken up: at the start all of them, later what failed or was lost.

An execution is left alone while another process runs it, and lost when the store could not be written (the disk was
full, say). Neither is for ever: it is tried again until it works, and nothing is lost meanwhile but time. Each loss of
an execution doubles its pause, since taking it up performs again what was in flight. One that virtual time has carried
ahead of the real clock is left alone until the clock gets there, or somebody ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias

from asl_engine.errors import ExecutionDoesNotExist, ExecutionIsAhead
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.runtime.clock import Clock, RealClock, is_beyond_real_time
from asl_engine.runtime.in_process import InProcessHost
from asl_engine.store.protocol import ExecutionStore

RETRY_SECONDS: Final = 5.0
_PAUSE_SECONDS_MAX: Final = 60.0
Told: TypeAlias = Callable[[str, BaseException], None]


class TakingUp:
    """Hands open executions to a host. `left_alone` is told of each that must wait, and why."""

    def __init__(
        self,
        host: InProcessHost,
        store: ExecutionStore,
        clock: Clock,
        left_alone: Told,
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._host, self._store, self._clock, self._left_alone = host, store, clock, left_alone
        self._retry_seconds = retry_seconds
        self._kept: dict[str, type[BaseException]] = {}  # what could not be taken up, and why
        self._lost_until: dict[str, float] = {}  # when to take it up again, by the event loop's time
        self._losses: dict[str, int] = {}
        self._ahead: dict[str, int] = {}
        self._retrying: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Go on with everything that is open, oldest first, and from now on with what is lost. Raises StoreError."""
        self._host.when_lost(self._lost)
        for summary in reversed(await self._store.executions(ExecutionStatus.RUNNING)):
            await self._take_up(summary.arn)
        self._retrying = asyncio.get_running_loop().create_task(self._retry())

    async def close(self) -> None:
        """Try no more."""
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)

    def _lost(self, arn: str, error: BaseException) -> None:
        losses = self._losses[arn] = self._losses.get(arn, 0) + 1
        pause = min(self._retry_seconds * (2.0 ** min(losses - 1, 10) - 1), _PAUSE_SECONDS_MAX)
        self._lost_until[arn] = asyncio.get_running_loop().time() + pause
        self._left_alone(arn, error)

    async def _take_up(self, arn: str, known: type[BaseException] | None = None) -> None:
        """`known` is what kept it from being taken up before: that is told once."""
        if self._host.live(arn) is not None:
            return
        try:
            await self._check_not_ahead(arn)
            await self._host.take_up(arn)
        except ExecutionDoesNotExist:
            return
        except Exception as error:  # what one execution meets keeps no other, nor the server
            self._kept[arn] = type(error)
            if known is not type(error):
                self._left_alone(arn, error)

    async def _check_not_ahead(self, arn: str) -> None:
        """Raises ExecutionIsAhead."""
        if not isinstance(self._clock, RealClock):
            return
        at = self._ahead.get(arn) or (await self._store.load(arn)).at
        if is_beyond_real_time(at, self._clock.now()):
            self._ahead[arn] = at
            raise ExecutionIsAhead(at)
        self._ahead.pop(arn, None)

    async def _retry(self) -> None:
        while True:
            await asyncio.sleep(self._retry_seconds)
            now = asyncio.get_running_loop().time()
            lost = {arn: None for arn, until in self._lost_until.items() if until <= now}
            for arn, known in sorted((lost | self._kept).items(), key=lambda item: item[0]):
                # Forgotten first: while it is taken up it may be lost again.
                self._lost_until.pop(arn, None)
                self._kept.pop(arn, None)
                await self._take_up(arn, known)
