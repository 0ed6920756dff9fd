"""Listings: the indexes' shards read side by side, newest first, and the heads that they name.

The indexes are eventually consistent, as ListExecutions is on AWS; the heads say what holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.store.dynamodb.client import Client, Condition
from asl_engine.store.dynamodb.heads import Head, read_head
from asl_engine.store.dynamodb.journals import Journals, does_not_exist
from asl_engine.store.dynamodb.table import (
    BY_STATE_MACHINE,
    BY_STATUS,
    HEAD,
    INDEX_KEYS,
    SHARDS,
    Item,
    key,
    key_of,
    position_of,
)
from asl_engine.store.protocol import ExecutionSummary

_HEADS_AT_ONCE: Final = 100
_ENTRIES_MIN: Final = 4
_BEFORE_ALL: Final = " "
# The same head again, once its execution's records expire, and it with them.
_NOT_LATER: Final = "attribute_not_exists(pk) OR n <= :n"
_OLDER: Final = "attribute_not_exists(pk) OR n < :n"


class Listing:
    """The heads in a table."""

    def __init__(self, client: Client, journals: Journals) -> None:
        self._client, self._journals = client, journals

    async def put(self, head: Head, *, replaces: Head | None) -> None:
        """Put a head, unless a later one is there."""
        item = head.item()
        expression = _OLDER if head.expires_at is None else _NOT_LATER
        unless_later = Condition(expression=expression, values={":n": item["n"]})
        await self._client.put(item, unless_later, replaces=None if replaces is None else replaces.item())

    async def head(self, execution_arn: str, *, consistent: bool) -> Head | None:
        """The head of an execution."""
        item = await self._client.get(key(execution_arn, HEAD), consistent=consistent)
        return None if item is None else read_head(item)

    async def executions(
        self,
        status: ExecutionStatus | None,
        state_machine_arn: str | None,
        qualified_arn: str | None,
        before: str | None,
        limit: int | None,
    ) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.executions."""
        position = None if before is None else await self._position(before)
        chosen: list[ExecutionSummary] = []
        async for head in self._heads(self._entries(status, state_machine_arn, position, limit)):
            summary = head.summary
            if (
                status in {None, summary.status}
                and state_machine_arn in {None, summary.state_machine_arn}
                and qualified_arn in {None, summary.state_machine_version_arn, summary.state_machine_alias_arn}
            ):
                chosen.append(summary)
                if len(chosen) == limit:
                    break
        return chosen

    async def open_executions(self, after: str = "") -> AsyncIterator[tuple[str, str]]:
        """ARNs of what is RUNNING, shard by shard, each with its place in the index. No heads are read."""
        first, _, behind = after.partition("#")
        partition, sort = INDEX_KEYS[BY_STATUS]
        for number in range(int(first or 0), SHARDS):
            values = {":pk": f"{ExecutionStatus.RUNNING}#{number}", ":behind": behind or _BEFORE_ALL}
            condition = f"{partition} = :pk AND {sort} > :behind"
            async for page in self._client.query(condition, values, index=BY_STATUS):
                for entry in page:
                    yield entry["pk"]["S"], f"{number}#{entry[sort]['S']}"
            behind = ""

    async def named(self, name_or_arn: str) -> Sequence[ExecutionSummary]:
        """See ExecutionStore.named. A name alone is looked for in the whole index."""
        if name_or_arn.startswith("arn:"):
            return [(await self._existing(name_or_arn)).summary]
        entries = await self._client.scan(BY_STATE_MACHINE, "contains(pk, :name)", {":name": f":{name_or_arn}"})
        heads = [read_head(item) for item in await self._client.get_many([key_of(entry) for entry in entries])]
        named = [head.summary for head in heads if head.summary.name == name_or_arn]
        if not named:
            raise does_not_exist(name_or_arn)
        return sorted(named, key=lambda summary: position_of(summary.arn, summary.started_at), reverse=True)

    async def _position(self, execution_arn: str) -> str:
        """Raises ExecutionDoesNotExist."""
        head = await self._existing(execution_arn)
        return position_of(execution_arn, head.summary.started_at)

    async def _existing(self, execution_arn: str) -> Head:
        """Raises ExecutionDoesNotExist."""
        item = await self._client.get(key(execution_arn, HEAD))
        return read_head(item) if item is not None else await self._journals.first(execution_arn)

    async def _entries(
        self, status: ExecutionStatus | None, state_machine_arn: str | None, before: str | None, limit: int | None
    ) -> AsyncIterator[Item]:
        """Index entries that may be meant, newest first."""
        in_by_status = status not in {None, ExecutionStatus.SUCCEEDED}
        if state_machine_arn is None:
            entries = await self._all_of(status) if in_by_status else await self._client.scan(BY_STATE_MACHINE)
            for entry in sorted(entries, key=_position_in, reverse=True):
                if before is None or _position_in(entry) < before:
                    yield entry
            return
        prefix = f"{state_machine_arn}#" if in_by_status else ""
        group = status if in_by_status else state_machine_arn
        index = BY_STATUS if in_by_status else BY_STATE_MACHINE
        page = None if limit is None else limit // SHARDS * 2 + _ENTRIES_MIN  # shards are nearly, not quite, even
        shards = [self._shard(index, f"{group}#{number}", prefix, before, page) for number in range(SHARDS)]
        async for entry in _merged(shards):
            yield entry

    async def _all_of(self, status: ExecutionStatus | None) -> list[Item]:
        partition, _sort = INDEX_KEYS[BY_STATUS]
        return [
            item
            for number in range(SHARDS)
            async for page in self._client.query(f"{partition} = :pk", {":pk": f"{status}#{number}"}, index=BY_STATUS)
            for item in page
        ]

    async def _shard(
        self, index: str, group: str, prefix: str, before: str | None, size: int | None
    ) -> AsyncIterator[Item]:
        """Entries of one index key, newest first."""
        partition, sort = INDEX_KEYS[index]
        condition, values = f"{partition} = :pk", {":pk": group, ":first": prefix or "0"}
        # What comes before a position is below it; all positions begin with a digit, and `:` comes after the digits.
        values[":last"] = prefix + (before or ":")
        async for page in self._client.query(
            f"{condition} AND {sort} BETWEEN :first AND :last", values, index=index, newest_first=True, page=size
        ):
            for item in page:
                if before is None or _position_in(item) < before:
                    yield item

    async def _heads(self, entries: AsyncIterator[Item]) -> AsyncIterator[Head]:
        """The heads that entries name, in their order."""
        batch: list[Item] = []
        async for entry in entries:
            batch.append(entry)
            if len(batch) == _HEADS_AT_ONCE:
                for head in await self._read(batch):
                    yield head
                batch = []
        for head in await self._read(batch):
            yield head

    async def _read(self, entries: Sequence[Item]) -> list[Head]:
        if not entries:
            return []
        found = await self._client.get_many([key_of(entry) for entry in entries])
        heads = {item["pk"]["S"]: read_head(item) for item in found}
        arns = dict.fromkeys(entry["pk"]["S"] for entry in entries)
        return [heads[arn] for arn in arns if arn in heads]


def _position_in(entry: Item) -> str:
    sort: str = entry["gsi2sk" if "gsi2sk" in entry else "gsi1sk"]["S"]
    return sort.rpartition("#")[2]


async def _merged(shards: Sequence[AsyncIterator[Item]]) -> AsyncIterator[Item]:
    """The entries of shards that are each newest first, newest first."""
    first = [(shard, await anext(shard, None)) for shard in shards]
    newest = {shard: entry for shard, entry in first if entry is not None}
    while newest:
        shard = max(newest, key=lambda each: _position_in(newest[each]))
        yield newest[shard]
        following = await anext(shard, None)
        if following is None:
            del newest[shard]
        else:
            newest[shard] = following
