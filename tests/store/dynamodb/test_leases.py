"""Claims keep other processes away as long as their own lives, and half a minute longer."""

from __future__ import annotations

import asyncio

import pytest

from asl_engine.errors import ExecutionClaimed
from asl_engine.store.dynamodb.leases import LEASE_SECONDS, Leases
from tests.store.dynamodb_tables import client_of, moto_url, new_table
from tests.store.journals import NOON, arn_of

FIRST = arn_of("first")


class Time:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


def test_another_process_is_refused_until_the_claim_is_given_back() -> None:
    async def tell() -> None:
        client = client_of(moto_url(), new_table(moto_url()))
        time = Time()
        here, there = Leases(client, time), Leases(client, time)
        await here.take(FIRST)
        with pytest.raises(
            ExecutionClaimed, match=r"being run by another live process, \d+ on .*ends within 30 seconds"
        ):
            await there.take(FIRST)
        await there.give_back(FIRST)
        with pytest.raises(ExecutionClaimed):
            await there.take(FIRST)
        await here.give_back(FIRST)
        await there.take(FIRST)
        await here.close()
        await there.close()
        await client.close()

    asyncio.run(tell())


def test_the_claims_of_a_process_end_with_it() -> None:
    async def tell() -> None:
        client = client_of(moto_url(), new_table(moto_url()))
        here, there = Leases(client), Leases(client)
        await here.take(FIRST)
        await here.close()
        await there.take(FIRST)
        await there.close()
        await client.close()

    asyncio.run(tell())


def test_the_claims_of_a_process_that_was_killed_end_when_its_lease_does() -> None:
    async def tell() -> None:
        client = client_of(moto_url(), new_table(moto_url()))
        time = Time()
        killed, there = Leases(client, time), Leases(client, time)
        await killed.take(FIRST)
        time.now += LEASE_SECONDS * 1000 - 1
        with pytest.raises(ExecutionClaimed):
            await there.take(FIRST)
        time.now += 1
        await there.take(FIRST)
        await killed.give_back(FIRST)  # it was not dead after all, and must not end what is no longer its own
        with pytest.raises(ExecutionClaimed):
            await killed.take(FIRST)
        await killed.close()
        await there.close()
        await client.close()

    asyncio.run(tell())


def test_a_lease_is_renewed() -> None:
    async def tell() -> None:
        client = client_of(moto_url(), new_table(moto_url()))
        time = Time()
        here, there = Leases(client, time), Leases(client, time)
        await here.take(FIRST)
        time.now += LEASE_SECONDS * 1000 - 1
        await here.renew()
        time.now += LEASE_SECONDS * 1000 - 1
        with pytest.raises(ExecutionClaimed):
            await there.take(FIRST)
        await here.close()
        await there.close()
        await client.close()

    asyncio.run(tell())
