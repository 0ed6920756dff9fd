"""DynamoDB and S3 as the store's client asks them, in this process and in virtual time, with the bill kept exactly.

Units are worked out here from the items as they lie in the table and in its indexes before and after a write, not from
what the store says that it wrote. Only what the path of an execution needs is understood; anything else raises.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import ceil
from operator import eq, ge, gt, le, lt
from sys import getsizeof
from typing import Any, Final

from asl_engine.store.dynamodb.table import Item, table_definition
from benchmarks.cost.usage import Usage

_PAGE_BYTES: Final = 1024 * 1024
_COMPARISON: Final = re.compile(r"(\w+) (=|<=|>=|<|>) (:\w+)")
_OPERATORS: Final = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}
_EXISTENCE: Final = re.compile(r"attribute_(not_)?exists\((\w+)\)")


class FakeAws:
    """In the place of `Connection`. `answer_after` is awaited before each answer: the time that AWS takes."""

    def __init__(self, usage: Usage, answer_after: Callable[[], Awaitable[None]]) -> None:
        self._dynamodb = FakeDynamoDb(usage, answer_after)
        self._s3 = _FakeS3(usage, answer_after)

    @property
    def table(self) -> FakeDynamoDb:
        """The table."""
        return self._dynamodb

    def is_local(self, _service: str) -> bool:
        """It is here."""
        return True

    async def client(self, service: str) -> Any:
        """The one client of a service."""
        return {"dynamodb": self._dynamodb, "s3": self._s3}[service]

    async def close(self) -> None:
        """Nothing was opened."""


class FakeDynamoDb:
    """One table, with a client's methods."""

    def __init__(self, usage: Usage, answer_after: Callable[[], Awaitable[None]]) -> None:
        self._usage, self._answer_after = usage, answer_after
        self._items: dict[str, dict[str, Item]] = {}
        self._sort_keys: dict[str, list[str]] = {}
        definition = table_definition("fake")
        self._indexes = [
            tuple(key["AttributeName"] for key in index["KeySchema"]) for index in definition["GlobalSecondaryIndexes"]
        ]
        assert all(
            index["Projection"] == {"ProjectionType": "KEYS_ONLY"} for index in definition["GlobalSecondaryIndexes"]
        ), "only keys are in an index"

    async def put_item(self, **request: Any) -> Any:
        """Put an item whole."""
        await self._answer_after()
        item, old = request["Item"], self._find(request["Item"])
        self._write(old, item, request)
        return {}

    async def batch_write_item(self, **request: Any) -> Any:
        """Put items whole."""
        await self._answer_after()
        for requests in request["RequestItems"].values():
            for each in requests:
                item = each["PutRequest"]["Item"]
                self._write(self._find(item), item, {})
        return {}

    async def update_item(self, **request: Any) -> Any:
        """Set attributes to values."""
        await self._answer_after()
        old = self._find(request["Key"])
        item = dict(old or request["Key"])
        for assignment in request["UpdateExpression"].removeprefix("SET ").split(", "):
            name, _, value = assignment.partition(" = ")
            item[name] = request["ExpressionAttributeValues"][value]
        self._write(old, item, request)
        return {}

    async def delete_item(self, **request: Any) -> Any:
        """Delete an item, if there is one."""
        await self._answer_after()
        self._write(self._find(request["Key"]), None, request)
        return {}

    async def get_item(self, **request: Any) -> Any:
        """Read one item."""
        await self._answer_after()
        item = self._find(request["Key"])
        self._bill_read(item_bytes(item or {}), request)
        return {} if item is None else {"Item": item}

    async def query(self, **request: Any) -> Any:
        """Items of one partition of the table, in pages of 1 MB."""
        await self._answer_after()
        if "IndexName" in request:
            raise NotImplementedError("no execution needs an index")
        matches = _condition(request["KeyConditionExpression"], request["ExpressionAttributeValues"])
        page: list[Item] = []
        read = 0
        answer: dict[str, Any] = {"Items": page}
        for item in self._partition(request):
            if not matches(item):
                continue
            page.append(item)
            read += item_bytes(item)
            if len(page) == request.get("Limit") or read >= _PAGE_BYTES:
                answer["LastEvaluatedKey"] = {"pk": item["pk"], "sk": item["sk"]}
                break
        self._bill_read(read, request)
        return answer

    async def transact_write_items(self, **request: Any) -> Any:
        """Only counted: nothing on the path of an execution may do this."""
        raise NotImplementedError(f"a transaction: {request}")

    def places(self) -> list[tuple[str, str]]:
        """The keys of all items."""
        return [(partition, sort) for partition, items in self._items.items() for sort in items]

    def expire(self, partition: str, sort: str) -> None:
        """Delete an item as DynamoDB does some time after its moment: for nothing."""
        item = self._items[partition][sort]
        assert "expires_at" in item, "nothing else is ever deleted"
        self._replace(item, None)

    @property
    def bytes_stored(self) -> int:
        """The size of all items."""
        return sum(item_bytes(item) for items in self._items.values() for item in items.values())

    @property
    def memory_bytes(self) -> int:
        """What this table itself takes of the process's memory, at least."""
        return sum(_memory(item) for items in self._items.values() for item in items.values())

    @property
    def keyframe_distance(self) -> int:
        """The most records that any load had to read to come to a keyframe."""
        records = (item for items in self._items.values() for item in items.values() if "k" in item)
        return max((int(item["sk"]["S"][1:]) - int(item["k"]["N"]) + 1 for item in records), default=0)

    def _find(self, key: Item) -> Item | None:
        return self._items.get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _partition(self, request: Mapping[str, Any]) -> Iterator[Item]:
        (partition,) = (
            value["S"] for name, value in request["ExpressionAttributeValues"].items() if _is_partition(name, request)
        )
        keys = self._sort_keys.get(partition, [])
        start, backwards = request.get("ExclusiveStartKey"), not request.get("ScanIndexForward", True)
        low, high = _sort_range(keys, request)
        if start is not None:
            place = bisect_left(keys, start["sk"]["S"])
            low, high = (low, place) if backwards else (place + 1, high)
        for number in range(high - 1, low - 1, -1) if backwards else range(low, high):
            yield self._items[partition][keys[number]]

    def _write(self, old: Item | None, new: Item | None, request: Mapping[str, Any]) -> None:
        condition = request.get("ConditionExpression")
        met = condition is None or _condition(condition, request.get("ExpressionAttributeValues", {}))(old or {})
        units = _write_units(max(item_bytes(old or {}), item_bytes(new or {})))
        if met:
            units += sum(self._index_units(names, old, new) for names in self._indexes)
            self._replace(old, new)
        self._usage.write_units += units
        if new is not None and new["sk"]["S"].startswith("r0"):
            self._usage.record_write_units += units
            self._usage.record_puts += 1
            self._usage.records += met
        if not met:
            raise _condition_failed()

    def _replace(self, old: Item | None, new: Item | None) -> None:
        item = new or old
        if item is None:
            return
        partition, sort = item["pk"]["S"], item["sk"]["S"]
        if new is not None:
            if old is None:
                insort(self._sort_keys.setdefault(partition, []), sort)
            self._items.setdefault(partition, {})[sort] = new
        else:
            self._sort_keys[partition].remove(sort)
            del self._items[partition][sort]

    def _index_units(self, names: tuple[str, ...], old: Item | None, new: Item | None) -> int:
        """An entry under new keys is one write more than the deletion of the one under the old keys."""
        before, after = (_entry(names, item) for item in (old, new))
        if before == after:
            return 0
        return sum(_write_units(item_bytes(entry)) for entry in (before, after) if entry is not None)

    def _bill_read(self, size: int, request: Mapping[str, Any]) -> None:
        self._usage.read_units += max(1, ceil(size / 4096)) * (1.0 if request.get("ConsistentRead") else 0.5)


