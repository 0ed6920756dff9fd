"""Definitions: compiled once for as long as this process has room, whoever starts or takes up their executions."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asl_engine.interpreter.execution import Execution, TaskAttempt
from asl_engine.language.definition import StateMachine, TaskState
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.jobs import JobPerformer
from asl_engine.runtime.tasks import TaskCall
from asl_engine.store.protocol import ExecutionStore

_KEPT_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Definition:
    """A machine, its Task states by their names, which are unique in it, and those of them that start jobs."""

    machine: StateMachine
    tasks: Mapping[str, TaskState]
    job_states: frozenset[str]

    def call(self, execution: Execution, frame_id: str, attempt: TaskAttempt) -> TaskCall:
        """An attempt as its performer sees it; nobody listens to it yet."""
        frame = execution.frames.get(frame_id)  # gone, or in another state, if the attempt is to be cancelled
        is_open = frame is not None and frame.wait is not None and frame.wait.wait_id == attempt.wait_id
        return TaskCall(
            execution_arn=execution.arn,
            execution_name=execution.name,
            state_machine_name=execution.state_machine_name,
            frame_id=frame_id,
            resource=self.tasks[attempt.state_name].resource,
            attempt=attempt,
            execution_started_at=execution.started_at,
            state_entered_at=frame.entered_at if frame is not None and is_open else 0,
        )


class Definitions:
    """The definitions of a store, those used last in memory."""

    def __init__(self, store: ExecutionStore, jobs: JobPerformer | None) -> None:
        self._store, self._jobs = store, jobs
        self._kept: OrderedDict[str, Definition] = OrderedDict()

    async def get(self, sha256: str) -> Definition:
        """The definition with this hash. Raises StoreError, and InvalidDefinition for what was not written by us."""
        known = self._kept.get(sha256)
        if known is not None:
            self._kept.move_to_end(sha256)
            return known
        return self._keep(compile_definition(await self._store.definition(sha256)), sha256)

    async def put(self, machine: StateMachine) -> Definition:
        """Make sure that the store has the machine's definition."""
        known = self._kept.get(machine.sha256)
        if known is None:
            await self._store.put_definition(machine.sha256, json.dumps(machine.definition))
            known = self._keep(machine, machine.sha256)
        return known

    def _keep(self, machine: StateMachine, sha256: str) -> Definition:
        tasks = {
            state.name: state
            for branch in machine.branches.values()
            for state in branch.states.values()
            if isinstance(state, TaskState)
        }
        jobs = frozenset(name for name, state in tasks.items() if self._jobs and self._jobs.handles(_probe(state)))
        definition = self._kept[sha256] = Definition(machine, tasks, jobs)
        if len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)
        return definition


def _probe(state: TaskState) -> TaskCall:
    attempt = TaskAttempt(wait_id=0, state_name=state.name, resource=state.resource.arn, arguments={})
    return TaskCall(
        execution_arn="",
        execution_name="",
        state_machine_name="",
        frame_id="",
        resource=state.resource,
        attempt=attempt,
    )
