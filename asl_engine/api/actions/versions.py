"""PublishStateMachineVersion, ListStateMachineVersions, DeleteStateMachineVersion.

Numbers count up and are never used again. Publishing a revision a second time gives the version that it has.
"""

from __future__ import annotations

from typing import Any

from asl_engine.api.arns import read_state_machine_arn
from asl_engine.api.machines import (
    ALIAS,
    VERSION,
    check_active,
    does_not_exist,
    find_machine,
    machine_named,
    version_key,
)
from asl_engine.api.pages import page_size
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import Conflict, ConflictException, ValidationException
from asl_engine.store.resources import Change, Resource, created, removed, replaced


def publish(arn: str, document: dict[str, Any], description: str | None, now: float) -> tuple[Change, dict[str, Any]]:
    """The write that makes a version of the newest revision, and the machine's document after it."""
    number = document["versions"] + 1
    version = {
        "stateMachineVersionArn": f"{arn}:{number}",
        "creationDate": now,
        "description": description,
        "revision": document["revision"],
    }
    return created(VERSION, version_key(f"{arn}:{number}"), version), {**document, "versions": number}


async def published(
    service: StepFunctions, arn: str, document: dict[str, Any], description: str | None
) -> tuple[list[Change], dict[str, Any], dict[str, Any]]:
    """The writes that make a version of the newest revision, if it has none; the machine after them; the version."""
    known = await _version_of(service, arn, document["revision"]["id"])
    if known is not None:
        return [], document, known.document
    change, document = publish(arn, document, description, service.seconds())
    assert change.document is not None, "publishing writes a version"
    return [change], document, change.document


async def publish_state_machine_version(service: StepFunctions, request: Request) -> Answer:
    """PublishStateMachineVersion."""
    arn = read_state_machine_arn(request["stateMachineArn"])
    machine = await machine_named(service, arn)
    check_active(machine)
    document = machine.document
    revision = document["revision"]
    current = revision["id"] if revision["updated"] else "INITIAL"
    if "revisionId" in request and request["revisionId"] not in {current, revision["id"]}:
        raise ConflictException(
            f"Failed to publish the State Machine version for revision {request['revisionId']}. "
            f"The current State Machine revision is {current}."
        )
    changes, document, version = await published(service, arn.unqualified, document, request.get("description"))
    if changes:
        try:
            await service.resources.write(replaced(machine, document), *changes)
        except Conflict as error:
            raise ConflictException("Another request has just changed the state machine: try again") from error
    return _answer(version)


async def list_state_machine_versions(service: StepFunctions, request: Request) -> Answer:
    """ListStateMachineVersions, newest first."""
    arn = read_state_machine_arn(request["stateMachineArn"])
    if arn.qualifier is not None or await find_machine(service, arn.unqualified) is None:
        raise does_not_exist(arn.text)
    listing, size = ("ListStateMachineVersions", arn.text), page_size(request)
    kept = await service.resources.list(VERSION, prefix=f"{arn.unqualified}:")
    before = service.tokens.read(listing, request["nextToken"]) if "nextToken" in request else "\U0010ffff"
    older = [version for version in reversed(kept) if version.key < before]
    answer: Answer = {"stateMachineVersions": [_answer(version.document) for version in older[:size]]}
    if len(older) > size:
        answer["nextToken"] = service.tokens.issue(listing, older[size - 1].key)
    return answer


async def delete_state_machine_version(service: StepFunctions, request: Request) -> Answer:
    """DeleteStateMachineVersion. Deleting what is not there is no error."""
    arn = read_state_machine_arn(request["stateMachineVersionArn"])
    if arn.version is None:
        raise ValidationException(f"'{arn.text}' is not the ARN of a state machine version")
    version = await service.resources.get(VERSION, version_key(arn.text))
    if version is None:
        return {}
    aliases = await service.resources.list(ALIAS, prefix=f"{arn.unqualified}:")
    referring = [str(alias.document["name"]) for alias in aliases if _routes_to(alias, arn.text)]
    if referring:
        raise ConflictException(
            "Version to be deleted must not be referenced by an alias. "
            f"Current list of aliases referencing this version: [{', '.join(referring)}]"
        )
    await service.resources.write(removed(version))
    return {}


def _routes_to(alias: Resource, version_arn: str) -> bool:
    return any(route["stateMachineVersionArn"] == version_arn for route in alias.document["routingConfiguration"])


async def _version_of(service: StepFunctions, machine_arn: str, revision_id: str) -> Resource | None:
    for version in await service.resources.list(VERSION, prefix=f"{machine_arn}:"):
        if version.document["revision"]["id"] == revision_id:
            return version
    return None


def _answer(version: dict[str, Any]) -> Answer:
    return {name: version[name] for name in ("stateMachineVersionArn", "creationDate")}
