"""The colours of a drawing, and the words for what an execution did."""

from __future__ import annotations

from typing import Final, NamedTuple

from asl_engine.graph.overlay import Overlay, StateStatus
from asl_engine.language.definition import StateType


class Colours(NamedTuple):
    """How a box is painted."""

    fill: str
    stroke: str
    text: str


PLAIN: Final = Colours("#ffffff", "#64748b", "#0f172a")
STATUS_COLOURS: Final = {
    StateStatus.SUCCEEDED: Colours("#e7f6ec", "#2f8f4e", "#0f172a"),
    StateStatus.CAUGHT: Colours("#fdf0dd", "#c2740c", "#0f172a"),
    StateStatus.FAILED: Colours("#fde8e8", "#cc2f2f", "#0f172a"),
    StateStatus.ABORTED: Colours("#eceff3", "#64748b", "#0f172a"),
    StateStatus.RUNNING: Colours("#e3effd", "#2468c8", "#0f172a"),
    StateStatus.NOT_REACHED: Colours("#ffffff", "#cbd5e1", "#94a3b8"),
}
TYPE_COLOURS: Final = {
    StateType.SUCCEED: Colours(PLAIN.fill, "#2f8f4e", PLAIN.text),
    StateType.FAIL: Colours(PLAIN.fill, "#cc2f2f", PLAIN.text),
    StateType.PARALLEL: Colours("#f1f5f9", PLAIN.stroke, PLAIN.text),
    StateType.MAP: Colours("#f1f5f9", PLAIN.stroke, PLAIN.text),
}
CATCH_STROKE: Final = "#c2740c"
EDGE_STROKE: Final = "#64748b"


def status_of(state: str, overlay: Overlay) -> StateStatus:
    """A state's status; a state that the overlay does not know was not reached."""
    return overlay[state].status if state in overlay else StateStatus.NOT_REACHED


def status_text(state: str, overlay: Overlay) -> str:
    """`succeeded`, `caught, 3 visits, 5 attempts`: counts where they say more than one."""
    tally = overlay.get(state)
    if tally is None:
        return StateStatus.NOT_REACHED
    parts: list[str] = [tally.status]
    if tally.visits > 1:
        parts.append(f"{tally.visits} visits")
    if tally.attempts > tally.visits:
        parts.append(f"{tally.attempts} attempts")
    return ", ".join(parts)
