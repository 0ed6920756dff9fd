from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from asl_engine.errors import InvalidArn, ResourceNotFound, TooManyTags, ValidationException
from asl_engine.store.sqlite import SqliteStore
from tests.api.services import MACHINE, Caller, story, tell


def tags(**given: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in given.items()]


async def listed(call: Caller, arn: str = MACHINE) -> list[dict[str, str]]:
    kept: list[dict[str, str]] = (await call("ListTagsForResource", resourceArn=arn))["tags"]
    return kept


@story
async def test_tags_are_added_replaced_and_removed(call: Caller) -> None:
    await call.create(tags=tags(team="risk", stage="test"))
    await call("TagResource", resourceArn=MACHINE, tags=tags(stage="live", empty=""))
    assert await listed(call) == tags(team="risk", stage="live", empty="")

    await call("UntagResource", resourceArn=MACHINE, tagKeys=["team", "team", "unknown"])
    assert await listed(call) == tags(stage="live", empty="")


@story
async def test_an_update_keeps_the_tags(call: Caller) -> None:
    await call.create(tags=tags(team="risk"))
    await call("UpdateStateMachine", stateMachineArn=MACHINE, tracingConfiguration={"enabled": True})
    assert await listed(call) == tags(team="risk")


@story
async def test_a_resource_has_at_most_fifty(call: Caller) -> None:
    await call.create(tags=tags(**{f"tag{number}": "" for number in range(49)}))
    await call("TagResource", resourceArn=MACHINE, tags=tags(last="", tag0="changed"))
    with pytest.raises(TooManyTags):
        await call("TagResource", resourceArn=MACHINE, tags=tags(more=""))
    assert len(await listed(call)) == 50


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ({"value": "v"}, r"Value null at 'tags\.2\.member\.key' failed"),
        ({"key": "aws:x", "value": "v"}, r"^aws: prefixed tag key names are not allowed for external use\.$"),
        ({"key": "AWS:x"}, r"^aws: prefixed"),
    ],
)
def test_a_tag_has_a_key_and_one_of_its_own(tag: dict[str, str], message: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        await call.create()
        with pytest.raises(ValidationException, match=message):
            await call("TagResource", resourceArn=MACHINE, tags=[*tags(good=""), tag])
        with pytest.raises(ValidationException, match=message):
            await call("CreateActivity", name="review", tags=[*tags(good=""), tag])
        assert await listed(call) == []

    tell()


@story
async def test_only_what_exists_and_can_have_tags_has_them(call: Caller) -> None:
    with pytest.raises(ResourceNotFound, match=f"^Resource not found: '{MACHINE}'$"):
        await listed(call)
    with pytest.raises(InvalidArn, match="Resource type not valid in this context: execution"):
        await listed(call, MACHINE.replace(":stateMachine:", ":execution:") + ":first")


def test_requests_that_come_at_once_all_count(tmp_path: Path) -> None:
    """In memory none comes between the reading and the writing of another; on disk they do."""

    async def run(call: Caller) -> None:
        await call.create(tags=tags(old="x"))
        adding = [call("TagResource", resourceArn=MACHINE, tags=tags(**{f"k{number}": ""})) for number in range(5)]
        await asyncio.gather(*adding, call("UntagResource", resourceArn=MACHINE, tagKeys=["old"]))
        assert {tag["key"] for tag in await listed(call)} == {f"k{number}" for number in range(5)}
        deleting = [call("DeleteStateMachine", stateMachineArn=MACHINE) for _ in range(3)]
        assert await asyncio.gather(*deleting) == [{}, {}, {}]

    tell(run, store=SqliteStore(tmp_path / "store.db"))
