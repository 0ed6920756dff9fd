from __future__ import annotations

import json

import pytest

from asl_engine.errors import ConflictException, StateMachineDoesNotExist, ValidationException
from tests.api.services import MACHINE, NOON, ROLE, Caller, passing, story


async def publish(call: Caller, **members: object) -> str:
    answer = await call("PublishStateMachineVersion", stateMachineArn=MACHINE, **members)
    return str(answer["stateMachineVersionArn"])


async def update(call: Caller, comment: str, **members: object) -> dict[str, object]:
    definition = json.dumps(passing(Comment=comment))
    return await call("UpdateStateMachine", stateMachineArn=MACHINE, definition=definition, **members)


@story
async def test_creating_and_updating_may_publish(call: Caller) -> None:
    definition = json.dumps(passing())
    created = await call(
        "CreateStateMachine", name="orders", definition=definition, roleArn=ROLE, publish=True, versionDescription="1st"
    )
    updated = await update(call, "second", publish=True)

    assert created["stateMachineVersionArn"] == f"{MACHINE}:1"
    assert updated["stateMachineVersionArn"] == f"{MACHINE}:2"
    shown = await call("DescribeStateMachine", stateMachineArn=f"{MACHINE}:1")
    assert (shown["definition"], shown["description"], shown["stateMachineArn"]) == (definition, "1st", f"{MACHINE}:1")


@story
async def test_publishing_the_same_revision_again_gives_its_version(call: Caller) -> None:
    await call.create()
    assert await publish(call) == await publish(call) == f"{MACHINE}:1"
    await update(call, "changed")
    assert await publish(call) == f"{MACHINE}:2"


@story
async def test_numbers_are_never_used_again(call: Caller) -> None:
    await call.create(publish=True)
    await update(call, "second", publish=True)
    await call("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:2")
    assert await publish(call) == f"{MACHINE}:3"


@story
async def test_versions_are_listed_newest_first_in_the_order_of_numbers(call: Caller) -> None:
    await call.create()
    for number in range(11):
        await update(call, str(number))
        await publish(call)
    arns: list[str] = []
    token: dict[str, object] = {}
    while not arns or token["nextToken"]:
        page = await call("ListStateMachineVersions", stateMachineArn=MACHINE, maxResults=4, **token)
        arns += [version["stateMachineVersionArn"] for version in page["stateMachineVersions"]]
        token = {"nextToken": page.get("nextToken")}

    assert arns == [f"{MACHINE}:{number}" for number in range(11, 0, -1)]
    assert page["stateMachineVersions"][0]["creationDate"] == NOON / 1000


@story
async def test_publishing_another_revision_than_the_newest_is_a_conflict(call: Caller) -> None:
    await call.create()
    assert await publish(call, revisionId="INITIAL") == f"{MACHINE}:1"
    newest = (await update(call, "second"))["revisionId"]
    message = (
        "Failed to publish the State Machine version for revision other. "
        f"The current State Machine revision is {newest}."
    )
    with pytest.raises(ConflictException) as refused:
        await publish(call, revisionId="other")
    assert str(refused.value) == message
    assert await publish(call, revisionId=newest) == f"{MACHINE}:2"


@story
async def test_a_version_cannot_be_updated(call: Caller) -> None:
    await call.create(publish=True)
    with pytest.raises(StateMachineDoesNotExist, match=f"'{MACHINE}:1'"):
        await call("UpdateStateMachine", stateMachineArn=f"{MACHINE}:1", roleArn=ROLE)


@story
async def test_a_version_that_an_alias_needs_cannot_be_deleted(call: Caller) -> None:
    await call.create(publish=True)
    route = {"stateMachineVersionArn": f"{MACHINE}:1", "weight": 100}
    await call("CreateStateMachineAlias", name="live", routingConfiguration=[route])

    with pytest.raises(ConflictException, match=r"must not be referenced by an alias\. Current list .*: \[live\]"):
        await call("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    await call("DeleteStateMachineAlias", stateMachineAliasArn=f"{MACHINE}:live")
    await call("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    with pytest.raises(StateMachineDoesNotExist):
        await call("StartExecution", stateMachineArn=f"{MACHINE}:1")


@story
async def test_only_the_arn_of_a_version_deletes_one(call: Caller) -> None:
    await call.create(publish=True)
    with pytest.raises(ValidationException):
        await call("DeleteStateMachineVersion", stateMachineVersionArn=MACHINE)
    assert await call("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:9") == {}


@story
async def test_an_execution_of_a_version_runs_its_definition_and_names_it(call: Caller) -> None:
    await call.create({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "old", "End": True}}}, publish=True)
    await update(call, "new")
    arn = (await call("StartExecution", stateMachineArn=f"{MACHINE}:1"))["executionArn"]
    shown = await call("DescribeExecution", executionArn=arn)

    assert (shown["output"], shown["stateMachineArn"]) == ('"old"', MACHINE)
    assert shown["stateMachineVersionArn"] == f"{MACHINE}:1"
    await call("StartExecution", stateMachineArn=MACHINE)
    listed = await call("ListExecutions", stateMachineArn=f"{MACHINE}:1")
    assert [item["stateMachineVersionArn"] for item in listed["executions"]] == [f"{MACHINE}:1"]


@pytest.mark.parametrize("publish_at_first", [True, False])
def test_an_update_that_changes_nothing_keeps_the_revision_and_its_version(publish_at_first: bool) -> None:
    @story
    async def tell(call: Caller) -> None:
        definition = json.dumps(passing())
        await call.create(definition, publish=publish_at_first)
        same = {"stateMachineArn": MACHINE, "definition": definition, "roleArn": ROLE}
        first = await call("UpdateStateMachine", **same)
        again = await call("UpdateStateMachine", **same, publish=True)
        once_more = await call("UpdateStateMachine", **same, publish=True)

        assert first["revisionId"] == again["revisionId"] == once_more["revisionId"]
        assert again["stateMachineVersionArn"] == once_more["stateMachineVersionArn"] == f"{MACHINE}:1"
        other = await call("UpdateStateMachine", stateMachineArn=MACHINE, roleArn=f"{ROLE}-new", publish=True)
        assert other["revisionId"] != first["revisionId"]
        assert other["stateMachineVersionArn"] == f"{MACHINE}:2"

    tell()


@story
async def test_creating_the_same_again_with_publish_gives_the_version(call: Caller) -> None:
    definition = json.dumps(passing())
    for _ in range(2):
        answer = await call("CreateStateMachine", name="orders", definition=definition, roleArn=ROLE, publish=True)
        assert answer["stateMachineVersionArn"] == f"{MACHINE}:1"
