"""What one advance returns."""

from __future__ import annotations

from dataclasses import dataclass

from asl_engine.interpreter.commands import Command
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.history import HistoryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The execution after the events, the history they wrote, and what is to be done once both are durable.

    `before` is what `advance` was given (None for a start). `touched` are the ids of the frames that began, that may
    have changed and that are gone; all others are what they were. `events` are those consumed, ignored ones included.
    """

    before: Execution | None
    execution: Execution
    at: int
    events: tuple[Event, ...]
    touched: tuple[str, ...]
    history: tuple[HistoryEvent, ...]
    commands: tuple[Command, ...]
