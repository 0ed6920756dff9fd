"""The in-process host: executions driven by this process's event loop, for `asl run`, pytest and the local server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from asl_engine.errors import Conflict, ExecutionAlreadyExists, StoreUnavailable
from asl_engine.interpreter.commands import Command
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonValue
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from asl_engine.limits import EXPRESS_TIMEOUT_SECONDS
from asl_engine.runtime.advancing import Advancing
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.live_execution import LiveExecution
from asl_engine.runtime.runner import Observer, Runner, unobserved
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.protocol import ExecutionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """A new execution. `seed` feeds what looks random and signs task tokens: draw it from a good source.

    `express_id` is given for an execution of an Express workflow, whose ARN it completes.
    """

    name: str
    input: JsonValue
    state_machine_arn: str
    seed: str
    role_arn: str = ""
    state_machine_version_arn: str | None = None
    state_machine_alias_arn: str | None = None
    revision: str | None = None
    express_id: str | None = None

    @property
    def execution_arn(self) -> str:
        """The ARN that the execution gets."""
        if self.express_id is not None:
            return f"{self.state_machine_arn.replace(':stateMachine:', ':express:', 1)}:{self.name}:{self.express_id}"
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:', 1)}:{self.name}"

    def execution(self, machine: StateMachine, now: int) -> Execution:
        """The execution before its first advance."""
        timeout = machine.timeout_seconds
        if self.express_id is not None:
            timeout = min(timeout or EXPRESS_TIMEOUT_SECONDS, EXPRESS_TIMEOUT_SECONDS)
        return Execution(
            arn=self.execution_arn,
            name=self.name,
            state_machine_arn=self.state_machine_arn,
            definition_sha256=machine.sha256,
            input=self.input,
            started_at=now,
            seed=self.seed,
            role_arn=self.role_arn,
            state_machine_version_arn=self.state_machine_version_arn,
            state_machine_alias_arn=self.state_machine_alias_arn,
            revision=self.revision,
            timeout_at=None if timeout is None else now + timeout * 1000,
        )


class InProcessHost:
    """Starts and takes up executions on one store. Belongs to one event loop.

    `inbox_poll_seconds` is how often events that other processes sent through the store are looked for; None: only
    when an execution is taken up, as under virtual time. `advancing` keeps expressions that take long off the loop.
    `activity_exists`: see Runner.
    """

    def __init__(
        self,
        store: ExecutionStore,
        performer: TaskPerformer,
        clock: Clock,
        *,
        options: Options | None = None,
        observer: Observer | None = None,
        inbox_poll_seconds: float | None = None,
        advancing: Advancing | None = None,
        activity_exists: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._store, self._performer, self._clock = store, performer, clock
        self._options = options or Options()
        self._observer, self._advancing, self._activity_exists = observer or unobserved, advancing, activity_exists
        self._poll_seconds = inbox_poll_seconds
        self._live: dict[str, LiveExecution] = {}
        self._releases: set[asyncio.Task[None]] = set()
        self._kept_definitions: set[str] = set()
        self._poller: asyncio.Task[None] | None = None
        self._tell_lost: Callable[[str, BaseException], None] | None = None

    def when_lost(self, tell: Callable[[str, BaseException], None]) -> None:
        """Be told of executions that are no longer driven although they are open: what the store did not take."""
        self._tell_lost = tell

    async def start(self, machine: StateMachine, request: StartRequest) -> LiveExecution:
        """Begin an execution; it is durable when this returns. Raises ExecutionAlreadyExists."""
        execution = request.execution(machine, self._clock.now())
        await self._store.claim(execution.arn)
        runner = self._runner(machine)
        try:
            await self._keep_definition(machine)
            commands = await runner.begin(execution)
        except Conflict as error:
            await self._store.release(execution.arn)
            raise ExecutionAlreadyExists(
                f"an execution named {request.name} exists already: choose another name, or take it up again"
            ) from error
        except BaseException:
            await self._store.release(execution.arn)
            raise
        return self._launch(runner, commands)

    async def take_up(self, execution_arn: str) -> LiveExecution:
        """Go on with an execution where its journal ends. Raises ExecutionDoesNotExist or ExecutionClaimed."""
        await self._store.claim(execution_arn)
        try:
            execution = await self._store.load(execution_arn)
            machine = compile_definition(await self._store.definition(execution.definition_sha256))
            runner = self._runner(machine)
            commands = await runner.take_up(execution_arn)
        except BaseException:
            await self._store.release(execution_arn)
            raise
        live = self._launch(runner, commands)
        await self._read_inbox(live)
        return live

    async def until_over(self, live: LiveExecution) -> Execution:
        """Wait until the execution is over, or until only an event from outside could move it (virtual time)."""
        stalled = asyncio.get_running_loop().create_task(self._clock.stalled())
        try:
            await asyncio.wait({live.ended, stalled}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stalled.cancel()
        if live.ended.done():
            await live.ended
        return live.execution

    def live(self, execution_arn: str) -> LiveExecution | None:
        """The execution if it is being driven here."""
        return self._live.get(execution_arn)

    async def apply(self, execution_arn: str, event: Event) -> None:
        """Apply an event to an execution that is live here; it is durable when this returns."""
        await self._live[execution_arn].apply(event)

    async def close(self) -> None:
        """Stop driving all executions; what is open can be taken up later."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        for live in tuple(self._live.values()):
            await live.close()
        await asyncio.gather(*self._releases)
        await self._performer.close()
        if self._advancing is not None:
            self._advancing.close()

    def _runner(self, machine: StateMachine) -> Runner:
        return Runner(
            machine,
            self._store,
            self._options,
            self._observer,
            self._advancing,
            activity_exists=self._activity_exists,
        )

    async def _keep_definition(self, machine: StateMachine) -> None:
        if machine.sha256 not in self._kept_definitions:
            await self._store.put_definition(machine.sha256, json.dumps(machine.definition))
            self._kept_definitions.add(machine.sha256)

    def _launch(self, runner: Runner, commands: Sequence[Command]) -> LiveExecution:
        live = LiveExecution(runner, self._performer, self._clock)
        self._live[runner.execution.arn] = live
        live.launch(commands)
        live.ended.add_done_callback(lambda _ended: self._let_go(live))
        if self._poll_seconds is not None and self._poller is None:
            self._poller = asyncio.get_running_loop().create_task(self._poll(self._poll_seconds))
        return live

    def _let_go(self, live: LiveExecution) -> None:
        """Nothing is left to drive: what the execution was is in the store."""
        del self._live[live.execution.arn]
        release = asyncio.get_running_loop().create_task(self._store.release(live.execution.arn))
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)
        error = None if live.ended.cancelled() or self._tell_lost is None else live.ended.exception()
        if self._tell_lost is not None and error is not None:
            self._tell_lost(live.execution.arn, error)

    async def _poll(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(StoreUnavailable):  # nothing was read, so nothing was lost: look again
                for arn in await self._store.addressees() if self._live else ():
                    if arn in self._live:
                        await self._read_inbox(self._live[arn])

    async def _read_inbox(self, live: LiveExecution) -> None:
        for message in await self._store.inbox(live.execution.arn):
            live.post(message.event, message.id)
