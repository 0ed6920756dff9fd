"""The commands that a message tells its reader to type next, complete with the options that they need."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

from asl_engine.cli import wiring
from asl_engine.cli.options import DEFAULT_STORE
from asl_engine.interpreter.execution import Execution
from asl_engine.language.definition import StateType
from asl_engine.language.parser import compile_definition
from asl_engine.store.protocol import ExecutionStore


@dataclass(frozen=True, slots=True)
class NextSteps:
    """Commands for a store. `resume_options` are those that performed the tasks so far."""

    store_spec: str
    resume_options: tuple[str, ...] = ()

    @property
    def is_durable(self) -> bool:
        """Whether another command can see what this one did."""
        return self.store_spec != "memory"

    def command(self, verb: str, *arguments: str) -> str:
        """`asl verb arguments`, on this store."""
        words = ["asl", verb, *arguments]
        if self.store_spec != os.environ.get("ASL_STORE", DEFAULT_STORE):
            words += ["--store", self.store_spec]
        return shlex.join(words)

    def resume(self, *whom: str) -> str:
        """The command that goes on with an execution, or with all."""
        return self.command("resume", *whom, *self.resume_options)

    async def whom(self, store: ExecutionStore, execution: Execution) -> str:
        """What to type for an execution: its name, or its ARN where state machines share the name.

        Always the ARN in DynamoDB, where a name is looked for in the whole table.
        """
        if not self.is_durable:
            return execution.name
        if self.store_spec.startswith("dynamodb:") or len(await store.named(execution.name)) > 1:
            return execution.arn
        return execution.name


async def next_steps_of(store: ExecutionStore, store_spec: str, execution: Execution) -> NextSteps:
    """Commands for an execution that another command ran: which file performed its tasks is not known here."""
    machine = compile_definition(await store.definition(execution.definition_sha256))
    states = [state for branch in machine.branches.values() for state in branch.states.values()]
    options: tuple[str, ...] = ()
    if any(state.type is StateType.TASK for state in states):
        options += ("--tasks", "FILE")
    if wiring.is_ahead(execution):
        options += ("--clock", "virtual")
    return NextSteps(store_spec, options)
