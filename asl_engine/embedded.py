"""The engine as a function: run a definition to its end inside this process, and look at what happened."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar

from asl_engine.errors import InvalidDefinition
from asl_engine.interpreter.advance import advance, start
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent, render
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject, JsonValue, dump_json, json_copy
from asl_engine.language.definition import StateMachine, StateType
from asl_engine.language.parser import compile_definition, load_definition
from asl_engine.runtime.clock import Clock, RealClock, VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.opening import open_store

ClockName = Literal["virtual", "real"]
_ACCOUNT_ARN = "arn:aws:states:us-east-1:123456789012"
_ROLE_ARN = "arn:aws:iam::123456789012:role/asl-engine"
_Result = TypeVar("_Result")


@dataclass(frozen=True, repr=False)
class ExecutionResult:
    """How an execution ended. `status` RUNNING: it waits for something from outside, such as a callback."""

    execution: Execution
    events: tuple[HistoryEvent, ...]

    def __repr__(self) -> str:
        return f"<ExecutionResult {self.name} {self.status}, {len(self.events)} history events>"

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return self.execution.arn

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.execution.name

    @property
    def status(self) -> str:
        """SUCCEEDED, FAILED, TIMED_OUT, ABORTED or RUNNING."""
        return self.execution.status.value

    @property
    def output(self) -> JsonValue:
        """The output of an execution that succeeded, parsed."""
        return self.execution.output

    @property
    def error(self) -> str | None:
        """The error name of one that did not."""
        return self.execution.error

    @property
    def cause(self) -> str | None:
        """The cause of one that did not."""
        return self.execution.cause

    @cached_property
    def history(self) -> list[JsonObject]:
        """The history events, spelled as GetExecutionHistory spells them (timestamps in seconds)."""
        return [render(event) for event in self.events]

    @property
    def path(self) -> list[str]:
        """The names of the states entered, in order."""
        return [str(event.details["name"]) for event in self.events if event.details and _is_entry(event)]


def run(
    definition: StateMachine | JsonObject | str | Path,
    input: JsonValue = None,
    *,
    tasks: Mapping[str, Callable[..., Any]] | str | Path | None = None,
    mocks: Mapping[str, Any] | str | Path | None = None,
    mock_state_machine: str | None = None,
    mock_test_case: str | None = None,
    clock: ClockName = "virtual",
    store: str = "memory",
    name: str | None = None,
    options: Options | None = None,
) -> ExecutionResult:
    """Run a state machine to its end and return how it went.

    `definition` is a parsed document, a JSON text, a compiled machine, or the path of a file; `input` None means {}.
    `tasks` maps a Resource, ARN, function or state name to `f(event, context)`, or names a file with TASKS. `mocks`
    maps a state name to its scripted answers, or names a mocks file; `mock_state_machine` and `mock_test_case` choose
    out of a MockConfigFile.json of Step Functions Local. `store` is "memory" or "sqlite:FILE".
    Raises AslError: InvalidDefinition, InvalidJson, TasksFileError, StoreError, ExecutionAlreadyExists, or what a file
    that cannot be read raises; TypeError for a task that is no function. May be called inside a running event loop.
    """
    machine = machine_of(definition)
    request = StartRequest(
        name=name or secrets.token_hex(8),
        input=json_copy({} if input is None else input),
        state_machine_arn=f"{_ACCOUNT_ARN}:stateMachine:asl-engine",
        seed=secrets.token_hex(16),
        role_arn=_ROLE_ARN,
    )
    chosen = clock_of(clock)
    performer = performer_of(tasks, mocks, chosen, mock_state_machine, mock_test_case)
    if store == "memory" and _needs_nothing_from_outside(machine):
        return _run_alone(machine, request.execution(machine, chosen.now()), options or Options())
    return _complete(_run_on_a_host(machine, request, performer, chosen, store, options))


def machine_of(definition: StateMachine | Mapping[str, JsonValue] | str | Path) -> StateMachine:
    """The compiled machine. Raises InvalidDefinition, and TypeError for what is no definition at all."""
    if isinstance(definition, StateMachine):
        return definition
    if isinstance(definition, Mapping):
        return _compiled(dump_json(dict(definition)))
    if isinstance(definition, str) and definition.lstrip()[:1] == "{":
        return _compiled(definition)
    _check_path("a definition is a parsed document, a JSON text, a StateMachine or the path of a file", definition)
    parsed = load_definition(Path(definition))
    if parsed.machine is None:
        raise InvalidDefinition(parsed.diagnostics)
    return parsed.machine


def _check_path(expected: str, value: object) -> None:
    if not isinstance(value, str | PathLike):
        raise TypeError(f"{expected}, not {type(value).__name__}")


# A caller that runs one document many times, as tests do, compiles it once: a machine is a value, so it can be shared.
_compiled = lru_cache(maxsize=64)(compile_definition)


def clock_of(name: ClockName) -> Clock:
    """A clock by its name. Raises ValueError for any other."""
    if name == "real":
        return RealClock()
    if name == "virtual":
        return VirtualClock(time.time_ns() // 1_000_000)
    raise ValueError(f'no clock is called {name!r}: it must be "virtual" or "real"')


def performer_of(
    tasks: Mapping[str, Callable[..., Any]] | str | Path | None,
    mocks: Mapping[str, Any] | str | Path | None,
    clock: Clock,
    mock_state_machine: str | None = None,
    mock_test_case: str | None = None,
) -> TaskPerformer:
    """What performs the tasks: mocks first, then functions. Raises TasksFileError."""
    from asl_engine.runtime.callables import PythonTasks
    from asl_engine.runtime.performer_chain import PerformerChain
    from asl_engine.runtime.tasks_file import load_tasks_file

    performers: list[TaskPerformer] = []
    if mocks is not None:
        performers.append(mocks_of(mocks, clock, mock_state_machine, mock_test_case))
    elif mock_state_machine is not None or mock_test_case is not None:
        raise TypeError("mock_state_machine and mock_test_case choose out of a mocks file: name the file with mocks=")
    if isinstance(tasks, Mapping):
        performers.append(PythonTasks(tasks, clock))
    elif tasks is not None:
        _check_path("`tasks` maps names to functions, or is the path of a file", tasks)
        performers.append(load_tasks_file(tasks, clock))
    return PerformerChain(performers)


def mocks_of(
    mocks: Mapping[str, Any] | str | Path, clock: Clock, mock_state_machine: str | None, mock_test_case: str | None
) -> TaskPerformer:
    """The performer that answers by mocks. Raises TasksFileError."""
    from asl_engine.runtime.mocks import ScriptedTasks
    from asl_engine.runtime.mocks_file import check_choices, load_mocks_file, read_script

    if isinstance(mocks, Mapping):
        check_choices("mocks", mock_state_machine, mock_test_case)
        return ScriptedTasks(read_script(mocks), clock)
    _check_path("`mocks` maps names to answers, or is the path of a file", mocks)
    return load_mocks_file(mocks, clock, mock_state_machine=mock_state_machine, mock_test_case=mock_test_case)


def _needs_nothing_from_outside(machine: StateMachine) -> bool:
    """Whether no state of the machine performs a task or waits for a moment: then it runs without a host."""
    if machine.timeout_seconds is not None:
        return False
    states = [state for branch in machine.branches.values() for state in branch.states.values()]
    return not any(state.type in (StateType.TASK, StateType.WAIT) or state.retry for state in states)


def _run_alone(machine: StateMachine, execution: Execution, options: Options) -> ExecutionResult:
    outcome = start(machine, execution, options)
    events = list(outcome.history)
    while outcome.execution.status is ExecutionStatus.RUNNING:
        outcome = advance(machine, outcome.execution, (), outcome.at, options)
        events += outcome.history
    return ExecutionResult(outcome.execution, tuple(events))


async def _run_on_a_host(
    machine: StateMachine,
    request: StartRequest,
    performer: TaskPerformer,
    clock: Clock,
    store_spec: str,
    options: Options | None,
) -> ExecutionResult:
    store = open_store(store_spec)
    events: list[HistoryEvent] = []
    host = InProcessHost(
        store, performer, clock, options=options, observer=lambda outcome: events.extend(outcome.history)
    )
    try:
        execution = await host.until_over(await host.start(machine, request))
    finally:
        await host.close()
        await store.close()
    return ExecutionResult(execution, tuple(events))


def _complete(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end, in a thread of its own when this one runs an event loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    results: list[_Result] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _is_entry(event: HistoryEvent) -> bool:
    return event.type.endswith("StateEntered")
