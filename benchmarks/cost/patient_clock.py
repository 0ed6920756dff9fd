"""A virtual clock for hosts that are called from outside."""

from __future__ import annotations

import asyncio
from typing import Final

from asl_engine.runtime.clock import VirtualClock

_ROUNDS: Final = 16


class PatientClock(VirtualClock):
    """Lets some rounds of the event loop pass before time jumps.

    When the host's last work ends, whoever called the host still has to hear of it: a task, and what it awaits.
    """

    def _look_soon(self) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().call_soon(self._look_later, _ROUNDS)

    def _look_later(self, rounds: int) -> None:
        if rounds == 0:
            self._look_now()
        else:
            self._look = asyncio.get_running_loop().call_soon(self._look_later, rounds - 1)
