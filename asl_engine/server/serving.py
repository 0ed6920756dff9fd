"""The local server: the parts of the engine put together, a port opened, and what was open taken up again.

One server runs a store at a time: a second one is refused. Other processes may use the store meanwhile, as `asl list`
or `asl approve` do.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from asl_engine.api.actions.activities import lookup
from asl_engine.api.local import LocalHost, LocalStepFunctions
from asl_engine.api.nested_executions import NestedExecutions
from asl_engine.api.pages import PageTokens
from asl_engine.api.request_model import operations
from asl_engine.approvals.local import LocalApprovals
from asl_engine.errors import AslError, ExecutionClaimed, StoreUnavailable
from asl_engine.interpreter.options import AWS_COMPATIBLE
from asl_engine.limits import REQUEST_BYTES_MAX
from asl_engine.runtime.activities import ActivityDesk
from asl_engine.runtime.advancing import Advancing
from asl_engine.runtime.clock import Clock, RealClock
from asl_engine.runtime.express import ExpressExecutions
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.server.approval_routes import add_approval_routes
from asl_engine.server.half_open import HalfOpen
from asl_engine.server.taking_up import TakingUp, Told
from asl_engine.server.wire import Wire
from asl_engine.store.opening import resources_beside
from asl_engine.store.protocol import ExecutionStore

# What the server claims of its store, beside the executions that it runs.
_SERVER_CLAIM = "asl serve"
_INBOX_POLL_SECONDS = 0.25
_SHUTDOWN_SECONDS = 2.0
_BACKLOG = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. `access_token` is what each request must carry; port 0 takes any free one."""

    host: str
    port: int
    access_token: str | None = None

    def url(self, port: int) -> str:
        """Where a browser on this machine finds the port."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def service_on(
    store: ExecutionStore, clock: Clock, performers: Sequence[TaskPerformer], *, region: str, account: str
) -> LocalStepFunctions:
    """The API on a store, with AWS's limits. What nobody else performs is offered to activity workers."""
    resources = resources_beside(store)
    exists, nested, advancing = lookup(resources), NestedExecutions(), Advancing()
    desk = ActivityDesk(exists)
    performer = PerformerChain([*performers, nested, desk])
    poll = _INBOX_POLL_SECONDS if isinstance(clock, RealClock) else None
    service = LocalStepFunctions(
        executions=store,
        resources=resources,
        host=LocalHost(
            store,
            performer,
            clock,
            options=AWS_COMPATIBLE,
            inbox_poll_seconds=poll,
            advancing=advancing,
            activity_exists=exists,
        ),
        express=ExpressExecutions(performer, clock, AWS_COMPATIBLE, advancing=advancing),
        desk=desk,
        performer=performer,
        clock=clock,
        region=region,
        account=account,
        tokens=PageTokens(secrets.token_bytes(16)),
        test_cases=next((one for one in performers if isinstance(one, MockedTestCases)), None),
    )
    nested.attach(service)
    return service


@asynccontextmanager
async def serving(
    service: LocalStepFunctions, address: Address, *, left_alone: Told, approvals: LocalApprovals | None = None
) -> AsyncIterator[int]:
    """Listen, with all that was open taken up; gives the port. On leaving, what is open stays open in the store.

    `approvals`, which should be among the service's performers, gets its pages.

    `left_alone` is told of each execution that cannot be taken up yet. Raises StoreError, or AslError if the port is
    taken. The port is bound first and served last: a client that comes in between waits.
    """
    await _claim(service.executions)
    operations()  # the model takes a tenth of a second to read: not from the first request's time
    taking_up = TakingUp(service.host, service.executions, service.clock, left_alone)
    bound = _bind(address)
    half_open = HalfOpen()
    runner = web.AppRunner(
        _application(service, address, approvals, half_open),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        auto_decompress=False,
    )
    watching: asyncio.Task[None] | None = None
    try:
        if approvals is not None:
            await approvals.open(service, f"{address.url(bound.getsockname()[1])}/approvals")
        await taking_up.begin()
        await runner.setup()
        await web.SockSite(runner, bound).start()
        assert runner.server is not None, "it is set up"
        watching = asyncio.get_running_loop().create_task(half_open.watch(runner.server))
        yield bound.getsockname()[1]
    finally:
        if watching is not None:
            watching.cancel()
        await runner.cleanup()
        bound.close()
        await taking_up.close()
        await service.express.close()
        await service.host.close()


async def _claim(store: ExecutionStore) -> None:
    try:
        await store.claim(_SERVER_CLAIM)
    except ExecutionClaimed as error:
        raise StoreUnavailable(
            "another `asl serve` runs on this store: use that one, end it, or name another file with --store"
        ) from error


def _bind(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AslError(
            f"{address.host}:{address.port} cannot be listened on: {reason}; choose another with --port"
        ) from error


def _application(
    service: LocalStepFunctions, address: Address, approvals: LocalApprovals | None, half_open: HalfOpen
) -> web.Application:
    application = web.Application(client_max_size=REQUEST_BYTES_MAX, middlewares=[half_open.note])
    if approvals is not None:
        add_approval_routes(application, approvals, address.access_token)
    application.router.add_route("*", "/{path:.*}", Wire(service, address.access_token).handle)
    return application
