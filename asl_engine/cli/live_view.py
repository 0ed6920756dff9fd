"""Progress on a terminal: a table of states that redraws itself while executions run.

It is drawn by the event loop, between two steps of the engine, so it never sees a step half taken.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from asl_engine.api.open_waits import OpenWait, WaitKind, open_waits
from asl_engine.cli.followed import Followed, Following
from asl_engine.cli.moments import duration
from asl_engine.cli.next_steps import NextSteps
from asl_engine.cli.progress import Row
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.outcome import Outcome
from asl_engine.language.definition import StateType
from asl_engine.runtime.clock import Clock, VirtualClock

_SECONDS_BETWEEN_FRAMES: Final = 0.1
_LINES_AROUND: Final = 6


class LiveView:
    """Redraws on standard error."""

    def __init__(self, following: Following, clock: Clock, steps: NextSteps) -> None:
        self._following, self._clock, self._steps = following, clock, steps
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False)
        self._spinner = Spinner("dots", style="blue")
        self._drawing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to redraw, as the running event loop finds time."""
        self._live.start()
        self._drawing = asyncio.get_running_loop().create_task(self._draw_on())

    def stop(self) -> None:
        """Leave the last frame standing."""
        if self._drawing is not None:
            self._drawing.cancel()
        self._draw()
        self._live.stop()
        self._console.print()

    def observe(self, outcome: Outcome) -> None:
        """Take it in; the next frame shows it."""
        self._following.executions[outcome.execution.arn].take(outcome)

    async def _draw_on(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(_SECONDS_BETWEEN_FRAMES)

    def _draw(self) -> None:
        followed = [one for one in self._following.executions.values() if one.execution is not None]
        room = max(4, self._console.height // max(1, len(followed)) - _LINES_AROUND)
        self._live.update(Group(*(self._block(one, room) for one in followed)), refresh=True)

    def _block(self, followed: Followed, room: int) -> RenderableType:
        """One execution: a headline, and its states as far as there is room."""
        execution = followed.execution
        assert execution is not None
        now = execution.stopped_at or self._clock.now()
        modelled = " modelled" if isinstance(self._clock, VirtualClock) else ""
        headline = Text.assemble(
            (followed.name, "bold"), f"  {execution.status.value}  {duration(now - execution.started_at)}{modelled}"
        )
        waits: dict[str, list[OpenWait]] = defaultdict(list)
        for wait in open_waits(execution):
            waits[wait.state_name].append(wait)
        rows = list(followed.progress.rows.values())
        hidden = max(0, len(rows) - room)
        table = Table.grid(padding=(0, 1))
        for row in rows[hidden:]:
            table.add_row(*self._cells(row, waits[row.name], now, execution.status))
        above = [Text(f"  … {hidden} states before", style="dim")] if hidden else []
        callbacks = [wait for group in waits.values() for wait in group if wait.kind is WaitKind.CALLBACK]
        return Group(headline, *above, table, *self._callback_lines(followed, callbacks))

    def _cells(self, row: Row, waits: list[OpenWait], now: int, status: ExecutionStatus) -> Iterable[RenderableType]:
        until = now if row.is_open else row.until
        yield self._mark(row, status)
        yield Text("  " * row.depth + row.name, overflow="ellipsis", no_wrap=True)
        yield Text(_count(row), style="cyan")
        yield Text(duration(until - row.since), style="dim", justify="right")
        yield Text(_remark(row, waits, now), style="yellow", overflow="ellipsis", no_wrap=True)

    def _mark(self, row: Row, status: ExecutionStatus) -> RenderableType:
        if not row.is_open:
            return Text("✓", style="green")
        if status is ExecutionStatus.RUNNING:
            return self._spinner
        failed = row.error is not None or row.type is StateType.FAIL or row.depth == 0
        if failed and status is ExecutionStatus.FAILED:
            return Text("✗", style="red")
        return Text("■", style="yellow")

    def _callback_lines(self, followed: Followed, callbacks: list[OpenWait]) -> Iterable[RenderableType]:
        if callbacks and self._steps.is_durable and not isinstance(self._clock, VirtualClock):
            whom = followed.whom if len(callbacks) == 1 else str(callbacks[0].task_token)
            yield Text(f"  Answer: {self._steps.command('approve', whom)}", style="yellow")


def _count(row: Row) -> str:
    if row.type is StateType.MAP and row.iterations:
        return f"{row.iterations_done}/{row.iterations}"
    if row.entered > 1:
        return f"{row.left}/{row.entered}" if row.depth else f"x{row.entered}"
    return ""


def _remark(row: Row, waits: list[OpenWait], now: int) -> str:
    """What is to be said of a state besides its name: failures, attempts, what it waits for."""
    parts = []
    if row.iterations_failed:
        parts.append(f"{row.iterations_failed} failed")
    attempt = max((wait.attempt for wait in waits), default=row.attempts)
    if attempt > 1:
        parts.append(f"attempt {attempt}" if row.is_open else f"{row.attempts} attempts")
    if row.error:
        parts.append(row.error if row.is_open else f"caught {row.error}")
    retry_at = min((wait.until for wait in waits if wait.kind is WaitKind.RETRY and wait.until), default=None)
    if retry_at is not None:
        parts.append(f"again in {duration(max(0, retry_at - now))}")
    if any(wait.kind is WaitKind.CALLBACK for wait in waits):
        parts.append("waits for an answer")
    timer_at = min((wait.until for wait in waits if wait.kind is WaitKind.TIMER and wait.until), default=None)
    if timer_at is not None:
        parts.append(f"{duration(max(0, timer_at - now))} to go")
    return ", ".join(parts)
