"""Links between jobs and attempts: found both ways, spread over the table, and gone some day."""

from __future__ import annotations

import asyncio

from asl_engine.aws.job_links import StoredJobLinks
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.jobs import JobLink
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.store import DynamoDbStore
from benchmarks.cost.fake_aws import FakeAws
from benchmarks.cost.usage import Usage

NOON = 1_700_000_000_000
JOBS = [f"batch/{number}" for number in range(200)]


async def at_once() -> None:
    """It takes no time."""


def link_to(number: int) -> JobLink:
    return JobLink(execution_arn="arn:aws:states:eu-west-1:123456789012:execution:m:e", frame_id="0", wait_id=number)


async def linked(aws: FakeAws, expire_days: int | None) -> StoredJobLinks:
    store = DynamoDbStore(Client("executions", aws))  # type: ignore[arg-type]
    links = StoredJobLinks(store.resources(), VirtualClock(NOON), expire_days)
    for number, job in enumerate(JOBS):
        await links.put(job, link_to(number))
    return links


def test_links_lead_both_ways_and_putting_one_again_changes_nothing() -> None:
    async def story() -> None:
        links = await linked(FakeAws(Usage(), at_once), None)
        await links.put(JOBS[7], link_to(8))
        for number in (0, 7, 8):
            assert await links.link_of(JOBS[number]) == link_to(number)
            assert await links.job_of(link_to(number)) == JOBS[number]
        assert await links.link_of("batch/unknown") is None
        assert await links.job_of(link_to(1_000)) is None

    asyncio.run(story())


def test_no_partition_of_the_table_holds_more_than_a_few_links() -> None:
    async def story() -> None:
        aws = FakeAws(Usage(), at_once)
        await linked(aws, None)
        partitions = [partition for partition, _sort in aws.table.places()]
        assert len(partitions) == 2 * len(JOBS)
        assert max(map(partitions.count, partitions)) < len(JOBS) / 20

    asyncio.run(story())


def test_a_link_expires_some_days_after_any_job_has_ended() -> None:
    async def story(expire_days: int | None) -> set[object]:
        aws = FakeAws(Usage(), at_once)
        await linked(aws, expire_days)
        keys = [{"pk": {"S": partition}, "sk": {"S": sort}} for partition, sort in aws.table.places()]
        items = [(await aws.table.get_item(Key=key))["Item"] for key in keys]
        return {item.get("expires_at", {}).get("N") for item in items}

    assert asyncio.run(story(None)) == {None}
    assert asyncio.run(story(30)) == {str(NOON // 1000 + (366 + 30) * 86_400)}
