"""The simulated world: one clock, one list of what happens next, and all chance, drawn from one seed.

Nothing here reads the real clock or the real random source, so the same seed gives the same steps in the same order.
Actions due at the same moment happen in an order that is drawn, too: whoever relied on an order is found out.
"""

from __future__ import annotations

import dataclasses
import heapq
import types
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Sequence
from random import Random
from typing import Any, Final, TypeVar

Action = Callable[[], None]

_START: Final = 1_800_000_000_000  # milliseconds since the epoch
_Item = TypeVar("_Item")


class Planned:
    """Something to come, unless it is called off."""

    __slots__ = ("action",)

    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        """It will not happen, and time does not run on to it."""
        self.action = None


class World:
    """`now` is true time in milliseconds since the epoch, which no process can read. `counts` says what befell it."""

    def __init__(self, seed: str, *, tracing: bool = False) -> None:
        self.now = _START
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.trace: list[str] = []
        self._tracing = tracing
        self._random = Random(seed)  # noqa: S311 - a seed must give the same draws everywhere, and hides nothing
        self._coming: list[tuple[int, float, int, Planned]] = []
        self._planned = 0

    def after(self, milliseconds: int, action: Action) -> Planned:
        """Let something happen so much later."""
        self._planned += 1
        planned = Planned(action)
        heapq.heappush(self._coming, (self.now + milliseconds, self._random.random(), self._planned, planned))
        return planned

    @property
    def is_idle(self) -> bool:
        """Whether nothing will ever happen again."""
        while self._coming and self._coming[0][3].action is None:
            heapq.heappop(self._coming)
        return not self._coming

    def step(self) -> bool:
        """Let the next thing happen. False when there is none."""
        if self.is_idle:
            return False
        at, _, _, planned = heapq.heappop(self._coming)
        self.now = at
        self.steps += 1
        assert planned.action is not None
        planned.action()
        return True

    def chance(self, probability: float) -> bool:
        """Whether something of this probability is so."""
        return probability > 0 and self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def choose(self, options: Sequence[_Item]) -> _Item:
        """One of several."""
        return self._random.choice(options)

    def note(self, who: str, *what: object) -> None:
        """A line of the trace, if anybody wants one."""
        if self._tracing:
            self.trace.append(
                f"{self.steps:5} {(self.now - _START) / 1000:11.3f}s  {who:8} {' '.join(map(brief, what))}"
            )

    def befell(self, fault: str, who: str = "world") -> None:
        """Count a fault."""
        self.counts[fault] += 1
        self.note(who, "!", fault)


def brief(thing: object) -> str:
    """An event or a command as the trace shows it: its kind, frame, wait, and the moment it is about."""
    if not dataclasses.is_dataclass(thing):
        return str(thing)
    attempt = getattr(thing, "attempt", None)
    shown = [type(thing).__name__, getattr(thing, "frame_id", "")]
    if attempt is not None:
        shown += [f"#{attempt.wait_id}", attempt.state_name]
    elif hasattr(thing, "wait_id"):
        shown.append(f"#{thing.wait_id}")
    if hasattr(thing, "at"):
        shown.append(f"at {(thing.at - _START) / 1000:.3f}s")
    return " ".join(shown)


def complete(work: Coroutine[Any, Any, _Item]) -> _Item:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as ended:
        result: _Item = ended.value
        return result
    raise AssertionError("what is durable answers at once")


PARKED: Final = -1  # what a coroutine yields that waits to be woken


@types.coroutine
def pause(milliseconds: int) -> Generator[int, None, None]:
    """Suspend a simulated process so long, or until it is woken (PARKED)."""
    yield milliseconds
