"""How an evaluation may use its thread, which a host says around an advance; without a word it has its bound.

An evaluation keeps all other Python threads waiting unless it is told to let them run, which costs a little. So a host
that serves many first asks for a quick one, within what is left of a short time, and begins again aside, on a thread
of its own, whatever did not end in it. Both give the same value: only how long it may take, and who waits, differ.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Quick:
    """Raises EvaluationNotQuick when `seconds_left` are used up."""

    seconds_left: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Aside:
    """Other threads run meanwhile."""


Pace: TypeAlias = Quick | Aside

PACE: Final[ContextVar[Pace | None]] = ContextVar("pace", default=None)
