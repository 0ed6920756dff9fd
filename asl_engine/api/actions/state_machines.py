"""CreateStateMachine, UpdateStateMachine, DescribeStateMachine, DeleteStateMachine, ListStateMachines.

Creating is idempotent: the same name with the same definition, type, configurations and first version gives the machine
that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asl_engine.api import tag_lists
from asl_engine.api.actions.versions import publish, published
from asl_engine.api.arns import check_role_arn, read_state_machine_arn
from asl_engine.api.machines import (
    MACHINE,
    check_active,
    does_not_exist,
    find_machine,
    is_running,
    keep_revision,
    machine_named,
    new_revision,
    removal,
    shown_revision,
    version_named,
    without_definition,
)
from asl_engine.api.names import refuse_bad_name
from asl_engine.api.pages import first_page, page_size
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import (
    Conflict,
    ConflictException,
    MissingRequiredParameter,
    StateMachineAlreadyExists,
    ValidationException,
)
from asl_engine.store.resources import Resource, created, replaced

_CONFIGURATIONS = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
_COMPARED = ("type", "definition", *_CONFIGURATIONS)


async def create_state_machine(service: StepFunctions, request: Request) -> Answer:
    """CreateStateMachine."""
    refuse_bad_name(request["name"])
    _check_version_description(request)
    check_role_arn(request["roleArn"])
    revision = new_revision(service, request)
    arn = service.arn("stateMachine", request["name"])
    known = await find_machine(service, arn)
    if known is not None:
        return _created_before(known, revision, request)
    document = {
        "name": request["name"],
        "type": revision["type"],
        "status": "ACTIVE",
        "creationDate": revision["updateDate"],
        "tags": tag_lists.read(request.get("tags", ())),
        "revision": revision,
        "versions": 0,
        "createdWith": _publication(request),
    }
    answer = {"stateMachineArn": arn, "creationDate": document["creationDate"]}
    changes = [keep_revision(arn, revision)]
    if request.get("publish"):
        version, document = publish(arn, document, request.get("versionDescription"), service.seconds())
        changes.append(version)
        answer["stateMachineVersionArn"] = f"{arn}:1"
    try:
        await service.resources.write(created(MACHINE, arn, document), *changes)
    except Conflict:  # somebody has just created it: theirs is the one to compare with
        return await create_state_machine(service, request)
    return answer


async def update_state_machine(service: StepFunctions, request: Request) -> Answer:
    """UpdateStateMachine. Executions that run go on with the revision that they began with.

    What changes nothing makes no revision, and publishes the version that the revision has.
    """
    _check_version_description(request)
    arn = read_state_machine_arn(request["stateMachineArn"])
    machine = await machine_named(service, arn)
    if not any(name in request for name in ("definition", "roleArn", *_CONFIGURATIONS)):
        raise MissingRequiredParameter(
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
            "must be specified"
        )
    check_active(machine)
    if "roleArn" in request:
        check_role_arn(request["roleArn"])
    known, revision = machine.document["revision"], new_revision(service, request, machine.document["revision"])
    if any(known[name] != revision[name] for name in (*_COMPARED, "roleArn")):
        changes = [keep_revision(arn.unqualified, revision)]
    else:  # nothing changes but that the revision's id is shown from now on
        changes, revision = [], {**known, "updated": True}
    document = {**machine.document, "revision": revision}
    answer = {"updateDate": service.seconds(), "revisionId": revision["id"]}
    if request.get("publish"):
        more, document, version = await published(service, arn.unqualified, document, request.get("versionDescription"))
        changes += more
        answer["stateMachineVersionArn"] = version["stateMachineVersionArn"]
    await write_or_conflict(service, replaced(machine, document), *changes)
    return answer


async def describe_state_machine(service: StepFunctions, request: Request) -> Answer:
    """DescribeStateMachine, of a machine or of one of its versions."""
    arn = read_state_machine_arn(request["stateMachineArn"])
    machine = await find_machine(service, arn.unqualified)
    if machine is None:
        raise does_not_exist(arn.text)
    described = machine.document
    if arn.qualifier is not None:
        described = (await version_named(service, arn.text)).document
    shown = {
        "stateMachineArn": arn.text,
        "name": machine.document["name"],
        "status": machine.document["status"],
        "type": machine.document["type"],
        "creationDate": described["creationDate"],
        **shown_revision(described["revision"]),
    }
    return without_definition(shown, request) | (
        {"description": described["description"]} if described.get("description") else {}
    )


async def delete_state_machine(service: StepFunctions, request: Request) -> Answer:
    """DeleteStateMachine. Deleting what is not there is no error; executions that run may end first."""
    arn = read_state_machine_arn(request["stateMachineArn"])
    machine = await find_machine(service, arn.unqualified) if arn.qualifier is None else None
    if machine is None:
        return {}
    if await is_running(service, machine.key):
        changes = [replaced(machine, {**machine.document, "status": "DELETING"})]
    else:
        changes = await removal(service, machine)
    try:
        await service.resources.write(*changes)
    except Conflict:  # another request has changed it, or deleted it
        return await delete_state_machine(service, request)
    return {}


async def list_state_machines(service: StepFunctions, request: Request) -> Answer:
    """ListStateMachines, in the order of their names."""
    listing, size = ("ListStateMachines",), page_size(request)
    after = service.tokens.read(listing, request["nextToken"]) if "nextToken" in request else ""
    page, last = first_page(await service.resources.list(MACHINE, after=after, limit=size + 1), size)
    there = [machine for machine in page if not _is_deleting(machine) or await find_machine(service, machine.key)]
    answer: Answer = {"stateMachines": [_list_item(machine) for machine in there]}
    return answer | ({"nextToken": service.tokens.issue(listing, last.key)} if last is not None else {})


async def write_or_conflict(service: StepFunctions, *changes: Any) -> None:
    """Write what was decided. Raises ConflictException when another request changed it meanwhile."""
    try:
        await service.resources.write(*changes)
    except Conflict as error:
        raise ConflictException("Another request has just changed the state machine: try again") from error


def _check_version_description(request: Request) -> None:
    if "versionDescription" in request and not request.get("publish"):
        raise ValidationException("Version description can only be set when publish is true")


def _created_before(machine: Resource, revision: Mapping[str, Any], request: Request) -> Answer:
    check_active(machine)
    known, publication = machine.document["revision"], _publication(request)
    is_same = machine.document.get("createdWith", publication) == publication
    if not is_same or any(known[name] != revision[name] for name in _COMPARED):
        raise StateMachineAlreadyExists(f"State Machine Already Exists: '{machine.key}'")
    answer: Answer = {"stateMachineArn": machine.key, "creationDate": machine.document["creationDate"]}
    return answer | ({"stateMachineVersionArn": f"{machine.key}:1"} if request.get("publish") else {})


def _publication(request: Request) -> dict[str, Any]:
    """What a request to create says of the first version."""
    return {"publish": request.get("publish", False), "versionDescription": request.get("versionDescription")}


def _is_deleting(machine: Resource) -> bool:
    return bool(machine.document["status"] == "DELETING")


def _list_item(machine: Resource) -> Answer:
    shown: Answer = {name: machine.document[name] for name in ("name", "type", "creationDate")}
    return {"stateMachineArn": machine.key, **shown}
