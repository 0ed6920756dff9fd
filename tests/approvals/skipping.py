"""An event loop in which waiting takes no time: its clock jumps to whatever is due next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Skipping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing that is waited for will ever come"
        self.skipped += timeout
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """For coroutines that use no threads."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


def run_timed(work: Coroutine[Any, Any, _T]) -> tuple[_T, float]:
    """What it returns, and the seconds that it took on the loop's clock. What it left running is cancelled."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        result = runner.run(work)
        return result, runner.get_loop().time()