class _FakeS3:
    def __init__(self, usage: Usage, answer_after: Callable[[], Awaitable[None]]) -> None:
        self._usage, self._answer_after = usage, answer_after
        self._objects: dict[str, bytes] = {}

    async def put_object(self, **request: Any) -> Any:
        await self._answer_after()
        self._usage.s3_puts += 1
        self._objects[request["Key"]] = request["Body"]
        return {}

    async def get_object(self, **request: Any) -> Any:
        """Answers at once: the store asks for many at a time, and who asks is at work once."""
        self._usage.s3_gets += 1
        return {"Body": _Body(self._objects[request["Key"]])}


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self) -> bytes:
        return self._content


def item_bytes(item: Item) -> int:
    """What DynamoDB takes for the size of an item.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind, content:
        case "S", str(text):
            return len(text.encode())
        case "B", bytes(data):
            return len(data)
        case "N", str(number):
            return ceil(len(number.strip("-0")) / 2) + 1 + number.startswith("-")
    raise NotImplementedError(f"the size of {value}")


def _memory(item: Item) -> int:
    return getsizeof(item) + sum(getsizeof(value) + sum(map(getsizeof, value.values())) for value in item.values())


def _write_units(size: int) -> int:
    return max(1, ceil(size / 1024))


def _entry(names: tuple[str, ...], item: Item | None) -> Item | None:
    if item is None or any(name not in item for name in names):
        return None
    return {name: item[name] for name in ("pk", "sk", *names)}


def _sort_range(keys: list[str], request: Mapping[str, Any]) -> tuple[int, int]:
    """Where in the sorted keys those lie that `sk BETWEEN` may name."""
    between = re.search(r"sk BETWEEN (:\w+) AND (:\w+)", request["KeyConditionExpression"])
    if between is None:
        return 0, len(keys)
    first, last = (request["ExpressionAttributeValues"][name]["S"] for name in between.groups())
    return bisect_left(keys, first), bisect_right(keys, last)


def _is_partition(placeholder: str, request: Mapping[str, Any]) -> bool:
    return re.search(rf"\bpk = {placeholder}\b", request["KeyConditionExpression"]) is not None


def _condition(expression: str, values: Mapping[str, Any]) -> Callable[[Item], bool]:
    """What an expression asks of an item: any of its alternatives, each with all of its terms."""
    # BETWEEN has an AND of its own.
    written = re.sub(r"(\w+) BETWEEN (:\w+) AND (:\w+)", r"\1 >= \2 AND \1 <= \3", expression)
    alternatives = [[_term(term, values) for term in part.split(" AND ")] for part in written.split(" OR ")]
    return lambda item: any(all(is_met(item) for is_met in terms) for terms in alternatives)


def _term(term: str, values: Mapping[str, Any]) -> Callable[[Item], bool]:
    if existence := _EXISTENCE.fullmatch(term):
        absent, attribute = existence.groups()
        return lambda item: (attribute in item) is not bool(absent)
    if comparison := _COMPARISON.fullmatch(term):
        name, operator, placeholder = comparison.groups()
        compare, value = _OPERATORS[operator], _comparable(values[placeholder])
        return lambda item: name in item and compare(_comparable(item[name]), value)
    raise NotImplementedError(f"the condition {term}")


def _comparable(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "N" else content


def _condition_failed() -> Exception:
    from botocore.exceptions import ClientError

    answer: Any = {
        "Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    failure: Exception = ClientError(answer, "PutItem")
    return failure
