"""Every call that the store makes. What may be repeated is repeated here; what became of a write is found out here.

An answer can be lost on its way, so a write that failed may have happened. An unconditional one is repeated. A
conditional one carries an id of its own (attribute `w`): the item is read, and bears the id if the write happened.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from asl_engine.errors import StoreUnavailable
from asl_engine.store.dynamodb.answers import Backoff, ConditionFailed, Throttled, Unanswered, outcome_of, server_time
from asl_engine.store.dynamodb.connection import Connection
from asl_engine.store.dynamodb.table import Item, key_of
from asl_engine.store.dynamodb.units import Call, item_size, writes_of

_BATCH_GET_MAX: Final = 100
WRITTEN_TOGETHER_MAX: Final = 25
NEW: Final = "attribute_not_exists(pk)"


def _unobserved(_what: object) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Observers:
    """Who is told of each call, and of AWS's time (epoch milliseconds) when it answers."""

    on_call: Callable[[Call], None] = _unobserved
    on_server_time: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition expression; its names (`#o`) and values (`:o`)."""

    expression: str = NEW
    names: Mapping[str, str] | None = None
    values: Item | None = None

    def parameters(self) -> dict[str, Any]:
        """As a request has them."""
        named = {"ExpressionAttributeNames": self.names, "ExpressionAttributeValues": self.values}
        return {"ConditionExpression": self.expression} | {name: value for name, value in named.items() if value}


IF_NEW: Final = Condition()


class Client:
    """Calls to one table, and to S3. Every method may raise StoreUnavailable or StoreRefused."""

    def __init__(
        self,
        table: str,
        connection: Connection,
        observers: Observers | None = None,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.table, self.connection = table, connection
        self._observers = observers or Observers()
        self.pause, self._chance = pause, chance
        self._closed = False

    # Reading

    async def get(self, key: Item, *, consistent: bool = True) -> Item | None:
        """The item with this key."""
        parameters = {"TableName": self.table, "Key": key, "ConsistentRead": consistent}
        item: Item | None = (await self.repeated("GetItem", parameters)).get("Item")
        return item

    async def get_many(self, keys: Sequence[Item]) -> list[Item]:
        """Those of the items that exist, in any order, eventually consistent."""
        found: list[Item] = []
        for start in range(0, len(keys), _BATCH_GET_MAX):
            wanted = {self.table: {"Keys": list(keys[start : start + _BATCH_GET_MAX])}}
            backoff = self._backoff()
            while wanted:
                answer = await self.repeated("BatchGetItem", {"RequestItems": wanted})
                found += answer["Responses"].get(self.table, ())
                wanted = answer.get("UnprocessedKeys") or {}
                if wanted:
                    await backoff.wait(Throttled("BatchGetItem left keys unprocessed"))
        return found

    async def query(
        self,
        condition: str,
        values: Mapping[str, str],
        *,
        index: str | None = None,
        newest_first: bool = False,
        first_page: int | None = None,
        page: int | None = None,
        consistent: bool = True,
    ) -> AsyncIterator[list[Item]]:
        """Pages of the items whose keys meet the condition, read as they are asked for. No index is consistent."""
        parameters: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {name: {"S": value} for name, value in values.items()},
            "ScanIndexForward": not newest_first,
        }
        parameters |= {"ConsistentRead": consistent} if index is None else {"IndexName": index}
        limit = first_page or page
        async for items in self._pages("Query", parameters, limit, page):
            yield items

    async def scan(self, index: str, condition: str = "", values: Mapping[str, str] | None = None) -> list[Item]:
        """All entries of an index, or those that meet the condition."""
        parameters: dict[str, Any] = {"TableName": self.table, "IndexName": index}
        if condition:
            parameters["FilterExpression"] = condition
            parameters["ExpressionAttributeValues"] = {name: {"S": value} for name, value in (values or {}).items()}
        return [item async for items in self._pages("Scan", parameters, None, None) for item in items]

    async def _pages(
        self, operation: str, parameters: dict[str, Any], limit: int | None, next_limit: int | None
    ) -> AsyncIterator[list[Item]]:
        while True:
            answer = await self.repeated(operation, parameters | ({"Limit": limit} if limit else {}))
            if answer["Items"]:
                yield answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            parameters, limit = parameters | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}, next_limit

    # Writing

    async def put(self, item: Item, condition: Condition | None = None, *, replaces: Item | None = None) -> None:
        """Put the item, or leave what is there if the condition is not met. `replaces` is for counting only."""
        parameters = {"TableName": self.table, "Item": item}
        try:
            await self.repeated(
                "PutItem", parameters | (condition.parameters() if condition else {}), writes_of(item, replaces)
            )
        except ConditionFailed:
            return

    async def put_if(self, item: Item, condition: Condition = IF_NEW, *, replaces: Item | None = None) -> bool:
        """Put the item if the condition is met; whether it was. The item must carry the id of this write as `w`."""
        parameters = {"TableName": self.table, "Item": item} | condition.parameters()

        async def is_mine() -> bool:
            found = await self.get(key_of(item))
            return found is not None and found.get("w") == item["w"]

        return await self.resolved("PutItem", parameters, writes_of(item, replaces), is_mine)

    async def put_many(self, items: Sequence[Item]) -> None:
        """Put at most 25 items in the place of what is there, which is as large and in no index."""
        wanted = {self.table: [{"PutRequest": {"Item": item}} for item in items]}
        written = tuple(write for item in items for write in writes_of(item, item))
        backoff = self._backoff()
        while wanted:
            answer = await self.repeated("BatchWriteItem", {"RequestItems": wanted}, written)
            wanted, written = answer.get("UnprocessedItems") or {}, ()
            if wanted:
                await backoff.wait(Throttled("BatchWriteItem left items unprocessed"))

    async def delete(self, key: Item, *, item: Item | None = None) -> None:
        """Delete what has this key. `item`, where known, is for counting only."""
        await self.repeated("DeleteItem", {"TableName": self.table, "Key": key}, writes_of(None, item or key))

    async def delete_if(self, key: Item, condition: Condition) -> bool:
        """Delete the item if the condition is met; whether it is gone. One that vanished meanwhile is gone as well."""
        parameters = {"TableName": self.table, "Key": key} | condition.parameters()

        async def is_gone() -> bool:
            return await self.get(key) is None

        return await self.resolved("DeleteItem", parameters, writes_of(None, key), is_gone)

    async def resolved(
        self,
        operation: str,
        parameters: dict[str, Any],
        written: tuple[tuple[str, int], ...],
        happened: Callable[[], Awaitable[bool]],
    ) -> bool:
        """Make a conditional write; False: its condition is not met. `happened` tells after a lost answer."""
        backoff, unanswered = self._backoff(), False
        while True:
            try:
                await self.once("dynamodb", operation, parameters, written)
            except ConditionFailed:
                return unanswered and await happened()
            except Throttled as error:
                await backoff.wait(error)
            except Unanswered as error:
                if await happened():
                    return True
                unanswered = True
                await backoff.wait(error)
            else:
                return True

    # Calling

    async def repeated(
        self,
        operation: str,
        parameters: dict[str, Any],
        written: tuple[tuple[str, int], ...] = (),
        *,
        service: str = "dynamodb",
    ) -> Any:
        """Make a call that may happen twice until it is answered. Raises ConditionFailed."""
        backoff = self._backoff()
        while True:
            try:
                return await self.once(service, operation, parameters, written)
            except (Throttled, Unanswered) as error:
                await backoff.wait(error)

    async def once(
        self, service: str, operation: str, parameters: dict[str, Any], written: tuple[tuple[str, int], ...] = ()
    ) -> Any:
        """Make a call. Raises ConditionFailed; Throttled: it did not happen; Unanswered: nobody knows."""
        if self._closed:
            raise StoreUnavailable(f"dynamodb:{self.table}: this store is closed; open it again to use it")
        answer: Any = None
        try:
            client = await self.connection.client(service)
            answer = await getattr(client, _method(operation))(**parameters)
            if operation == "GetObject":
                answer["Body"] = await answer["Body"].read()
            self._tell_time(answer)
        except Exception as error:
            meaning = outcome_of(error, operation, self.table, self._tell_time)
            if meaning is None:
                raise
            raise meaning from error
        finally:
            self._tell_call(service, operation, parameters, written, answer)
        return answer

    async def close(self) -> None:
        """Let go of the connections. Anything later raises StoreUnavailable."""
        self._closed = True
        await self.connection.close()

    def check_open(self) -> None:
        """Raises StoreUnavailable once the store is closed."""
        if self._closed:
            raise StoreUnavailable(f"dynamodb:{self.table}: this store is closed; open it again to use it")

    def _backoff(self) -> Backoff:
        return Backoff(f"dynamodb:{self.table}", self.pause, self._chance)

    def _tell_time(self, answer: Mapping[str, Any]) -> None:
        if self._observers.on_server_time is not None:
            moment = server_time(answer)
            if moment is not None:
                self._observers.on_server_time(moment)

    def _tell_call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        written: Any,
        answer: Mapping[str, Any] | None,
    ) -> None:
        if self._observers.on_call is _unobserved:
            return
        call = Call(
            service=service,
            operation=operation,
            written=written,
            read_bytes=_read_bytes(operation, answer or {}),
            consistent=bool(parameters.get("ConsistentRead")),
            transactional=operation == "TransactWriteItems",
        )
        self._observers.on_call(call)


def _method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def _read_bytes(operation: str, answer: Mapping[str, Any]) -> tuple[int, ...]:
    """An empty answer is billed as the smallest."""
    match operation:
        case "GetItem":
            return (item_size(answer.get("Item", {})),)
        case "Query" | "Scan":
            return (sum(item_size(item) for item in answer.get("Items", ())),)
        case "BatchGetItem":
            return tuple(item_size(item) for items in answer.get("Responses", {}).values() for item in items)
    return ()
