"""State machines as resources: the machine with its newest revision, its published versions, its aliases.

A *revision* is what a state machine was between two updates: definition, role and configurations. It is kept for ever
under a name of its own, because executions tell by it what they were started with. A machine's document holds a copy of
its newest revision, a version's document a copy of the one that was published.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from asl_engine.api.arns import StateMachineArn, read_state_machine_arn
from asl_engine.api.configurations import encryption_configuration, logging_configuration, tracing_configuration
from asl_engine.api.diagnostics import error_text, told_by_aws
from asl_engine.api.service import StepFunctions
from asl_engine.errors import Conflict, InvalidStateMachineDefinition, StateMachineDeleting, StateMachineDoesNotExist
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.language.definition import StateMachine
from asl_engine.language.diagnostics import Diagnostic, Severity
from asl_engine.language.parser import parse_definition
from asl_engine.language.variable_references import variable_references
from asl_engine.store.resources import Change, Resource, created, removed

MACHINE: Final = "state_machine"
VERSION: Final = "state_machine_version"
ALIAS: Final = "state_machine_alias"
REVISION: Final = "state_machine_revision"

_COMPILED_MACHINES_MAX: Final = 256


def compile_for(definition: str, machine_type: str) -> StateMachine:
    """The machine of a definition. Raises InvalidStateMachineDefinition with all errors, in AWS's words."""
    machine, diagnostics = _compiled(definition, machine_type == "EXPRESS")
    if machine is None:
        raise invalid_definition(diagnostics, definition)
    return machine


def invalid_definition(diagnostics: tuple[Diagnostic, ...], definition: str) -> InvalidStateMachineDefinition:
    """What refuses a definition, of this text, for the errors among these diagnostics, in AWS's words."""
    errors = (one for one in told_by_aws(diagnostics) if one.severity is Severity.ERROR)
    problems = ", ".join(error_text(error, definition) for error in errors)
    return InvalidStateMachineDefinition(f"Invalid State Machine Definition: '{problems}'")


@lru_cache(_COMPILED_MACHINES_MAX)
def _compiled(definition: str, express: bool) -> tuple[StateMachine | None, tuple[Diagnostic, ...]]:
    parsed = parse_definition(definition, express=express, any_resource=False)
    return parsed.machine, parsed.diagnostics


def new_revision(
    service: StepFunctions, request: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The revision that a request to create or update makes out of the one before. Raises what its parts raise."""
    given = dict(before or {})
    definition = request.get("definition", given.get("definition"))
    machine_type = request.get("type", given.get("type", "STANDARD"))
    machine = compile_for(definition, machine_type)
    revision = {
        "id": str(uuid.uuid4()),
        "type": machine_type,
        "definition": definition,
        "roleArn": request.get("roleArn", given.get("roleArn")),
        "loggingConfiguration": logging_configuration(
            request.get("loggingConfiguration", given.get("loggingConfiguration"))
        ),
        "tracingConfiguration": tracing_configuration(
            request.get("tracingConfiguration", given.get("tracingConfiguration"))
        ),
        "encryptionConfiguration": encryption_configuration(
            request.get("encryptionConfiguration", given.get("encryptionConfiguration"))
        ),
        "updateDate": service.seconds(),
        "updated": before is not None,
    }
    references = variable_references(machine.definition)
    return {**revision, "variableReferences": references} if references else revision


def shown_revision(revision: Mapping[str, Any]) -> dict[str, Any]:
    """The members that describing a machine, a version or an execution's machine have in common."""
    names = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
    shown = {name: revision[name] for name in names}
    if "variableReferences" in revision:
        shown["variableReferences"] = revision["variableReferences"]
    if revision["updated"]:  # AWS shows no id before the first update
        shown["revisionId"] = revision["id"]
    return shown


def without_definition(shown: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """A description as a caller gets it who wants METADATA_ONLY: AWS then answers `{}` for the definition."""
    return {**shown, "definition": "{}"} if request.get("includedData") == "METADATA_ONLY" else {**shown}


def keep_revision(machine_arn: str, revision: dict[str, Any]) -> Change:
    """The write that keeps a revision for the executions that are started with it."""
    return created(REVISION, revision["id"], {**revision, "stateMachineArn": machine_arn})


async def find_machine(service: StepFunctions, machine_arn: str) -> Resource | None:
    """A state machine that is there, or on its way out. One whose last execution has ended is removed now."""
    machine = await service.resources.get(MACHINE, machine_arn)
    if machine is not None and machine.document["status"] == "DELETING" and not await is_running(service, machine_arn):
        with contextlib.suppress(Conflict):  # somebody else removes it, too
            await service.resources.write(*await removal(service, machine))
        return None
    return machine


def check_active(machine: Resource) -> None:
    """Raises StateMachineDeleting for a machine that only waits for the end of its executions."""
    if machine.document["status"] == "DELETING":
        raise StateMachineDeleting(f"State Machine Deleting: '{machine.key}'")


async def machine_named(service: StepFunctions, arn: StateMachineArn) -> Resource:
    """The state machine that an ARN without qualifier names. Raises StateMachineDoesNotExist."""
    machine = None if arn.qualifier is not None else await find_machine(service, arn.unqualified)
    if machine is None:
        raise does_not_exist(arn.text)
    return machine


async def version_named(service: StepFunctions, arn: str) -> Resource:
    """The version that an ARN names. Raises InvalidArn or StateMachineDoesNotExist."""
    number = read_state_machine_arn(arn).version
    version = await service.resources.get(VERSION, version_key(arn)) if number is not None else None
    if version is None:
        raise does_not_exist(arn)
    return version


async def is_qualifier_known(service: StepFunctions, arn: StateMachineArn) -> bool:
    """Whether the version or alias is there that an ARN names, if it names one."""
    if arn.qualifier is None:
        return True
    kind, key = (ALIAS, arn.text) if arn.version is None else (VERSION, version_key(arn.text))
    return await service.resources.get(kind, key) is not None


async def is_running(service: StepFunctions, machine_arn: str) -> bool:
    """Whether an execution of the machine is open."""
    running = service.executions.executions(ExecutionStatus.RUNNING, state_machine_arn=machine_arn, limit=1)
    return bool(await running)


async def removal(service: StepFunctions, machine: Resource) -> list[Change]:
    """The writes that remove a machine, its versions and its aliases. Revisions stay, for the executions."""
    resources = service.resources
    prefix = f"{machine.key}:"
    below = [*await resources.list(VERSION, prefix=prefix), *await resources.list(ALIAS, prefix=prefix)]
    return [removed(resource) for resource in (machine, *below)]


def version_key(version_arn: str) -> str:
    """A key by which versions sort in the order of their numbers."""
    machine, _, number = version_arn.rpartition(":")
    return f"{machine}:{int(number):010d}"


def does_not_exist(arn: str) -> StateMachineDoesNotExist:
    """The error for an ARN that names nothing."""
    return StateMachineDoesNotExist(f"State Machine Does Not Exist: '{arn}'")
