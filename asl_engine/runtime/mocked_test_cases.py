"""Test cases as in AWS Step Functions Local: each execution is mocked by the one that it was started with.

Which one that is, lives in memory: an execution that a restarted server takes up is mocked as if it had chosen none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from asl_engine.errors import TasksFileError
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.mocks import InvocationCount, Script, ScriptedTasks
from asl_engine.runtime.tasks import TaskCall, TaskResult


class MockedTestCases:
    """Performs the tasks that an execution's test case names. `default` is for executions that have chosen none."""

    def __init__(
        self, scripts: Mapping[str, Mapping[str, Script]], clock: Clock, default: ScriptedTasks | None
    ) -> None:
        self._cases = {
            machine: {case: ScriptedTasks(script, clock, InvocationCount()) for case, script in cases.items()}
            for machine, cases in scripts.items()
        }
        self._default = default
        self._chosen: dict[str, ScriptedTasks] = {}

    def choose(self, execution_arn: str, state_machine_name: str, test_case: str) -> None:
        """Mock an execution, which may have chosen before. Raises TasksFileError."""
        if state_machine_name not in self._cases:
            raise _unknown("state machine", state_machine_name, self._cases)
        cases = self._cases[state_machine_name]
        if test_case not in cases:
            raise _unknown("test case", test_case, cases)
        self._chosen.setdefault(execution_arn, cases[test_case])

    def handles(self, call: TaskCall) -> bool:
        """Whether the execution's test case has one of the call's names."""
        mocks = self._mocks(call)
        return mocks is not None and mocks.handles(call)

    async def perform(self, call: TaskCall) -> TaskResult:
        """See `TaskPerformer.perform`."""
        mocks = self._mocks(call)
        assert mocks is not None, "it handles the call"
        return await mocks.perform(call)

    async def close(self) -> None:
        """Nothing is held."""

    def _mocks(self, call: TaskCall) -> ScriptedTasks | None:
        return self._chosen.get(call.execution_arn, self._default)


def _unknown(what: str, name: str, known: Iterable[str]) -> TasksFileError:
    return TasksFileError(f'no {what} is named "{name}"; the mocks file has: {", ".join(sorted(known)) or "none"}')
