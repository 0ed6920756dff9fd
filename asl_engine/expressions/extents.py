"""How large and how deep values are, so that no loop can make one that nothing can write down.

Values share what they are made of: a state that puts its input twice into its output takes no memory for it, and after
forty rounds the JSON text of it would have a trillion characters. So a value is measured as its text would be, but what
was measured is known by its identity from then on: what it shares is looked at once.

Measuring in every state would cost more than most states do. So expressions tell the scope how often what they read
may stand in what they made (`Scope.growth`). A template that puts each part of the input in one place, as most do, lets
nothing grow; only what may have grown is measured.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html bounds payloads far below; ours hold where
those are switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, TypeAlias

from asl_engine.errors import EvaluationError
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.limits import EXPRESSION_RESULT_BYTES_MAX, JSON_DEPTH_MAX

DATA_LIMIT_EXCEEDED: Final = "States.DataLimitExceeded"
UNKNOWN_GROWTH: Final = EXPRESSION_RESULT_BYTES_MAX + 1
"""Of an expression whose result has to be measured."""
SMALL_TEXT_CHARACTERS: Final = 1_024
"""Texts up to this length are not worth measuring: a definition bounds how many of them it can put together."""

_KNOWN_SIZE_MIN: Final = 512  # to look at a smaller one again is cheaper than to remember it
_LITERAL: Final = 5
_PUNCTUATION: Final = 3  # the quotes and the comma of a text, the braces and the comma of an object

Container: TypeAlias = "list[JsonValue] | JsonObject"
_Extent: TypeAlias = "tuple[Container, int, int]"


def may_be_large(value: JsonValue) -> bool:
    """Whether a value has to be measured at all."""
    kind = type(value)
    return kind is dict or kind is list or (kind is str and len(value) > SMALL_TEXT_CHARACTERS)  # type: ignore[arg-type]


class Extents:
    """The sizes of values, none of which changes while this object lives. `total` sums what was admitted."""

    __slots__ = ("_known", "total")

    def __init__(self) -> None:
        self._known: dict[int, _Extent] = {}  # with the value, or another might be given its id
        self.total = 0

    def admit(self, value: JsonValue) -> int:
        """Count a new payload, and return its size. Raises EvaluationError for one that is too large or too deep."""
        size = self.size(value)
        if size > EXPRESSION_RESULT_BYTES_MAX:
            raise too_large()
        self.total += size
        return size

    def size(self, value: JsonValue) -> int:
        """About how many bytes its JSON text has. Raises EvaluationError for a value that is too deep."""
        try:
            return self._measure([value], -1)[1]
        except RecursionError:
            raise _too_deep() from None

    def _measure(self, container: Container, level: int) -> _Extent:
        """About how many characters its JSON text has, an escape counted as one, and how many levels are in it."""
        if level >= JSON_DEPTH_MAX:
            raise _too_deep()
        size = depth = 0
        members: Iterable[JsonValue] = container
        if isinstance(container, dict):
            members = container.values()
            size = sum(map(len, container)) + _PUNCTUATION * len(container)
        for member in members:
            kind = member.__class__  # a union asked by isinstance takes four times as long
            if kind is str:
                size += len(member) + _PUNCTUATION  # type: ignore[arg-type]
            elif kind is dict or kind is list:
                known = self._known.get(id(member))
                _, inner, levels = self._measure(member, level + 1) if known is None else known  # type: ignore[arg-type]
                size += inner
                if levels > depth:
                    depth = levels
            else:
                size += _LITERAL
        if level + depth >= JSON_DEPTH_MAX:
            raise _too_deep()
        extent = container, size + _PUNCTUATION, depth + 1
        if size > _KNOWN_SIZE_MIN:
            self._known[id(container)] = extent
        return extent


class Growth:
    """How many times larger than any value it reads the value of a template can be: `most`.

    Each root that it reads counts as often as any one node below it can stand in the result. 1 is the ordinary case:
    `{"id.$": "$.id", "total.$": "$.cart.total"}` puts every part of the input in one place, and no deeper than before.
    """

    __slots__ = ("_deepens", "_factor", "_sources", "most")

    def __init__(self) -> None:
        self._sources: Counter[tuple[str | int, ...]] = Counter()
        self._factor = 1
        self._deepens = False
        self.most = 1

    def count(self, sources: tuple[tuple[str | int, ...], ...], depth: int, *, is_path: bool) -> None:
        """Add what stands in one member, `depth` levels deep in the template."""
        for source in sources:
            self._sources[source] += 1
            self._deepens = self._deepens or not is_path or depth >= len(source)
        if not is_path:
            self._factor = 2  # quotes within a text are escaped, the parts of an array get punctuation

    def conclude(self) -> None:
        """Work out `most`, once all is counted."""
        roots: dict[str | int, int] = {}
        for source in self._sources:
            copies = sum(self._sources[source[:end]] for end in range(1, len(source) + 1))
            roots[source[0]] = max(copies, roots.get(source[0], 0))
        self.most = max(sum(roots.values()) * self._factor, 2 if self._deepens else 1)


def too_large() -> EvaluationError:
    """The error for a value over the limit."""
    return EvaluationError(DATA_LIMIT_EXCEEDED, f"The value has more than {EXPRESSION_RESULT_BYTES_MAX} bytes.")


def _too_deep() -> EvaluationError:
    return EvaluationError("States.Runtime", f"The data is nested more than {JSON_DEPTH_MAX} levels deep.")
