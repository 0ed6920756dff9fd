from __future__ import annotations

import json

import pytest

from asl_engine.errors import (
    ConflictException,
    ResourceNotFound,
    StateMachineDoesNotExist,
    ValidationException,
)
from tests.api.services import MACHINE, NOON, Caller, passing, story

ALIAS = f"{MACHINE}:live"


def routes(*weights: int) -> list[dict[str, object]]:
    return [{"stateMachineVersionArn": f"{MACHINE}:{n}", "weight": weight} for n, weight in enumerate(weights, 1)]


async def two_versions(call: Caller) -> None:
    await call.create(publish=True)
    definition = json.dumps(passing(Comment="second"))
    await call("UpdateStateMachine", stateMachineArn=MACHINE, definition=definition, publish=True)


async def alias(call: Caller, *weights: int, name: str = "live", **members: object) -> dict[str, object]:
    return await call("CreateStateMachineAlias", name=name, routingConfiguration=routes(*weights), **members)


@story
async def test_an_alias_is_described_with_its_routes(call: Caller) -> None:
    await two_versions(call)
    assert await alias(call, 90, 10, description="slowly") == {
        "stateMachineAliasArn": ALIAS,
        "creationDate": NOON / 1000,
    }
    assert await call("DescribeStateMachineAlias", stateMachineAliasArn=ALIAS) == {
        "stateMachineAliasArn": ALIAS,
        "name": "live",
        "description": "slowly",
        "routingConfiguration": routes(90, 10),
        "creationDate": NOON / 1000,
        "updateDate": NOON / 1000,
    }


@story
async def test_an_update_leaves_what_it_does_not_name(call: Caller) -> None:
    await two_versions(call)
    await alias(call, 100)
    await call("UpdateStateMachineAlias", stateMachineAliasArn=ALIAS, description="new")
    await call("UpdateStateMachineAlias", stateMachineAliasArn=ALIAS, routingConfiguration=routes(50, 50))

    shown = await call("DescribeStateMachineAlias", stateMachineAliasArn=ALIAS)

    assert (shown["description"], shown["routingConfiguration"]) == ("new", routes(50, 50))


@story
async def test_the_same_alias_again_is_the_alias_and_another_one_is_a_conflict(call: Caller) -> None:
    await two_versions(call)
    assert await alias(call, 100) == await alias(call, 100)
    with pytest.raises(ConflictException, match="an alias with the same name and a different routing configuration"):
        await alias(call, 50, 50)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"stateMachineVersionArn": MACHINE, "weight": 100}], "must contain state machine version ARNs"),
        (routes(50, 40), r"^Sum of routing configuration weights must equal 100\. Received: \[50, 40\]$"),
        (routes(50) * 2, "must contain distinct state machine version ARNs"),
        (
            [*routes(50), {"stateMachineVersionArn": f"{MACHINE}2:1", "weight": 50}],
            "must contain versions of one state machine",
        ),
        (routes(101), "at 'routingConfiguration.1.member.weight' failed .* less than or equal to 100"),
        ([], r"Value '\[\]' at 'routingConfiguration' failed .* greater than or equal to 1"),
    ],
)
def test_routes_that_lead_nowhere_sensible_are_refused(given: list[object], message: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        await two_versions(call)
        with pytest.raises(ValidationException, match=message):
            await call("CreateStateMachineAlias", name="live", routingConfiguration=given)

    tell()


@story
async def test_a_route_to_a_version_that_does_not_exist_is_refused(call: Caller) -> None:
    await call.create()
    missing = r"^Request references a resource that does not exist\.$"
    with pytest.raises(ResourceNotFound, match=missing):
        await alias(call, 100)
    with pytest.raises(ResourceNotFound, match=missing):
        await call("UpdateStateMachineAlias", stateMachineAliasArn=ALIAS, description="new")
    await call("DeleteStateMachine", stateMachineArn=MACHINE)
    with pytest.raises(ResourceNotFound, match=missing):
        await alias(call, 100)


@pytest.mark.parametrize("name", ["123", "has space", "ümlaut", "a" * 81])
def test_a_bad_name_breaks_a_constraint(name: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        await two_versions(call)
        with pytest.raises(ValidationException, match=f"1 validation error detected: Value '{name}' at 'name' failed"):
            await alias(call, 100, name=name)

    tell()


@story
async def test_aliases_are_listed_by_machine_or_by_version(call: Caller) -> None:
    await two_versions(call)
    await alias(call, 100, name="a")
    await alias(call, 50, 50, name="b")

    async def listed(arn: str, **members: object) -> list[str]:
        page = await call("ListStateMachineAliases", stateMachineArn=arn, **members)
        return [item["stateMachineAliasArn"].rpartition(":")[2] for item in page["stateMachineAliases"]]

    assert await listed(MACHINE) == ["a", "b"]
    assert await listed(f"{MACHINE}:2") == ["b"]
    first = await call("ListStateMachineAliases", stateMachineArn=MACHINE, maxResults=1)
    assert await listed(MACHINE, nextToken=first["nextToken"]) == ["b"]


@story
async def test_an_execution_by_an_alias_names_alias_and_version(call: Caller) -> None:
    await two_versions(call)
    await alias(call, 0, 100)
    arn = (await call("StartExecution", stateMachineArn=ALIAS))["executionArn"]
    shown = await call("DescribeExecution", executionArn=arn)

    assert shown["stateMachineAliasArn"] == ALIAS
    assert shown["stateMachineVersionArn"] == f"{MACHINE}:2"
    assert len((await call("ListExecutions", stateMachineArn=ALIAS))["executions"]) == 1


@story
async def test_an_alias_that_was_deleted_is_not_found(call: Caller) -> None:
    await two_versions(call)
    await alias(call, 100)
    for _ in range(2):
        assert await call("DeleteStateMachineAlias", stateMachineAliasArn=ALIAS) == {}
    with pytest.raises(ResourceNotFound):
        await call("DescribeStateMachineAlias", stateMachineAliasArn=ALIAS)
    with pytest.raises(StateMachineDoesNotExist):
        await call("StartExecution", stateMachineArn=ALIAS)


@story
async def test_an_update_needs_something_to_change_and_keeps_to_its_machine(call: Caller) -> None:
    await two_versions(call)
    await alias(call, 100)
    other = await call.create(name="other", publish=True)
    with pytest.raises(ValidationException, match="Either the description or the routing configuration"):
        await call("UpdateStateMachineAlias", stateMachineAliasArn=ALIAS)
    route = {"stateMachineVersionArn": f"{other}:1", "weight": 100}
    with pytest.raises(ValidationException, match="versions of the alias's own state machine"):
        await call("UpdateStateMachineAlias", stateMachineAliasArn=ALIAS, routingConfiguration=[route])
