"""History events: the record that users see, as GetExecutionHistory returns it.

While an execution runs, a history event keeps its payloads as values: making their JSON text is left to whoever shows
or stores them, so a payload that passes through ten states costs nothing ten times.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

from typing import NamedTuple

from asl_engine.json_value import JsonObject, JsonValue, dump_json


class HistoryEvent(NamedTuple):
    """One history event. `timestamp` is epoch milliseconds; `details` holds payloads as values (see `render`)."""

    id: int
    previous_event_id: int
    type: str
    timestamp: int
    details: JsonObject | None


# Members of the details that the API returns as JSON text, and whether a "…Details": {"truncated": false} follows.
_TEXT_MEMBERS = {"input": True, "output": True, "parameters": False}
# Types whose details member is not named after them.
_SHARED_DETAILS = {"StateEntered": "stateEnteredEventDetails", "StateExited": "stateExitedEventDetails"}


def render(event: HistoryEvent) -> JsonObject:
    """The event as GetExecutionHistory spells it, its timestamp in seconds since the epoch."""
    shown: JsonObject = {
        "timestamp": event.timestamp / 1000,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous_event_id,
    }
    if event.details is not None:
        shown[details_member(event.type)] = _render_details(event.details)
    return shown


def details_member(event_type: str) -> str:
    """The name of the member that holds an event's details: `lambdaFunctionFailedEventDetails`."""
    for suffix, member in _SHARED_DETAILS.items():
        if event_type.endswith(suffix):
            return member
    return event_type[0].lower() + event_type[1:] + "EventDetails"


def _render_details(details: JsonObject) -> JsonObject:
    shown: JsonObject = {}
    for name, value in details.items():
        if name in _TEXT_MEMBERS:
            shown[name] = dump_json(value)
            if _TEXT_MEMBERS[name]:
                shown[f"{name}Details"] = {"truncated": False}
        elif name == "assignedVariables":
            assigned: dict[str, JsonValue] = value if isinstance(value, dict) else {}
            shown[name] = {variable: dump_json(held) for variable, held in assigned.items()}
            shown["assignedVariablesDetails"] = {"truncated": False}
        else:
            shown[name] = value
    return shown
