"""Progress as lines, for logs: what happened, when since the start of the execution."""

from __future__ import annotations

from typing import Final

import click

from asl_engine.api.open_waits import OpenWait, WaitKind, open_waits
from asl_engine.cli.followed import Followed, Following
from asl_engine.cli.history_table import cause_text, shortened
from asl_engine.cli.moments import duration
from asl_engine.cli.next_steps import NextSteps
from asl_engine.cli.progress import Happening, Kind
from asl_engine.interpreter.outcome import Outcome
from asl_engine.language.definition import StateType

# States that may take time, and so are told when they begin.
_LASTING: Final = frozenset({StateType.TASK, StateType.WAIT, StateType.MAP, StateType.PARALLEL})
_ITERATION_LINES_MAX: Final = 10
_CAUSE_COLUMNS_MAX: Final = 200


class PlainView:
    """Writes lines to standard error."""

    def __init__(self, following: Following, steps: NextSteps) -> None:
        self._following, self._steps = following, steps
        self._callbacks_told: set[tuple[str, str, int]] = set()

    def start(self) -> None:
        """Nothing to prepare."""

    def stop(self) -> None:
        """Lines stay where they are."""

    def observe(self, outcome: Outcome) -> None:
        """Tell what happened, then which task tokens wait for an answer."""
        followed = self._following.executions[outcome.execution.arn]
        started_at = outcome.execution.started_at
        for happening in followed.take(outcome):
            text = _text(happening)
            if text:
                self._tell(followed, happening.at - started_at, text)
        for wait in open_waits(outcome.execution):
            key = (outcome.execution.arn, wait.frame_id, wait.wait_id)
            if wait.kind is WaitKind.CALLBACK and key not in self._callbacks_told:
                self._callbacks_told.add(key)
                self._tell(followed, outcome.at - started_at, _callback_text(wait, self._steps))

    def _tell(self, followed: Followed, since_start: int, text: str) -> None:
        who = f"{followed.name}  " if len(self._following.executions) > 1 else ""
        click.echo(f"{who}{'+' + duration(since_start):>10}  {text}", err=True)


def _text(happening: Happening) -> str:
    row = happening.row
    indented = "  " * row.depth + row.name
    match happening.kind:
        case Kind.ENTERED if row.depth == 0 and row.type in _LASTING:
            return f"> {indented}"
        case Kind.LEFT if row.depth == 0 and happening.error:
            return f"- {indented}  caught {happening.error}"
        case Kind.LEFT if row.depth == 0:
            return f"- {indented}"
        case Kind.FAILED:
            cause = f": {_on_a_line(cause_text(happening.cause))}" if happening.cause else ""
            return f"! {indented}  attempt {happening.attempt} failed: {happening.error}{cause}"
        case Kind.ITERATION if _is_worth_telling(row.iterations_done + row.iterations_failed, row.iterations):
            failed = f", {row.iterations_failed} failed" if row.iterations_failed else ""
            return f"  {indented}  {row.iterations_done}/{row.iterations}{failed}"
    return ""


def _on_a_line(cause: str) -> str:
    """The whole cause is in the history, and at the end."""
    return shortened(" ".join(cause[: 2 * _CAUSE_COLUMNS_MAX].split()), _CAUSE_COLUMNS_MAX)


def _is_worth_telling(ended: int, total: int) -> bool:
    """A long Map is told in tenths."""
    return ended == total or ended % max(1, total // _ITERATION_LINES_MAX) == 0


def _callback_text(wait: OpenWait, steps: NextSteps) -> str:
    text = f"? {wait.state_name}  waits for an answer"
    return f"{text}: {steps.command('approve', str(wait.task_token))}" if steps.is_durable else text
