"""What a person sees while executions run: a live table on a terminal, plain lines elsewhere, nothing for machines.

A view is told of each durable outcome.
"""

from __future__ import annotations

import sys
from typing import Protocol

from asl_engine.cli.followed import Following
from asl_engine.cli.next_steps import NextSteps
from asl_engine.interpreter.outcome import Outcome
from asl_engine.runtime.clock import Clock


class View(Protocol):
    """Shows executions while they run. `start` and `stop` are called inside the event loop."""

    def start(self) -> None:
        """Begin to show."""

    def stop(self) -> None:
        """Show how things stand, and be done."""

    def observe(self, outcome: Outcome) -> None:
        """An outcome has become durable."""


class NoView:
    """For machines."""

    def __init__(self, following: Following) -> None:
        self._following = following

    def start(self) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Show nothing."""

    def observe(self, outcome: Outcome) -> None:
        """Show nothing, but keep the newest value."""
        self._following.executions[outcome.execution.arn].execution = outcome.execution


def view_for(following: Following, clock: Clock, steps: NextSteps, *, as_json: bool) -> View:
    """The view that fits whoever reads standard error."""
    if as_json:
        return NoView(following)
    if sys.stderr.isatty():
        from asl_engine.cli.live_view import LiveView

        return LiveView(following, clock, steps)
    from asl_engine.cli.plain_view import PlainView

    return PlainView(following, steps)
