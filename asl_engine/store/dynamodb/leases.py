"""Claims as leases: they keep a second process politely away, and nothing depends on them, as appends arbitrate.

A process that claims has an owner item, which it renews; a claim names its owner. So a claim costs one write however
long it lasts, and all claims of a process end 30 seconds after it does, by the clock of whoever looks.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final

from asl_engine.errors import ExecutionClaimed, StoreUnavailable
from asl_engine.store.dynamodb.client import IF_NEW, Client, Condition
from asl_engine.store.dynamodb.journals import new_write_id
from asl_engine.store.dynamodb.table import EXPIRY_ATTRIBUTE, Item, key

RENEWAL_SECONDS: Final = 10
LEASE_SECONDS: Final = 30
# DynamoDB removes what dead processes left behind; until then it costs nothing but its storage.
_KEPT_SECONDS: Final = 30 * 86_400


def _now() -> int:
    return time.time_ns() // 1_000_000


class Leases:
    """The claims that one store holds."""

    def __init__(self, client: Client, now: Callable[[], int] = _now) -> None:
        self._client, self._now = client, now
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
        self._claimed: set[str] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def take(self, execution_arn: str) -> None:
        """Claim an execution. Raises ExecutionClaimed."""
        self._client.check_open()
        if execution_arn in self._claimed:
            raise ExecutionClaimed(f"{execution_arn} is already being run by this process")
        self._claimed.add(execution_arn)
        try:
            await self._take(execution_arn)
        except BaseException:
            self._claimed.discard(execution_arn)
            raise

    async def give_back(self, execution_arn: str) -> None:
        """End a claim, if there is one."""
        if execution_arn in self._claimed:
            self._claimed.discard(execution_arn)
            mine = Condition(expression="o = :o", values={":o": {"S": self._owner}})
            await self._client.delete_if(_claim_key(execution_arn), mine)

    async def close(self) -> None:
        """End all claims."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)
        self._renewing = None
        self._claimed.clear()
        try:
            await self._client.delete(_owner_key(self._owner))
        except StoreUnavailable:
            return  # then the claims end with the lease

    async def _take(self, execution_arn: str) -> None:
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renew_for_ever())
            await self.renew()
        item = _claim_key(execution_arn) | {"o": {"S": self._owner}, "w": new_write_id()} | self._kept()
        if await self._client.put_if(item):
            return
        found = await self._client.get(_claim_key(execution_arn))
        if found is None:
            condition = IF_NEW
        else:
            await self._check_dead(execution_arn, found["o"]["S"])
            condition = Condition(expression="o = :o", values={":o": found["o"]})
        if not await self._client.put_if(item, condition):
            raise ExecutionClaimed(
                f"{execution_arn} has just been claimed by another process: try again when it is done"
            )

    async def _check_dead(self, execution_arn: str, owner: str) -> None:
        item = await self._client.get(_owner_key(owner))
        left = int(item["x"]["N"]) - self._now() if item is not None else 0
        if left > 0:
            host, process, _random = owner.rsplit(":", 2)
            raise ExecutionClaimed(
                f"{execution_arn} is being run by another live process, {process} on {host}. Let that process finish, "
                f"or end it: if it was killed, the claim ends within {LEASE_SECONDS} seconds"
            )

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                await self.renew()
            except StoreUnavailable:
                continue  # the next renewal may work; if none does, others may take over, and appends arbitrate

    async def renew(self) -> None:
        """Say that this process lives."""
        expires = {"x": {"N": str(self._now() + LEASE_SECONDS * 1000)}}
        await self._client.put(_owner_key(self._owner) | expires | self._kept())

    def _kept(self) -> Item:
        return {EXPIRY_ATTRIBUTE: {"N": str(self._now() // 1000 + _KEPT_SECONDS)}}


def _claim_key(execution_arn: str) -> Item:
    return key(f"claim#{execution_arn}", "-")


def _owner_key(owner: str) -> Item:
    return key(f"owner#{owner}", "-")
