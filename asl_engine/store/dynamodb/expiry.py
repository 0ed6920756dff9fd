"""Expiry: DynamoDB deletes what belongs to a finished execution, for nothing, some days after its end.

An item expires only by an attribute of its own, and nobody knows when a record is written how long its execution will
last. So the end of an execution updates its records once more: that doubles what writing them has cost, and a redrive
undoes it at the same price. Bodies in S3 may belong to several executions; a lifecycle rule of the bucket, longer than
the longest execution, deletes those.
"""

from __future__ import annotations

import asyncio
from typing import Final

from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.journals import Journals
from asl_engine.store.dynamodb.table import EXPIRY_ATTRIBUTE, Item, key_of

_UPDATES_AT_ONCE: Final = 16
_DAY_SECONDS: Final = 86_400


class Expiry:
    """Marks executions. `days` None: nothing ever expires."""

    def __init__(self, client: Client, journals: Journals, days: int | None) -> None:
        self._client, self._journals, self._days = client, journals, days

    def expires_at(self, stopped_at: int | None) -> int | None:
        """The second at which what ended then expires; None: never."""
        if self._days is None or stopped_at is None:
            return None
        return stopped_at // 1000 + self._days * _DAY_SECONDS

    async def mark(self, execution_arn: str, expires_at: int) -> None:
        """Let all records of an execution expire then."""
        await self._update(execution_arn, f"SET {EXPIRY_ATTRIBUTE} = :at", {":at": {"N": str(expires_at)}})

    async def unmark(self, execution_arn: str) -> None:
        """Keep all records of an execution that goes on."""
        if self._days is not None:
            await self._update(execution_arn, f"REMOVE {EXPIRY_ATTRIBUTE}", None)

    async def _update(self, execution_arn: str, expression: str, values: Item | None) -> None:
        batch: list[Item] = []
        async for item in self._journals.items(execution_arn):
            batch.append(item)
            if len(batch) == _UPDATES_AT_ONCE:
                await self._update_all(batch, expression, values)
                batch = []
        await self._update_all(batch, expression, values)

    async def _update_all(self, items: list[Item], expression: str, values: Item | None) -> None:
        await asyncio.gather(*[self._client.update(key_of(item), expression, values, item=item) for item in items])
