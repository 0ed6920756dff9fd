"""TagResource, UntagResource, ListTagsForResource, of state machines and activities."""

from __future__ import annotations

from asl_engine.api import tag_lists
from asl_engine.api.actions.activities import ACTIVITY
from asl_engine.api.actions.state_machines import write_or_conflict
from asl_engine.api.arns import resource_type
from asl_engine.api.machines import MACHINE
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import InvalidArn, ResourceNotFound
from asl_engine.store.resources import Resource, replaced

_KINDS = {"stateMachine": MACHINE, "activity": ACTIVITY}


async def tag_resource(service: StepFunctions, request: Request) -> Answer:
    """TagResource."""
    resource = await _resource(service, request["resourceArn"])
    await _keep(service, resource, tag_lists.merged(resource.document["tags"], request["tags"]))
    return {}


async def untag_resource(service: StepFunctions, request: Request) -> Answer:
    """UntagResource. Keys that are not there are no error."""
    resource = await _resource(service, request["resourceArn"])
    gone = set(request["tagKeys"])
    kept = {key: value for key, value in resource.document["tags"].items() if key not in gone}
    await _keep(service, resource, kept)
    return {}


async def list_tags_for_resource(service: StepFunctions, request: Request) -> Answer:
    """ListTagsForResource."""
    return {"tags": tag_lists.shown((await _resource(service, request["resourceArn"])).document["tags"])}


async def _resource(service: StepFunctions, arn: str) -> Resource:
    kind = _KINDS.get(resource_type(arn))
    if kind is None:
        raise InvalidArn(f"Invalid Arn: 'Resource type not valid in this context: {resource_type(arn)}'")
    resource = await service.resources.get(kind, arn)
    if resource is None:
        raise ResourceNotFound(f"Resource not found: '{arn}'")
    return resource


async def _keep(service: StepFunctions, resource: Resource, tags: dict[str, str]) -> None:
    await write_or_conflict(service, replaced(resource, {**resource.document, "tags": tags}))
