"""The parts of the engine that a command needs, chosen by its options and by the environment."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from asl_engine.api.names import FORBIDDEN_IN_NAMES
from asl_engine.cli.options import DEFAULT_STORE
from asl_engine.errors import AslError, ExecutionDoesNotExist, StoreUnavailable
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.language.diagnostics import did_you_mean
from asl_engine.limits import EXECUTION_NAME_LENGTH_MAX
from asl_engine.runtime.clock import Clock, RealClock, VirtualClock, is_beyond_real_time
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.opening import open_store, prepare
from asl_engine.store.protocol import ExecutionStore

ROLE_ARN: Final = "arn:aws:iam::123456789012:role/asl-engine"
# How soon a running process takes what others put into its inbox.
INBOX_POLL_SECONDS: Final = 0.25
_SUFFIXES: Final = re.compile(r"(\.asl)?\.(json|ya?ml)$|\.asl$")
# Names of files that say nothing: the directory says what the machine is.
_NAMELESS: Final = frozenset({"definition", "state-machine", "state_machine", "statemachine", "workflow"})


def machine_name(file: Path) -> str:
    """The state machine's name: that of its file, or of the directory around a `definition.asl.json`."""
    stem = _SUFFIXES.sub("", file.name)
    if stem in _NAMELESS and file.resolve().parent.name:
        stem = file.resolve().parent.name
    return FORBIDDEN_IN_NAMES.sub("-", stem)[:EXECUTION_NAME_LENGTH_MAX] or "state-machine"


def state_machine_arn(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The ARN that a machine of this name has here."""
    return f"arn:aws:states:{region(environ)}:123456789012:stateMachine:{name}"


def region(environ: Mapping[str, str] = os.environ) -> str:
    """The region that ARNs name here."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def wall_clock_now() -> int:
    """The time of day in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def clock_named(name: Literal["real", "virtual"]) -> Clock:
    """The clock of an option; virtual time starts now."""
    return RealClock() if name == "real" else VirtualClock(wall_clock_now())


@asynccontextmanager
async def new_store(spec: str) -> AsyncIterator[ExecutionStore]:
    """A store to run on: its file's directory is created, or its table in an emulator. Raises StoreError."""
    file = _file_of(spec)
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"the directory {file.parent} cannot be created: {error.strerror}; name another file with --store"
            ) from error
    async with _closing(open_store(spec)) as store:
        await prepare(store)
        yield store


@asynccontextmanager
async def existing_store(spec: str) -> AsyncIterator[ExecutionStore]:
    """A store in which executions have been run. Raises StoreError."""
    file = _file_of(spec)
    if spec == "memory":
        raise StoreUnavailable(
            f"the store `memory` ends with the process that runs on it: name a file, as in --store {DEFAULT_STORE}"
        )
    if file is not None and not file.exists():
        raise StoreUnavailable(
            f"no executions are kept at {file}: `asl run FILE --store {spec}` keeps them there, as `asl serve` does, "
            "or name another file with --store or ASL_STORE"
        )
    async with _closing(open_store(spec)) as store:
        yield store


async def resolve(store: ExecutionStore, name_or_arn: str, *, to_change: bool = False) -> str:
    """The ARN of an execution. `to_change`: of several with the name, the only one that is open is meant.

    Raises ExecutionDoesNotExist with the nearest name, and AslError for a name that state machines share.
    """
    try:
        named = await store.named(name_or_arn)
    except ExecutionDoesNotExist:
        names = [summary.name for summary in await store.executions()]
        hint = did_you_mean(name_or_arn.rpartition(":")[2], set(names)) or "`asl list` shows what there is"
        raise ExecutionDoesNotExist(f'no execution has the name or ARN "{name_or_arn}"; {hint}') from None
    opened = [summary for summary in named if summary.status is ExecutionStatus.RUNNING]
    if len(named) > 1 and not (to_change and len(opened) == 1):
        listed = "\n".join(f"  {summary.status.value:<9}  {summary.arn}" for summary in named)
        raise AslError(f'{len(named)} executions have the name "{name_or_arn}"; give the ARN of one:\n{listed}')
    return (opened if len(named) > 1 else named)[0].arn


