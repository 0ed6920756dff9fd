"""Histories of two runs, made comparable: what is chance is masked or put in order, and everything else must agree."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

# Ids, moments, places, and what HTTP says around an answer.
_MASKED: Final = frozenset(
    {
        "SdkHttpMetadata",
        "SdkResponseMetadata",
        "at",
        "deadline",
        "decidedAt",
        "region",
        "roleArn",
        "stateMachineAliasArn",
        "stateMachineVersionArn",
        "taskToken",
        "task_token",
    }
)
# A task may be answered before it is known to have been submitted.
_CHANCE: Final = frozenset({"TaskSubmitted"})


def comparable(events: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Types and details of all events: those outside of a Map first, then one iteration after the other."""
    iterations = _iterations(events)
    kept = [event for event in events if event["type"] not in _CHANCE]
    ordered = sorted(kept, key=lambda event: iterations[event["id"]])
    return [[event["type"], _masked(_details(event))] for event in ordered]


def _iterations(events: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """The iteration that each event belongs to, by its id: that of the event before it, and -1 outside of a Map."""
    found = {0: -1}
    for event in events:
        if event["type"].startswith("MapIteration"):
            found[event["id"]] = _details(event)["index"]
        elif event["type"] in {"MapStateSucceeded", "MapStateExited"}:
            found[event["id"]] = -1
        else:
            found[event["id"]] = found[event["previousEventId"]]
    return found


def _details(event: Mapping[str, Any]) -> Any:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), None)


def _masked(value: Any) -> Any:
    """The same without what is chance, also inside texts that are JSON."""
    match value:
        case dict():
            return {name: "…" if name in _MASKED else _masked(inner) for name, inner in value.items()}
        case list():
            return [_masked(each) for each in value]
        case str() if value.startswith(("{", "[")):
            return _masked(json.loads(value))
        case _:
            return value
