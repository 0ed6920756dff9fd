"""Expiry: DynamoDB deletes what belongs to a finished execution, for nothing, some days after its end.

An item expires only by an attribute of its own, and nobody knows when a record is written how long its execution will
last. So the end of an execution writes its records once more: that doubles what writing them has cost, and a redrive
undoes it at the same price. Bodies in S3 may belong to several executions; a lifecycle rule of the bucket, longer than
the longest execution and its days after it, deletes those.

DynamoDB deletes items one by one, in any order, over days. What is left must never look like an execution that still
runs: so each record that expires names the last one of its journal, the newest that is there must be it, and it is
marked when all others are and unmarked before any other. Whatever lacks a record that is needed does not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from asl_engine.errors import ExecutionDoesNotExist
from asl_engine.store.dynamodb.client import WRITTEN_TOGETHER_MAX, Client, Condition
from asl_engine.store.dynamodb.journals import Journals, does_not_exist, expires
from asl_engine.store.dynamodb.table import EXPIRY_ATTRIBUTE, HEAD, LAST_ATTRIBUTE, Item, key, key_of, record_sk

_REQUESTS_AT_ONCE: Final = 8
_DAY_SECONDS: Final = 86_400


class Expiry:
    """Marks executions. `days` None: nothing more comes to expire."""

    def __init__(self, client: Client, journals: Journals, days: int | None) -> None:
        self._client, self._journals, self._days = client, journals, days

    def expires_at(self, stopped_at: int | None) -> int | None:
        """The second at which what ended then expires; None: never."""
        if self._days is None or stopped_at is None:
            return None
        return stopped_at // 1000 + self._days * _DAY_SECONDS

    async def mark(self, execution_arn: str, expires_at: int, last: int) -> None:
        """Let all records of an execution expire then, of which `last` is the last. Goes on where it stopped before."""
        marks = {EXPIRY_ATTRIBUTE: {"N": str(expires_at)}, LAST_ATTRIBUTE: {"N": str(last)}}
        ending: list[Item] = []
        async for batch in _batches(self._journals.items(execution_arn)):
            unmarked = [item | marks for item in batch if not item.items() >= marks.items()]
            ending += [item for item in unmarked if item["sk"]["S"] == record_sk(last)]
            await self._put([item for item in unmarked if item not in ending])
        await self._put(ending)

    async def unmark(self, execution_arn: str, last: int) -> None:
        """Keep all records of an execution that goes on behind `last`. Raises ExecutionDoesNotExist without some."""
        marked = [expires(item) async for item in self._journals.items(execution_arn)]
        if not any(marked):
            return
        if len(marked) <= last:
            raise does_not_exist(execution_arn)
        ending = await self._client.get(key(execution_arn, record_sk(last)))
        await self._put([] if ending is None else [_unmarked(ending)])
        async for batch in _batches(self._journals.items(execution_arn)):
            await self._put([_unmarked(item) for item in batch if expires(item)])

    async def make_room(self, execution_arn: str) -> bool:
        """Delete what is left of an execution that has expired. False if it has not: the ARN is taken.

        Half a read unit for each start. An eventually consistent read shows what was written days ago.
        """
        if self._days is None or not await self._journals.leaves_traces(execution_arn):
            return True
        try:
            await self._journals.load(execution_arn)
        except ExecutionDoesNotExist:
            head = await self._client.get(key(execution_arn, HEAD))
            await self._delete([] if head is None else [head])
            async for batch in _batches(self._journals.items(execution_arn)):
                await self._delete(batch)
            return True
        return False

    async def _put(self, items: list[Item]) -> None:
        starts = range(0, len(items), WRITTEN_TOGETHER_MAX)
        await asyncio.gather(*[self._client.put_many(items[start : start + WRITTEN_TOGETHER_MAX]) for start in starts])

    async def _delete(self, items: list[Item]) -> None:
        """Another process may make room as well, and have begun anew: what it wrote does not expire then."""
        conditions = [
            (item, Condition(expression=f"{EXPIRY_ATTRIBUTE} = :at", values={":at": item[EXPIRY_ATTRIBUTE]}))
            for item in items
            if expires(item)
        ]
        await asyncio.gather(*[self._client.delete_if(key_of(item), condition) for item, condition in conditions])


def _unmarked(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in {EXPIRY_ATTRIBUTE, LAST_ATTRIBUTE}}


async def _batches(items: AsyncIterator[Item]) -> AsyncIterator[list[Item]]:
    batch: list[Item] = []
    async for item in items:
        batch.append(item)
        if len(batch) == WRITTEN_TOGETHER_MAX * _REQUESTS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
