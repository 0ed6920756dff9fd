"""Reads the members of a JSON object by their types, and collects what is wrong with them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from asl_engine.errors import InvalidApprovalRequest
from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.json_value import JsonObject, JsonValue, json_type
from asl_engine.language.diagnostics import did_you_mean

MEMBERS_MAX: Final = 100


class PayloadReader:
    """An object of the payload, and where it stands. A member of another type than asked for is a problem."""

    def __init__(self, members: JsonObject, place: str, problems: list[str]) -> None:
        self._members, self._place, self._problems = members, place, problems

    @classmethod
    def of(cls, payload: JsonValue, known: AbstractSet[str]) -> PayloadReader:
        """The payload itself. Raises InvalidApprovalRequest when it is no object."""
        if not isinstance(payload, dict):
            raise InvalidApprovalRequest(f"the notifier's payload must be an object; it is {json_type(payload)}")
        reader = cls(payload, "", [])
        reader.only(known)
        return reader

    def inner(self, place: str, value: JsonValue, known: AbstractSet[str]) -> PayloadReader:
        """An object within this one."""
        reader = PayloadReader(value if isinstance(value, dict) else {}, f"{self._place}/{place}", self._problems)
        if not isinstance(value, dict):
            reader.problem("", f"must be an object; it is {json_type(value)}")
        reader.only(known)
        return reader

    def only(self, known: AbstractSet[str]) -> None:
        """Every other member is a problem."""
        for name in self._members:
            if name not in known:
                self.problem(name, f"is not known; {did_you_mean(name, set(known)) or ', '.join(sorted(known))}")

    def problem(self, name: str, text: str) -> None:
        """Remember what is wrong with a member, or with the object itself."""
        problem = f"{self._place}/{name}".rstrip("/") + f": {text}"
        if problem not in self._problems:
            self._problems.append(problem)

    def finish(self) -> None:
        """Raises InvalidApprovalRequest if anything was wrong."""
        if self._problems:
            listed = "\n".join(f"  {problem}" for problem in self._problems)
            raise InvalidApprovalRequest(f"the notifier's payload cannot be used:\n{listed}")

    def value(self, name: str) -> JsonValue:
        """A member of any type."""
        return self._members.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        """A string; empty when there is none."""
        value = self._members.get(name)
        if value is None or value == "" or (required and isinstance(value, str) and not value.strip()):
            if required:
                self.problem(name, "is required: a text")
            return ""
        if not isinstance(value, str):
            self.problem(name, f"must be a string; it is {json_type(value)}")
            return ""
        return value

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self._members.get(name, default)
        if not isinstance(value, bool):
            self.problem(name, f"must be true or false; it is {json_type(value)}")
        return value is True

    def integer(self, name: str, default: int, *, least: int) -> int:
        """A whole number."""
        value = self._members.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value) or value < least:
            self.problem(name, f"must be a whole number of at least {least}")
            return default
        return int(value)

    def timestamp(self, name: str) -> int | None:
        """Epoch milliseconds of an ISO-8601 text."""
        text = self.text(name)
        moment = parse_timestamp(text) if text else None
        if text and moment is None:
            self.problem(name, f"{text!r} is no timestamp, as in 2026-12-31T18:00:00Z")
        return moment

    def array(self, name: str) -> list[JsonValue]:
        """A list; empty when there is none."""
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(name, f"must be a list; it is {json_type(value)}")
            return []
        if len(value) > MEMBERS_MAX:
            self.problem(name, f"has {len(value)} members; {MEMBERS_MAX} are allowed")
        return value[:MEMBERS_MAX]

    def objects(self, name: str) -> list[PayloadReader]:
        """The objects of a list, whose members are then checked by `only`."""
        return [
            PayloadReader.inner(self, f"{name}/{index}", member, set(member) if isinstance(member, dict) else set())
            for index, member in enumerate(self.array(name))
        ]
