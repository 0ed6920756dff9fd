"""What an expression can see, and the one shape that every compiled expression has."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from asl_engine.expressions.extents import Extents, too_large
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.limits import EXPRESSION_RESULT_BYTES_MAX


class Entropy:
    """Chance that a replay repeats: draws depend on nothing but the seed and how many came before."""

    __slots__ = ("_draws", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed, self._draws = seed, 0

    def random(self) -> float:
        """The next number in [0, 1)."""
        return int.from_bytes(self._next()[:7], "big") / (1 << 56)

    def uuid(self) -> str:
        """The next version 4 UUID."""
        return str(UUID(bytes=self._next()[:16], version=4))

    def _next(self) -> bytes:
        self._draws += 1
        return hashlib.sha256(f"{self._seed}:{self._draws}".encode()).digest()


class Absent:
    """The type of ABSENT: no value at all, where null is a value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


def _no_context() -> JsonObject:
    return {}


@dataclass(slots=True)
class Scope:
    """The values an expression may read. `context` builds the Context object and is called only by who needs it.

    `input` is `$` in JSONPath (whatever node the field applies to) and `$states.input` in JSONata (the state's raw
    input). `result` and `error_output` are `$states.result` and `$states.errorOutput`, where they are defined. `now` is
    what `$now()` and `$millis()` answer, in milliseconds since the epoch.

    `growth` is how many times larger than any of these the values are that expressions made since it was asked last,
    at most.
    """

    input: JsonValue
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    context: Callable[[], JsonObject] = _no_context
    entropy: Entropy = field(default_factory=lambda: Entropy(""))
    result: JsonValue | Absent = ABSENT
    error_output: JsonValue | Absent = ABSENT
    now: int = 0
    growth: int = 1
    extents: Extents = field(default_factory=Extents)
    text_built: int = 0

    def admit(self, value: JsonValue) -> JsonValue:
        """The new payload; measured first if it may be too large. Raises EvaluationError."""
        if self.growth > 1:
            self.growth, self.text_built = 1, 0
            self.extents.admit(value)
        return value

    def build_text(self, text: str) -> None:
        """Count a long text that an expression built. Raises EvaluationError when a state builds too many."""
        self.text_built += len(text)
        if self.text_built > EXPRESSION_RESULT_BYTES_MAX:
            raise too_large()


class Expression(Protocol):
    """A compiled expression. Evaluating never parses and never changes what it reads."""

    def evaluate(self, scope: Scope) -> JsonValue:
        """The value of the expression. Raises EvaluationError."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the definition itself."""

    value: JsonValue

    def evaluate(self, _scope: Scope) -> JsonValue:
        """The same object each time: values are never changed in place."""
        return self.value
