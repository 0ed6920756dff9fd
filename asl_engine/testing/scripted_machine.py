"""A state machine under test: its tasks scripted per attempt, or given as functions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from asl_engine.embedded import machine_of, mocks_of
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonValue, json_copy
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.clock import Clock, RealClock
from asl_engine.runtime.mocks import Answer, Case
from asl_engine.runtime.performer_chain import task_names
from asl_engine.runtime.tasks import Failed, Succeeded, TaskPerformer
from asl_engine.testing.driven_execution import DrivenExecution


def returns(output: JsonValue, *, after_seconds: float = 0) -> Answer:
    """An attempt that succeeds, `after_seconds` of virtual time. Raises InvalidJson for what is no JSON."""
    return Answer(result=Succeeded(json_copy(output)), after_milliseconds=round(after_seconds * 1000))


def throws(error: str, cause: str = "", *, after_seconds: float = 0) -> Answer:
    """An attempt that fails with this error name."""
    if not isinstance(error, str) or not isinstance(cause, str):
        raise TypeError(
            f'an error has a name and a cause, both texts, as in throws("Card.Busy"), not {error!r}, {cause!r}'
        )
    return Answer(result=Failed(error, cause), after_milliseconds=round(after_seconds * 1000))


def never(*, heartbeat_seconds: float | None = None) -> Answer:
    """An attempt that is never answered: it times out, or the test answers it by its token."""
    beat = None if heartbeat_seconds is None else round(heartbeat_seconds * 1000)
    return Answer(result=None, heartbeat_milliseconds=beat)


class ScriptedMachine:
    """A machine, and what its tasks answer. Scripts and functions are filed as in `--mocks` and `--tasks`."""

    def __init__(self, machine: StateMachine, opened: list[DrivenExecution]) -> None:
        self._machine, self._opened = machine, opened
        self._script: dict[str, list[Case]] = {}
        self._functions: dict[str, Callable[..., Any]] = {}
        self._mocks: list[Callable[[Clock], TaskPerformer]] = []

    def script(self, name: str, *answers: Answer, when: JsonValue = None) -> None:
        """Answer the attempts of a state, function or Resource in turn; the last answer repeats.

        `when` limits the script to calls whose arguments contain it; scripts are tried in the order they were given.
        Raises ValueError for a name that no task of the machine has, and TypeError for what is no answer.
        """
        self._check(name)
        for answer in answers:
            if not isinstance(answer, Answer):
                way_out = f'give a function to task("{name}", …)' if callable(answer) else "wrap it: asl.returns(…)"
                raise TypeError(
                    f'"{name}": an answer is asl.returns(…), asl.throws(…) or asl.never(), not {answer!r}; {way_out}'
                )
        if not answers:
            raise TypeError(f'"{name}": give at least one answer: asl.returns(…), asl.throws(…) or asl.never()')
        case = Case(answers=answers) if when is None else Case(answers=answers, when=when)
        self._script.setdefault(name, []).append(case)

    def task(self, name: str, function: Callable[..., Any]) -> None:
        """Perform a task with a function `f(event, context)`. Raises ValueError as `script` does."""
        self._check(name)
        if not callable(function):
            raise TypeError(f'"{name}": {function!r} is no function; answers of a script go to script("{name}", …)')
        self._functions[name] = function

    def mocks(
        self,
        mocks: Mapping[str, Any] | str | Path,
        *,
        mock_state_machine: str | None = None,
        mock_test_case: str | None = None,
    ) -> None:
        """Answer tasks as a mocks file says, or a mapping of its shape: see `asl_engine.run`. Scripts come first.

        Raises TasksFileError.
        """
        load = partial(mocks_of, mocks, mock_state_machine=mock_state_machine, mock_test_case=mock_test_case)
        load(RealClock())  # what is wrong is told here, and not by each start
        self._mocks.append(load)

    def _check(self, name: str) -> None:
        known = task_names(self._machine)
        if known is not None and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"its tasks go by {', '.join(sorted(known)) or 'no name'}"
            raise ValueError(f'the machine has no task "{name}": {hint}')

    def start(
        self,
        input: JsonValue = None,
        *,
        name: str = "test",
        options: Options | None = None,
    ) -> DrivenExecution:
        """Start an execution and run it until everything waits; virtual time stands still.

        Raises InvalidJson for an input that is no JSON.
        """
        execution = DrivenExecution(
            self._machine,
            json_copy({} if input is None else input),
            dict(self._script),
            self._functions,
            tuple(self._mocks),
            name,
            options,
        )
        self._opened.append(execution)
        return execution

    def run(
        self,
        input: JsonValue = None,
        *,
        name: str = "test",
        options: Options | None = None,
    ) -> DrivenExecution:
        """Start an execution and let virtual time run until it is over, or waits for a callback without a timeout."""
        execution = self.start(input, name=name, options=options)
        execution.run_on()
        return execution


class Asl:
    """The `asl` fixture."""

    returns = staticmethod(returns)
    throws = staticmethod(throws)
    never = staticmethod(never)

    def __init__(self) -> None:
        self._opened: list[DrivenExecution] = []

    def load(self, path: str | Path) -> ScriptedMachine:
        """The machine in a file. Raises InvalidDefinition."""
        if not isinstance(path, str | PathLike):
            raise TypeError(f"load takes the path of a file, not {type(path).__name__}; asl.machine takes a document")
        return ScriptedMachine(machine_of(Path(path)), self._opened)

    def machine(self, definition: Mapping[str, JsonValue] | str) -> ScriptedMachine:
        """The machine in a document or a JSON text. Raises InvalidDefinition."""
        return ScriptedMachine(machine_of(definition), self._opened)

    def close(self) -> None:
        """Let go of all executions."""
        for execution in self._opened:
            execution.close()
