"""What is compared: this engine and its peers, each as something that runs a workload and says how long it took.

Every output is checked, and of ours the number of states in the history as well: a wrong answer never counts as fast.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol

import asl_engine
from asl_engine.embedded import ExecutionResult, machine_of
from benchmarks.workloads import INCREMENT, Workload, increment_async


class WrongAnswer(Exception):
    """An engine ended a workload otherwise than it must end: its time counts for nothing."""


class Unavailable(Exception):
    """A peer that cannot be measured here. The message says why."""


class Engine(Protocol):
    """Something that runs workloads."""

    name: str
    fixed_seconds: float  # how long it sleeps in every execution, whatever it has to do

    def supports(self, workload: Workload) -> bool:
        """Whether this engine can be given the workload."""

    def run(self, workload: Workload) -> float:
        """Seconds that the workload took. Raises WrongAnswer."""

    def close(self) -> None:
        """Stop what was started."""


class InMemory:
    """This engine in process, with its full history in memory."""

    name = "ours"
    fixed_seconds: float = 0

    def __init__(self, task: Callable[..., Any] = increment_async) -> None:
        self._tasks = {INCREMENT: task}

    def supports(self, workload: Workload) -> bool:
        """All of them."""
        return True

    def run(self, workload: Workload) -> float:
        """From a compiled machine to the result, history included: no peer is timed while it takes a definition."""
        machine = machine_of(workload.definition)
        tasks = self._tasks if workload.needs_tasks else None
        with self._directory() as directory:
            store = self._store(directory)
            started = time.perf_counter()
            results = [
                asl_engine.run(machine, workload.input, tasks=tasks, clock="virtual", store=store)
                for _ in range(workload.executions)
            ]
            seconds = time.perf_counter() - started
        for result in results:
            _check_history(workload, result)
        return seconds

    def close(self) -> None:
        """Nothing was started."""

    def _directory(self) -> AbstractContextManager[str]:
        return nullcontext("")

    def _store(self, _directory: str) -> str:
        return "memory"


class OnSqlite(InMemory):
    """This engine in process, every record synced to a SQLite file before its effects."""

    name = "ours on SQLite"

    def _directory(self) -> AbstractContextManager[str]:
        return tempfile.TemporaryDirectory()

    def _store(self, directory: str) -> str:
        return f"sqlite:{Path(directory, 'executions.sqlite')}"


_SHOWN_CHARACTERS: Final = 200


def check_output(workload: Workload, status: str, output: object) -> None:
    """Raises WrongAnswer."""
    if status != "SUCCEEDED" or output != workload.output:
        raise WrongAnswer(f"{status} with {str(output)[:_SHOWN_CHARACTERS]}")


def _check_history(workload: Workload, result: ExecutionResult) -> None:
    check_output(workload, result.status, result.output)
    entered = len(result.path)
    if entered != workload.states:
        raise WrongAnswer(f"the history has {entered} states, not {workload.states}")
