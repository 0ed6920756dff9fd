"""The inbox: events from outside, each an item beside its execution's records.

The index by_status lists them, so one query finds all addressees; that one index key takes some 1,000 events a second,
which is enough for `asl serve`. On AWS events come through SQS instead.

The answers to one attempt have one place, and the first is put there on condition that it is free. The place may be
taken again once a record has consumed the first: the attempt is over by then, so whatever comes there is too late.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Final

from asl_engine.errors import Conflict, StoreCorrupt
from asl_engine.interpreter.events import Event
from asl_engine.store.codec import decode_event, encode_event
from asl_engine.store.dynamodb.bodies import Bodies
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.journals import new_write_id
from asl_engine.store.dynamodb.table import BY_STATUS, INBOX, INDEX_KEYS, Item, key, key_of
from asl_engine.store.inbox import ANSWERED, answered_attempt
from asl_engine.store.protocol import InboxMessage

_RANDOM_BITS: Final = 20
_ATTEMPT_BYTES: Final = 8  # no moment's number is as small


class Mailbox:
    """The inboxes in a table. An id is the attempt's that an event answers, or else the microsecond and random bits."""

    def __init__(self, client: Client, bodies: Bodies) -> None:
        self._client, self._bodies = client, bodies
        self._last_microsecond = 0

    async def send(self, execution_arn: str, event: Event) -> None:
        """Put an event into an inbox. Raises Conflict for the second answer to an attempt."""
        self._last_microsecond = max(self._last_microsecond + 1, time.time_ns() // 1000)
        moment = self._last_microsecond << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        item = _listed(moment) | await self._bodies.kept(encode_event(event), f"an event for {execution_arn}")
        attempt = answered_attempt(event)
        if attempt is None:
            await self._client.put(_key(execution_arn, moment) | item)
        elif not await self._client.put_if(_key(execution_arn, _number(attempt)) | item | {"w": new_write_id()}):
            raise Conflict(ANSWERED)

    async def messages(self, execution_arn: str) -> Sequence[InboxMessage]:
        """The events that wait, oldest first."""
        values = {":pk": execution_arn, ":i": "i"}
        items = [item async for page in self._client.query("pk = :pk AND begins_with(sk, :i)", values) for item in page]
        return [await self._read(execution_arn, item) for item in sorted(items, key=_moment)]

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


def _number(attempt: tuple[str, int]) -> int:
    name = "{}/{}".format(*attempt)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:_ATTEMPT_BYTES])


def _listed(moment: int) -> Item:
    return {"gsi2pk": {"S": INBOX}, "gsi2sk": {"S": f"{moment:024d}"}}


def _moment(item: Item) -> str:
    return str(item["gsi2sk"]["S"])
