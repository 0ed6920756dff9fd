"""DynamoDbResources: documents in the table of a DynamoDbStore. One change is one conditional write; more are a
transaction, which costs twice as much.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections.abc import Sequence
from typing import Any, Final

from asl_engine.errors import Conflict
from asl_engine.store.dynamodb.bodies import Bodies
from asl_engine.store.dynamodb.client import IF_NEW, Client, Condition
from asl_engine.store.dynamodb.journals import new_write_id
from asl_engine.store.dynamodb.table import EXPIRY_ATTRIBUTE, Item, key, key_of
from asl_engine.store.dynamodb.units import writes_of
from asl_engine.store.resources import Change, Resource

_KEY_END: Final = "\U0010ffff"
_FIRST_KEY: Final = "\x01"  # DynamoDB has no empty keys


class DynamoDbResources:
    """A ResourceStore beside the executions. It is closed with their store."""

    def __init__(self, client: Client, bodies: Bodies) -> None:
        self._client, self._bodies = client, bodies

    async def get(self, kind: str, key: str) -> Resource | None:
        """See ResourceStore.get."""
        item = await self._client.get(_key(kind, key))
        return None if item is None else await self._read(item)

    async def write(self, *changes: Change) -> None:
        """See ResourceStore.write. At most 100 changes."""
        items = [await self._item(change) for change in changes]
        if len(changes) == 1:
            written = await self._write(changes[0], items[0])
        else:
            written = not changes or await self._transact(changes, items)
        if not written:
            names = ", ".join(f"{change.kind} {change.key}" for change in changes)
            raise Conflict(f"{names}: another writer was first; read again")

    async def list(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int | None = None
    ) -> Sequence[Resource]:
        """See ResourceStore.list."""
        values = {":pk": f"resource#{kind}", ":first": max(prefix, after, _FIRST_KEY), ":last": prefix + _KEY_END}
        found: list[Item] = []
        if values[":first"] > values[":last"]:
            return []
        page = None if limit is None else limit + 1  # `after` itself may be among them
        async for items in self._client.query("pk = :pk AND sk BETWEEN :first AND :last", values, page=page):
            found += [item for item in items if item["sk"]["S"] > after and item["sk"]["S"].startswith(prefix)]
            if limit is not None and len(found) >= limit:
                break
        return await asyncio.gather(*[self._read(item) for item in found[:limit]])

    async def _write(self, change: Change, item: Item | None) -> bool:
        if item is None:
            return await self._client.delete_if(_key(change.kind, change.key), _expected(change))
        return await self._client.put_if(item, _expected(change))

    async def _transact(self, changes: Sequence[Change], items: Sequence[Item | None]) -> bool:
        actions: list[dict[str, Any]] = []
        for change, item in zip(changes, items, strict=True):
            what = {"Delete": {"Key": _key(change.kind, change.key)}} if item is None else {"Put": {"Item": item}}
            ((action, target),) = what.items()
            actions.append({action: {"TableName": self._client.table} | target | _expected(change).parameters()})

        async def happened() -> bool:
            put = next((item for item in items if item is not None), None)
            if put is None:
                return await self._client.get(_key(changes[0].kind, changes[0].key)) is None
            found = await self._client.get(key_of(put))
            return found is not None and found["w"] == put["w"]

        written = tuple(
            write
            for change, item in zip(changes, items, strict=True)
            for write in writes_of(item, _key(change.kind, change.key))
        )
        parameters = {"TransactItems": actions, "ClientRequestToken": secrets.token_hex(16)}
        return await self._client.resolved("TransactWriteItems", parameters, written, happened)

    async def _item(self, change: Change) -> Item | None:
        if change.document is None:
            return None
        body = zlib.compress(json.dumps(change.document, ensure_ascii=True, separators=(",", ":")).encode())
        item = _key(change.kind, change.key) | {"v": {"N": str(change.revision + 1)}, "w": new_write_id()}
        if change.expires_at is not None:
            item[EXPIRY_ATTRIBUTE] = {"N": str(change.expires_at)}
        return item | await self._bodies.kept(body, f"the {change.kind} {change.key}")

    async def _read(self, item: Item) -> Resource:
        return Resource(
            kind=item["pk"]["S"].partition("#")[2],
            key=item["sk"]["S"],
            revision=int(item["v"]["N"]),
            document=json.loads(zlib.decompress(await self._bodies.body(item))),
        )


def _key(kind: str, name: str) -> Item:
    return key(f"resource#{kind}", name)


def _expected(change: Change) -> Condition:
    if not change.revision:
        return IF_NEW
    return Condition(expression="v = :v", values={":v": {"N": str(change.revision)}})