def is_ahead(execution: Execution) -> bool:
    """Whether virtual time has carried an execution to where the real clock has not come yet."""
    return is_beyond_real_time(execution.at, wall_clock_now())


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSources:
    """What performs tasks: mocks first, then functions, then AWS where it is configured."""

    tasks: Path | None = None
    mocks: Path | None = None
    mock_state_machine: str | None = None
    mock_test_case: str | None = None

    def performers(
        self, clock: Clock, state_machine_name: str | None, environ: Mapping[str, str] = os.environ
    ) -> list[TaskPerformer]:
        """The performers in the order in which they are asked. Raises TasksFileError."""
        self._check()
        if self.mocks is None:
            return self._unmocked(clock, environ)
        from asl_engine.runtime.mocks_file import load_mocks_file

        mocked = load_mocks_file(
            self.mocks,
            clock,
            state_machine_name=state_machine_name,
            mock_state_machine=self.mock_state_machine,
            mock_test_case=self.mock_test_case,
        )
        return [mocked, *self._unmocked(clock, environ)]

    def servers_performers(
        self, clock: Clock, local: Sequence[TaskPerformer], environ: Mapping[str, str] = os.environ
    ) -> list[TaskPerformer]:
        """As for one state machine, with `local` ones before AWS; executions may choose test cases of their own."""
        self._check()
        if self.mocks is None:
            return self._unmocked(clock, environ, local)
        from asl_engine.runtime.mocks_file import load_servers_mocks

        mocked = load_servers_mocks(
            self.mocks, clock, mock_state_machine=self.mock_state_machine, mock_test_case=self.mock_test_case
        )
        return [mocked, *self._unmocked(clock, environ, local)]

    def _check(self) -> None:
        for option, choice in (
            ("--mock-state-machine", self.mock_state_machine),
            ("--mock-test-case", self.mock_test_case),
        ):
            if choice is not None and self.mocks is None:
                raise AslError(f"{option} chooses out of a mocks file: name the file with --mocks FILE")

    def _unmocked(
        self, clock: Clock, environ: Mapping[str, str], local: Sequence[TaskPerformer] = ()
    ) -> list[TaskPerformer]:
        performers: list[TaskPerformer] = []
        if self.tasks is not None:
            from asl_engine.runtime.tasks_file import load_tasks_file

            performers.append(load_tasks_file(self.tasks, clock))
        return [*performers, *local, *_aws(environ, clock)]

    def as_options(self) -> list[str]:
        """The options of the command that name these sources."""
        named = (
            ("--tasks", self.tasks),
            ("--mocks", self.mocks),
            ("--mock-state-machine", self.mock_state_machine),
            ("--mock-test-case", self.mock_test_case),
        )
        return [word for option, value in named if value is not None for word in (option, str(value))]


def _aws(environ: Mapping[str, str], clock: Clock) -> list[TaskPerformer]:
    """AWS's services, if an endpoint is named, or if there are credentials, a region and the SDK."""
    from asl_engine.integrations.registry import integrations
    from asl_engine.runtime.jobs import FollowedJobs

    reached = integrations(environ)
    return [] if reached is None else [FollowedJobs(reached.jobs, clock), reached.tasks]


def check_performable(machine: StateMachine, performers: Sequence[TaskPerformer]) -> None:
    """Raises AslError that lists every task which nobody would perform."""
    from asl_engine.runtime.performer_chain import missing_resources

    missing = missing_resources(machine, performers)
    if missing:
        raise AslError("\n".join(["some tasks cannot be performed, so nothing was run:", *missing]))


def _file_of(spec: str) -> Path | None:
    kind, _, location = spec.partition(":")
    return Path(location) if kind == "sqlite" and location else None


@asynccontextmanager
async def _closing(store: ExecutionStore) -> AsyncIterator[ExecutionStore]:
    try:
        yield store
    finally:
        await store.close()
