"""Payloads of a given size, drawn from a seed: orders as a shop would pass them on, and bytes that do not compress."""

from __future__ import annotations

import base64
import json
import string
from random import Random
from typing import Any, Final
from uuid import UUID

_WORDS: Final = (
    *("customer", "order", "shipped", "pending", "address", "street", "city", "country", "premium", "standard"),
    *("express", "invoice", "payment", "refund", "blue", "red", "green", "small", "medium", "large", "north", "south"),
)
_NOTE_CHARACTERS: Final = string.ascii_lowercase + " "


def order(chance: Random, size: int = 1024) -> dict[str, Any]:
    """An order of exactly `size` bytes of JSON: identifiers, amounts and words that are different every time."""
    document: dict[str, Any] = {
        "orderId": new_uuid(chance),
        "customer": {
            "id": chance.randrange(10**9),
            "name": " ".join(chance.choices(_WORDS, k=2)),
            "email": f"{chance.choice(_WORDS)}{chance.randrange(1000)}@example.com",
        },
        "createdAt": f"2026-11-{chance.randrange(10, 28)}T{chance.randrange(10, 24)}:{chance.randrange(10, 60)}:00Z",
        "lines": [],
        "note": "",
    }
    while _size(document) < size - 90:
        document["lines"].append(_line(chance))
    document["note"] = "".join(chance.choices(_NOTE_CHARACTERS, k=size - _size(document)))
    assert _size(document) == size, "the note fills what the lines leave"
    return document


def noise(chance: Random, size: int = 1024) -> dict[str, Any]:
    """A payload of `size` bytes that no compression makes smaller than three quarters: random bytes as base64."""
    text = base64.b64encode(chance.randbytes(size)).decode()
    return {"data": text[: size - len('{"data":""}')]}


def new_uuid(chance: Random) -> str:
    """A UUID of version 4, as executions that nobody names get one."""
    return str(UUID(int=chance.getrandbits(128), version=4))


def _line(chance: Random) -> dict[str, Any]:
    return {
        "sku": "".join(chance.choices(string.ascii_uppercase + string.digits, k=8)),
        "quantity": chance.randrange(1, 20),
        "price": round(chance.random() * 100, 2),
        "status": chance.choice(_WORDS),
    }


def _size(document: dict[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))
