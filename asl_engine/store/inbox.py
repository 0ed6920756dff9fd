"""What an inbox does not take: of two answers to one attempt, the second, so that whoever sent it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from asl_engine.errors import Conflict
from asl_engine.interpreter.events import Event, TaskFailed, TaskSucceeded

ANSWERED: Final = "an answer to this attempt is on its way"


def refuse_second_answer(event: Event, waiting: Iterable[Event]) -> None:
    """Raises Conflict when one of the events that wait answers the attempt that this event answers."""
    attempt = answered_attempt(event)
    if attempt is not None and any(answered_attempt(other) == attempt for other in waiting):
        raise Conflict(ANSWERED)


def answered_attempt(event: Event) -> tuple[str, int] | None:
    """The frame and the wait of the attempt that an event ends."""
    return (event.frame_id, event.wait_id) if isinstance(event, TaskSucceeded | TaskFailed) else None
