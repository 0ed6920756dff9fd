"""The inbox: events from outside, each an item beside its execution's records.

The index by_status lists them, so one query finds all addressees; that one index key takes some 1,000 events a second,
which is enough for `asl serve`. On AWS events come through SQS instead.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Final

from asl_engine.errors import StoreCorrupt
from asl_engine.interpreter.events import Event
from asl_engine.store.codec import decode_event, encode_event
from asl_engine.store.dynamodb.bodies import Bodies
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.table import BY_STATUS, INBOX, INDEX_KEYS, Item, key, key_of
from asl_engine.store.protocol import InboxMessage

_RANDOM_BITS: Final = 20


class Mailbox:
    """The inboxes in a table. An id is the microsecond of sending and random bits, so no id comes twice."""

    def __init__(self, client: Client, bodies: Bodies) -> None:
        self._client, self._bodies = client, bodies
        self._last_microsecond = 0

    async def send(self, execution_arn: str, event: Event) -> None:
        """Put an event into an inbox."""
        self._last_microsecond = max(self._last_microsecond + 1, time.time_ns() // 1000)
        number = self._last_microsecond << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        body = await self._bodies.kept(encode_event(event), f"an event for {execution_arn}")
        await self._client.put(_key(execution_arn, number) | _listed(number) | body)

    async def messages(self, execution_arn: str) -> Sequence[InboxMessage]:
        """The events that wait, oldest first."""
        values = {":pk": execution_arn, ":i": "i"}
        pages = self._client.query("pk = :pk AND begins_with(sk, :i)", values)
        return [await self._read(execution_arn, item) async for page in pages for item in page]

    async def delete(self, execution_arn: str, numbers: Iterable[int]) -> None:
        """Take events out of an inbox."""
        items = [_key(execution_arn, number) | _listed(number) for number in numbers]
        await asyncio.gather(*[self._client.delete(key_of(item), item=item) for item in items])

    async def addressees(self) -> Sequence[str]:
        """The ARNs of executions for which events wait, in the order of the oldest event."""
        partition, _sort = INDEX_KEYS[BY_STATUS]
        arns: dict[str, None] = {}
        async for page in self._client.query(f"{partition} = :inbox", {":inbox": INBOX}, index=BY_STATUS):
            arns |= dict.fromkeys(item["pk"]["S"] for item in page)
        return list(arns)

    async def _read(self, execution_arn: str, item: Item) -> InboxMessage:
        try:
            return InboxMessage(int(item["sk"]["S"][1:]), execution_arn, decode_event(await self._bodies.body(item)))
        except StoreCorrupt as error:
            place = f"dynamodb:{self._client.table}: the inbox of {execution_arn}"
            raise StoreCorrupt(f"{place} cannot be read: {error}") from error


def _key(execution_arn: str, number: int) -> Item:
    return key(execution_arn, f"i{number:024d}")


def _listed(number: int) -> Item:
    return {"gsi2pk": {"S": INBOX}, "gsi2sk": {"S": f"{number:024d}"}}
