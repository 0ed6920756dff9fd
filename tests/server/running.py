"""A server in a thread of its own, on a real socket, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from asl_engine.api.local import LocalStepFunctions
from asl_engine.approvals.local import LocalApprovals
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import Clock, RealClock, VirtualClock
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.server.serving import Address, service_on, serving
from asl_engine.store.memory import MemoryStore
from asl_engine.store.protocol import ExecutionStore
from asl_engine.store.sqlite import SqliteStore

NOON = 1_700_000_000_000
SECONDS_MAX = 30


class RunningServer:
    """Ends with `stop`; `url` is where it listens."""

    def __init__(
        self,
        store: Path | None,
        tasks: Mapping[str, Callable[..., Any]],
        *,
        access_token: str | None = None,
        virtual: bool = False,
        poll_seconds: float = 60,
        approvals: LocalApprovals | None = None,
    ) -> None:
        self._store, self._tasks, self._virtual = store, tasks, virtual
        self._approvals = approvals
        self._access_token, self._poll_seconds = access_token, poll_seconds
        self.port = 0
        self.left_alone: list[str] = []
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(SECONDS_MAX)
        if self._failure is not None:
            raise self._failure

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(SECONDS_MAX)
        assert not self._thread.is_alive()

    def client(self, **config: Any) -> Any:
        return boto3.client(
            "stepfunctions",
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            aws_session_token=self._access_token,
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32, **config),
        )

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        clock: Clock = VirtualClock(NOON) if self._virtual else RealClock()
        store: ExecutionStore = MemoryStore() if self._store is None else SqliteStore(self._store)
        performers: list[TaskPerformer] = [
            PythonTasks(self._tasks, clock),
            *([self._approvals] if self._approvals else []),
        ]
        service = service_on(store, clock, performers, region="eu-west-1", account="123456789012")
        service.activity_poll_seconds = self._poll_seconds
        try:
            async with serving(
                service, self._address(), left_alone=self._tell_left_alone, approvals=self._approvals
            ) as self.port:
                self.service: LocalStepFunctions = service
                self._ready.set()
                await self._stopped.wait()
        finally:
            await store.close()

    def _address(self) -> Address:
        return Address(host="127.0.0.1", port=0, access_token=self._access_token)

    def _tell_left_alone(self, arn: str, _error: BaseException) -> None:
        self.left_alone.append(arn)


@contextmanager
def running(
    store: Path | None = None, tasks: Mapping[str, Callable[..., Any]] | None = None, **options: Any
) -> Iterator[RunningServer]:
    """A server that ends with the block."""
    server = RunningServer(store, tasks or {}, **options)
    try:
        yield server
    finally:
        server.stop()


def until_ended(client: Any, execution_arn: str) -> dict[str, Any]:
    """The description of an execution once it has ended."""
    while (shown := client.describe_execution(executionArn=execution_arn))["status"] == "RUNNING":
        pass
    described: dict[str, Any] = shown
    return described
