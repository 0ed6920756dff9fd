from __future__ import annotations

import asyncio

import pytest

from asl_engine.errors import ActivityAlreadyExists, ActivityDoesNotExist, InvalidName, TaskTimedOut
from tests.api.services import MACHINE, NOON, Caller, asking, story, tell

ACTIVITY = "arn:aws:states:eu-west-1:123456789012:activity:review"


async def offered(call: Caller, **fields: object) -> str:
    """The ARN of an execution that waits for a worker."""
    await call("CreateActivity", name="review")
    await call.create(asking(ACTIVITY, **fields))
    return str((await call("StartExecution", stateMachineArn=MACHINE, input='{"n": 1}'))["executionArn"])


async def event_types(call: Caller, arn: str) -> list[str]:
    return [event["type"] for event in (await call("GetExecutionHistory", executionArn=arn))["events"]]


@story
async def test_an_activity_is_created_once_described_listed_and_deleted(call: Caller) -> None:
    created = await call("CreateActivity", name="review", tags=[{"key": "team", "value": "risk"}])
    assert (
        await call("CreateActivity", name="review")
        == created
        == {
            "activityArn": ACTIVITY,
            "creationDate": NOON / 1000,
        }
    )
    item = {**created, "name": "review"}
    described = await call("DescribeActivity", activityArn=ACTIVITY)
    assert described == {**item, "encryptionConfiguration": {"type": "AWS_OWNED_KEY"}}
    assert (await call("ListActivities"))["activities"] == [item]
    assert (await call("ListTagsForResource", resourceArn=ACTIVITY))["tags"] == [{"key": "team", "value": "risk"}]
    for _ in range(2):
        assert await call("DeleteActivity", activityArn=ACTIVITY) == {}
    for operation in ("DescribeActivity", "GetActivityTask"):
        with pytest.raises(ActivityDoesNotExist, match=f"^Activity Does Not Exist: '{ACTIVITY}'$"):
            await call(operation, activityArn=ACTIVITY)


@story
async def test_an_activity_that_is_encrypted_otherwise_is_another(call: Caller) -> None:
    await call("CreateActivity", name="review")
    key = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/key"}
    with pytest.raises(ActivityAlreadyExists, match=f"^Activity Already Exists: '{ACTIVITY}'$"):
        await call("CreateActivity", name="review", encryptionConfiguration=key)


@story
async def test_a_bad_name_is_refused(call: Caller) -> None:
    with pytest.raises(InvalidName, match=r"^Invalid Name: 're view'$"):
        await call("CreateActivity", name="re view")


@story
async def test_a_task_of_an_activity_that_is_not_there_fails_its_execution(call: Caller) -> None:
    """No worker could ever ask for it. As on AWS, nothing catches that."""
    await call.create(asking(ACTIVITY, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Ask"}]))
    arn = (await call("StartExecution", stateMachineArn=MACHINE))["executionArn"]
    shown = await call.ended(arn)

    assert (shown["status"], shown["error"]) == ("FAILED", "States.Runtime")
    assert shown["cause"] == (
        "An error occurred while executing the state 'Ask' (entered at the event id #2). "
        f"The activity {ACTIVITY} does not exist."
    )
    history = (await call("GetExecutionHistory", executionArn=arn))["events"]
    assert [event["type"] for event in history] == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


@story
async def test_a_worker_takes_a_task_and_answers_it(call: Caller) -> None:
    arn = await offered(call)
    task = await call("GetActivityTask", activityArn=ACTIVITY, workerName="anna")
    assert task["input"] == '{"n":1}'

    await call("SendTaskHeartbeat", taskToken=task["taskToken"])
    await call("SendTaskSuccess", taskToken=task["taskToken"], output='{"ok": true}')

    assert (await call.ended(arn))["output"] == '{"ok":true}'
    history = (await call("GetExecutionHistory", executionArn=arn))["events"]
    assert [event["type"] for event in history] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert history[3]["activityStartedEventDetails"] == {"workerName": "anna"}


@story
async def test_a_worker_that_waits_gets_the_task_when_it_comes(call: Caller) -> None:
    await call("CreateActivity", name="review")
    polling = asyncio.create_task(call("GetActivityTask", activityArn=ACTIVITY))
    await asyncio.sleep(0)
    await call.create(asking(ACTIVITY))
    await call("StartExecution", stateMachineArn=MACHINE, input='"x"')

    assert (await polling)["input"] == '"x"'


def test_a_worker_that_waits_in_vain_gets_no_token() -> None:
    async def run(call: Caller) -> None:
        await call("CreateActivity", name="review")
        assert await call("GetActivityTask", activityArn=ACTIVITY) == {}

    tell(run, poll_seconds=0.01)


@story
async def test_each_task_goes_to_one_worker(call: Caller) -> None:
    await offered(call)
    await call("StartExecution", stateMachineArn=MACHINE)
    tasks = await asyncio.gather(*(call("GetActivityTask", activityArn=ACTIVITY) for _ in range(2)))
    assert len({task["taskToken"] for task in tasks}) == 2


@story
async def test_a_worker_that_went_away_while_it_waited_takes_nothing(call: Caller) -> None:
    await call("CreateActivity", name="review")
    gone = asyncio.create_task(call("GetActivityTask", activityArn=ACTIVITY))
    await asyncio.sleep(0)
    gone.cancel()
    arn = await offered(call)
    await asyncio.gather(gone, return_exceptions=True)

    assert "ActivityStarted" not in await event_types(call, arn)
    assert "taskToken" in await call("GetActivityTask", activityArn=ACTIVITY)


def test_a_task_whose_execution_was_stopped_is_offered_to_nobody() -> None:
    async def run(call: Caller) -> None:
        arn = await offered(call)
        await call("StopExecution", executionArn=arn)
        await call.ended(arn)
        assert await call("GetActivityTask", activityArn=ACTIVITY) == {}

    tell(run, poll_seconds=0.01)


@story
async def test_a_failure_is_the_workers_and_its_token_is_of_no_use_after(call: Caller) -> None:
    arn = await offered(call)
    token = (await call("GetActivityTask", activityArn=ACTIVITY))["taskToken"]
    await call("SendTaskFailure", taskToken=token, error="Rejected", cause="no stock")
    shown = await call.ended(arn)

    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Rejected", "no stock")
    for operation, members in (
        ("SendTaskSuccess", {"output": "1"}),
        ("SendTaskFailure", {}),
        ("SendTaskHeartbeat", {}),
    ):
        with pytest.raises(TaskTimedOut, match=r"^Task Timed Out: 'Provided task does not exist anymore'$"):
            await call(operation, taskToken=token, **members)
