"""How large payloads are, which the payload limit asks in every state.

Measuring a payload is writing it as JSON. A state that adds a number to 200 KB passes all the rest on as the objects it
got, so what a large payload is made of is measured once and known by its identity from then on.
"""

from __future__ import annotations

from typing import Final, TypeGuard

from asl_engine.json_value import JsonObject, JsonValue, size_bytes

_LARGE_BYTES: Final = 16_384


class PayloadSizes:
    """The sizes of the payloads of one advance, in which nothing that was measured changes."""

    __slots__ = ("_known", "_last_was_large")

    def __init__(self) -> None:
        self._known: dict[int, tuple[JsonValue, int]] = {}  # with the value, or another might be given its id
        self._last_was_large = False

    def size(self, payload: JsonValue) -> int:
        """What `size_bytes` says."""
        size = self._size_by_members(payload) if self._last_was_large and _has_members(payload) else size_bytes(payload)
        self._last_was_large = size >= _LARGE_BYTES
        return size

    def _size_by_members(self, payload: JsonObject) -> int:
        braces_and_commas = 1 + len(payload)
        return braces_and_commas + sum(
            size_bytes(name) + len(":") + self._size_of_member(value) for name, value in payload.items()
        )

    def _size_of_member(self, value: JsonValue) -> int:
        if not isinstance(value, dict | list):
            return size_bytes(value)
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, size_bytes(value))
        return known[1]


def _has_members(payload: JsonValue) -> TypeGuard[JsonObject]:
    return isinstance(payload, dict) and len(payload) > 0
