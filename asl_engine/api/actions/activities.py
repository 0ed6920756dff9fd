"""CreateActivity, DescribeActivity, DeleteActivity, ListActivities, GetActivityTask."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from asl_engine.api import tag_lists
from asl_engine.api.arns import check_activity_arn
from asl_engine.api.configurations import encryption_configuration
from asl_engine.api.names import refuse_bad_name
from asl_engine.api.pages import first_page, page_size
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import ActivityAlreadyExists, ActivityDoesNotExist, Conflict, ExecutionDoesNotExist, StoreError
from asl_engine.interpreter.events import ActivityStarted
from asl_engine.interpreter.execution import TaskAttempt
from asl_engine.json_value import dump_json
from asl_engine.runtime.activities import ActivityOffer
from asl_engine.store.resources import Resource, ResourceStore, created, removed

ACTIVITY = "activity"


async def create_activity(service: StepFunctions, request: Request) -> Answer:
    """CreateActivity. An activity of this name that is there, and is encrypted alike, is the answer."""
    refuse_bad_name(request["name"])
    encryption = encryption_configuration(request.get("encryptionConfiguration"))
    arn = service.arn("activity", request["name"])
    document = {
        "name": request["name"],
        "creationDate": service.seconds(),
        "encryptionConfiguration": encryption,
        "tags": tag_lists.read(request.get("tags", ())),
    }
    with contextlib.suppress(Conflict):
        await service.resources.write(created(ACTIVITY, arn, document))
    kept = (await _activity(service, arn)).document
    if kept["encryptionConfiguration"] != encryption:
        raise ActivityAlreadyExists(f"Activity Already Exists: '{arn}'")
    return {"activityArn": arn, "creationDate": kept["creationDate"]}


async def describe_activity(service: StepFunctions, request: Request) -> Answer:
    """DescribeActivity."""
    activity = await _activity(service, request["activityArn"])
    return {**_list_item(activity), "encryptionConfiguration": activity.document["encryptionConfiguration"]}


async def delete_activity(service: StepFunctions, request: Request) -> Answer:
    """DeleteActivity. Deleting what is not there is no error."""
    check_activity_arn(request["activityArn"])
    activity = await service.resources.get(ACTIVITY, request["activityArn"])
    if activity is not None:
        with contextlib.suppress(Conflict):
            await service.resources.write(removed(activity))
    return {}


async def list_activities(service: StepFunctions, request: Request) -> Answer:
    """ListActivities, in the order of their names."""
    listing, size = ("ListActivities",), page_size(request)
    after = service.tokens.read(listing, request["nextToken"]) if "nextToken" in request else ""
    page, last = first_page(await service.resources.list(ACTIVITY, after=after, limit=size + 1), size)
    answer: Answer = {"activities": [_list_item(activity) for activity in page]}
    return answer | ({"nextToken": service.tokens.issue(listing, last.key)} if last is not None else {})


async def get_activity_task(service: StepFunctions, request: Request) -> Answer:
    """GetActivityTask: waits for a task; without one in time the answer has no token."""
    arn = request["activityArn"]
    await _activity(service, arn)
    ends_at = _monotonic() + service.activity_poll_seconds
    while (left := ends_at - _monotonic()) > 0:
        offer = await service.desk.take(arn, left)
        if offer is None:
            break
        attempt = await _begin(service, offer, request.get("workerName", ""))
        if attempt is not None:
            return {"taskToken": attempt.task_token, "input": dump_json(attempt.arguments)}
    return {}


async def _begin(service: StepFunctions, offer: ActivityOffer, worker_name: str) -> TaskAttempt | None:
    """Record that a worker has the task, before it is told so; None when the task is over or another worker's."""
    started = ActivityStarted(offer.frame_id, offer.wait_id, worker_name)
    begun, is_ours = False, False
    try:
        is_ours = await service.deliver(offer.execution_arn, started)
        begun = True
        frame = (await service.execution(offer.execution_arn)).frames.get(offer.frame_id)
    except ExecutionDoesNotExist:
        begun = True
        return None
    finally:
        if begun:
            await offer.settle()
        else:
            offer.put_back()
    attempt = frame.wait if frame is not None and is_ours else None
    return attempt if isinstance(attempt, TaskAttempt) and attempt.wait_id == offer.wait_id else None


def lookup(resources: ResourceStore) -> Callable[[str], Awaitable[bool]]:
    """Whether an activity is among these resources; one that cannot be looked up is taken to be."""

    async def exists(activity_arn: str) -> bool:
        try:
            return await resources.get(ACTIVITY, activity_arn) is not None
        except StoreError:
            return True

    return exists


async def _activity(service: StepFunctions, arn: str) -> Resource:
    check_activity_arn(arn)
    activity = await service.resources.get(ACTIVITY, arn)
    if activity is None:
        raise ActivityDoesNotExist(f"Activity Does Not Exist: '{arn}'")
    return activity


def _list_item(activity: Resource) -> Answer:
    document = activity.document
    return {"activityArn": activity.key, "name": document["name"], "creationDate": document["creationDate"]}


def _monotonic() -> float:
    import time

    return time.monotonic()
