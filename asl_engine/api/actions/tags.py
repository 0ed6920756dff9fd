"""TagResource, UntagResource, ListTagsForResource, of state machines and activities.

None of them answers that another request came in between: what that one kept is read, and changed once more.
"""

from __future__ import annotations

from asl_engine.api import tag_lists
from asl_engine.api.actions.activities import ACTIVITY
from asl_engine.api.arns import resource_type
from asl_engine.api.machines import MACHINE
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import Conflict, InvalidArn, ResourceNotFound
from asl_engine.store.resources import Resource, replaced

_KINDS = {"stateMachine": MACHINE, "activity": ACTIVITY}


async def tag_resource(service: StepFunctions, request: Request) -> Answer:
    """TagResource."""
    resource = await _resource(service, request["resourceArn"])
    kept = tag_lists.merged(resource.document["tags"], request["tags"])
    return {} if await _is_kept(service, resource, kept) else await tag_resource(service, request)


async def untag_resource(service: StepFunctions, request: Request) -> Answer:
    """UntagResource. Keys that are not there are no error."""
    resource = await _resource(service, request["resourceArn"])
    gone = set(request["tagKeys"])
    kept = {key: value for key, value in resource.document["tags"].items() if key not in gone}
    return {} if await _is_kept(service, resource, kept) else await untag_resource(service, request)


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


async def _is_kept(service: StepFunctions, resource: Resource, tags: dict[str, str]) -> bool:
    try:
        await service.resources.write(replaced(resource, {**resource.document, "tags": tags}))
    except Conflict:
        return False
    return True
