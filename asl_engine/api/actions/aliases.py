"""CreateStateMachineAlias, Update…, Describe…, Delete… and ListStateMachineAliases.

An alias names one or two versions of a machine and how many of a hundred executions each of them gets.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from asl_engine.api.actions.state_machines import write_or_conflict
from asl_engine.api.arns import StateMachineArn, read_state_machine_arn
from asl_engine.api.machines import ALIAS, VERSION, check_active, does_not_exist, find_machine, version_key
from asl_engine.api.pages import first_page, page_size
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import ConflictException, ResourceNotFound, ValidationException
from asl_engine.store.resources import Resource, created, removed, replaced

_MISSING = "Request references a resource that does not exist."
_SHOWN = ("stateMachineAliasArn", "name", "routingConfiguration", "creationDate", "updateDate")


async def create_state_machine_alias(service: StepFunctions, request: Request) -> Answer:
    """CreateStateMachineAlias. The same name with the same routes and description gives the alias that is there."""
    machine_arn = await _check_routes(service, request["routingConfiguration"])
    arn = f"{machine_arn}:{request['name']}"
    known = await service.resources.get(ALIAS, arn)
    if known is not None:
        return _created_before(known, request)
    now = service.seconds()
    document = {
        "stateMachineAliasArn": arn,
        "name": request["name"],
        "description": request.get("description"),
        "routingConfiguration": request["routingConfiguration"],
        "creationDate": now,
        "updateDate": now,
    }
    await write_or_conflict(service, created(ALIAS, arn, document))
    return {"stateMachineAliasArn": arn, "creationDate": now}


async def update_state_machine_alias(service: StepFunctions, request: Request) -> Answer:
    """UpdateStateMachineAlias."""
    alias = await _alias(service, request["stateMachineAliasArn"])
    if "routingConfiguration" in request:
        machine_arn = await _check_routes(service, request["routingConfiguration"])
        if machine_arn != alias.key.rpartition(":")[0]:
            raise ValidationException("Routing configuration must contain versions of the alias's own state machine")
    elif "description" not in request:
        raise ValidationException("Either the description or the routing configuration must be specified")
    given = {name: request[name] for name in ("description", "routingConfiguration") if name in request}
    now = service.seconds()
    await write_or_conflict(service, replaced(alias, {**alias.document, **given, "updateDate": now}))
    return {"updateDate": now}


async def describe_state_machine_alias(service: StepFunctions, request: Request) -> Answer:
    """DescribeStateMachineAlias."""
    document = (await _alias(service, request["stateMachineAliasArn"])).document
    shown: Answer = {name: document[name] for name in _SHOWN}
    return shown | ({"description": document["description"]} if document["description"] else {})


async def delete_state_machine_alias(service: StepFunctions, request: Request) -> Answer:
    """DeleteStateMachineAlias. Deleting what is not there is no error."""
    arn = read_state_machine_arn(request["stateMachineAliasArn"])
    alias = await service.resources.get(ALIAS, arn.text)
    if alias is not None:
        await write_or_conflict(service, removed(alias))
    return {}


async def list_state_machine_aliases(service: StepFunctions, request: Request) -> Answer:
    """ListStateMachineAliases, of a machine or of those that route to one version of it."""
    arn = read_state_machine_arn(request["stateMachineArn"])
    listing, size = ("ListStateMachineAliases", arn.text), page_size(request)
    after = service.tokens.read(listing, request["nextToken"]) if "nextToken" in request else ""
    machine = await find_machine(service, arn.unqualified)
    if machine is None:
        raise does_not_exist(arn.text)
    check_active(machine)
    aliases = await service.resources.list(ALIAS, prefix=f"{arn.unqualified}:", after=after)
    if arn.qualifier is not None:
        aliases = [alias for alias in aliases if _routes_to(alias, arn.text)]
    page, last = first_page(aliases, size)
    answer: Answer = {"stateMachineAliases": [_list_item(alias) for alias in page]}
    return answer | ({"nextToken": service.tokens.issue(listing, last.key)} if last is not None else {})


async def _alias(service: StepFunctions, alias_arn: str) -> Resource:
    read_state_machine_arn(alias_arn)
    alias = await service.resources.get(ALIAS, alias_arn)
    if alias is None:
        raise ResourceNotFound(_MISSING)
    return alias


async def _check_routes(service: StepFunctions, routes: Sequence[dict[str, Any]]) -> str:
    """The ARN of the one machine that all routes lead to.

    Raises ValidationException, ResourceNotFound or StateMachineDeleting.
    """
    arns = [route["stateMachineVersionArn"] for route in routes]
    received = f"Received: [{', '.join(arns)}]"
    versions = [read_state_machine_arn(arn) for arn in arns]
    if any(version.version is None for version in versions):
        raise ValidationException(f"Routing configuration must contain state machine version ARNs. {received}")
    if len(set(arns)) < len(arns):
        raise ValidationException(f"Routing configuration must contain distinct state machine version ARNs. {received}")
    if len({version.unqualified for version in versions}) > 1:
        raise ValidationException(f"Routing configuration must contain versions of one state machine. {received}")
    weights = [route["weight"] for route in routes]
    if sum(weights) != 100:
        raise ValidationException(
            f"Sum of routing configuration weights must equal 100. Received: {json.dumps(weights)}"
        )
    await _check_versions(service, versions)
    return versions[0].unqualified


async def _check_versions(service: StepFunctions, versions: Sequence[StateMachineArn]) -> None:
    machine = await find_machine(service, versions[0].unqualified)
    if machine is None:
        raise ResourceNotFound(_MISSING)
    check_active(machine)
    for version in versions:
        if await service.resources.get(VERSION, version_key(version.text)) is None:
            raise ResourceNotFound(_MISSING)


def _created_before(alias: Resource, request: Request) -> Answer:
    compared = ("description", "routingConfiguration")
    if any(alias.document[name] != request.get(name) for name in compared):
        raise ConflictException(
            "Failed to create alias because an alias with the same name and a different routing configuration "
            "already exists."
        )
    return _list_item(alias)


def _routes_to(alias: Resource, version_arn: str) -> bool:
    return any(route["stateMachineVersionArn"] == version_arn for route in alias.document["routingConfiguration"])


def _list_item(alias: Resource) -> Answer:
    return {name: alias.document[name] for name in ("stateMachineAliasArn", "creationDate")}
