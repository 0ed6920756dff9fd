"""A history as a table: when since the start, what, in which state, and the gist of its details."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import click

from asl_engine.cli.moments import duration
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.json_value import JsonObject, dump_json
from asl_engine.store.protocol import ExecutionStore

_COLUMNS_WITHOUT_TERMINAL: Final = 160
_STATE_COLUMNS_MAX: Final = 24
# Events of a Parallel or Map that do not name it. They follow the last event of a child, or one of `_NAMING`.
_NAMELESS: Final = frozenset(
    f"{kind}State{what}" for kind in ("Parallel", "Map") for what in ("Started", "Succeeded", "Failed", "Aborted")
)
# Events of a Parallel or Map whose state is known. A child's first event follows one.
_NAMING: Final = frozenset(
    {
        "ParallelStateEntered",
        "ParallelStateStarted",
        "MapStateEntered",
        "MapStateStarted",
        "MapIterationStarted",
        "MapIterationSucceeded",
        "MapIterationFailed",
    }
)
# Members that say what happened, the most telling first.
_TELLING: Final = ("error", "cause", "output", "input", "parameters", "length", "index", "workerName")


async def tell_history(store: ExecutionStore, execution_arn: str, *, reverse: bool = False) -> None:
    """Print the history events of an execution, a line each. Raises ExecutionDoesNotExist."""
    started_at = (await store.load(execution_arn)).started_at
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _COLUMNS_WITHOUT_TERMINAL
    click.secho(f"{'ID':>5} {'AFTER':>10}  {'TYPE':<24} {'STATE':<{_STATE_COLUMNS_MAX}} DETAIL", bold=True)
    named = _with_states(store.history(execution_arn))
    if reverse:
        for event, state in reversed([each async for each in named]):
            _tell(event, state, started_at, columns)
    else:
        async for event, state in named:
            _tell(event, state, started_at, columns)


class _Place(NamedTuple):
    """Where an event happened: in which state, and inside of which Parallel and Map states, the innermost last."""

    event_type: str
    state: str
    around: tuple[str, ...]


_OUTSIDE: Final = _Place("", "", ())


async def _with_states(events: AsyncIterator[HistoryEvent]) -> AsyncIterator[tuple[HistoryEvent, str]]:
    """Each event with the name of its state, which most events only tell by what they follow."""
    places: dict[int, _Place] = {}
    async for event in events:
        followed = places.get(event.previous_event_id, _OUTSIDE)
        place = places[event.id] = _OUTSIDE if event.type.startswith("Execution") else _place(event, followed)
        yield event, place.state


def _place(event: HistoryEvent, followed: _Place) -> _Place:
    around = followed.around
    if event.type.endswith("StateEntered") and followed.event_type in _NAMING:
        around = (*around, followed.state)
    name = (event.details or {}).get("name") or followed.state
    if event.type in _NAMELESS and around and followed.event_type not in _NAMING:
        name = around[-1]
    if around[-1:] == (name,):
        around = around[:-1]
    return _Place(event.type, str(name), around)


def _tell(event: HistoryEvent, state: str, started_at: int, columns: int) -> None:
    after = duration(event.timestamp - started_at)
    head = f"{event.id:>5} {after:>10}  {event.type:<24} {shortened(state, _STATE_COLUMNS_MAX):<{_STATE_COLUMNS_MAX}} "
    line = head + shortened(gist(event.details or {}), max(20, columns - len(head)))
    click.secho(line.rstrip(), fg=_colour(event.type))


def gist(details: JsonObject) -> str:
    """The most telling members of an event's details, on one line."""
    shown = []
    for name in _TELLING:
        value = details.get(name)
        if value is not None and not (name == "input" and "output" in details):
            text = value if isinstance(value, str) else dump_json(value)
            shown.append(cause_text(text) if name == "cause" else text)
    return "  ".join(" ".join(text.split()) for text in shown)


def cause_text(cause: str) -> str:
    """A cause to read: the message alone of one that Lambda wrote."""
    try:
        written = json.loads(cause)
    except ValueError:
        return cause
    message = written.get("errorMessage") if isinstance(written, dict) else None
    return message if isinstance(message, str) else cause


def shortened(text: str, columns: int) -> str:
    """The text, cut where the columns end."""
    return text if len(text) <= columns else text[: columns - 1] + "…"


def _colour(event_type: str) -> str | None:
    if event_type.endswith(("Failed", "TimedOut")):
        return "red"
    if event_type.endswith("Aborted"):
        return "yellow"
    return "green" if event_type == "ExecutionSucceeded" else None
