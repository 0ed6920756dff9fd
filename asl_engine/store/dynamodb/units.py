"""What a call costs: DynamoDB bills writes by the kilobyte and reads by four, of an item's names and values.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from asl_engine.store.dynamodb.table import INDEX_KEYS, Item

_WRITE_UNIT_BYTES: Final = 1024
_READ_UNIT_BYTES: Final = 4096
TABLE: Final = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to AWS, answered or not. `written` has the place (`table`, an index) and the bytes of each write.

    `read_bytes` are those that DynamoDB bills together: one number for a query, one for each item of a batch.
    """

    service: str
    operation: str
    written: tuple[tuple[str, int], ...] = ()
    read_bytes: tuple[int, ...] = ()
    consistent: bool = False
    transactional: bool = False

    @property
    def write_units(self) -> int:
        """DynamoDB write request units; a transaction takes twice as many."""
        units = sum(max(1, -(-size // _WRITE_UNIT_BYTES)) for _place, size in self.written)
        return units * 2 if self.transactional else units

    @property
    def read_units(self) -> float:
        """DynamoDB read request units; an eventually consistent read takes half as many."""
        units = sum(max(1, -(-size // _READ_UNIT_BYTES)) for size in self.read_bytes)
        return units if self.consistent else units / 2


def item_size(item: Item) -> int:
    """The bytes that an item is billed by."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def writes_of(new: Item | None, old: Item | None = None) -> tuple[tuple[str, int], ...]:
    """What putting `new` in the place of `old` writes; None for no item."""
    size = max(item_size(new or {}), item_size(old or {}))
    return ((TABLE, size), *(write for index in INDEX_KEYS for write in _index_writes(index, new, old)))


def _index_writes(index: str, new: Item | None, old: Item | None) -> list[tuple[str, int]]:
    """An entry under other keys is deleted and put; one under the same keys holds nothing that could change."""
    before, after = _entry(index, old), _entry(index, new)
    if before == after:
        return []
    return [(index, item_size(entry)) for entry in (before, after) if entry is not None]


def _entry(index: str, item: Item | None) -> Item | None:
    partition, sort = INDEX_KEYS[index]
    if item is None or partition not in item:
        return None
    return {name: item[name] for name in ("pk", "sk", partition, sort)}


def _value_size(value: dict[str, Any]) -> int:
    match value:
        case {"S": str(text)}:
            return len(text.encode("utf-8", "surrogatepass"))
        case {"B": bytes(content)}:
            return len(content)
        case {"N": str(number)}:
            digits = number.lstrip("-").strip("0")
            return -(-len(digits) // 2) + 1 + number.startswith("-")
    raise AssertionError(f"no item of ours has such a value: {value}")
