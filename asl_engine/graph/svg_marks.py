"""The marks of a picture, and the legend that explains them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asl_engine.graph.layout import Point
from asl_engine.graph.overlay import Overlay, StateStatus
from asl_engine.graph.palette import CATCH_STROKE, EDGE_STROKE, STATUS_COLOURS
from asl_engine.graph.svg_text import SMALL_FONT, number, text_element, width_of

_TEXT: Final = "#475569"
_MARK_WIDTH: Final = 30.0
_GAP: Final = 18.0
_ROW_HEIGHT: Final = 20.0


def arrow_head(tip: Point, *, down: bool, stroke: str) -> str:
    """The head of an edge that arrives from above, or from below. `stroke` is the edge's own, without its dashes."""
    colour = stroke.partition(" ")[0].replace("stroke", "fill")
    back = number(tip.y + (-7 if down else 7))
    points = f"{number(tip.x)},{number(tip.y)} {number(tip.x - 4)},{back} {number(tip.x + 4)},{back}"
    return f'<polygon points="{points}" {colour}/>'


def retry_mark(centre: Point, colour: str) -> str:
    """An arrow that turns back on itself."""
    x, y = number(centre.x), number(centre.y)
    turn = f'<path d="M4.3 -2.5A5 5 0 1 0 5 0.8" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    return f'<g transform="translate({x} {y})">{turn}<polygon points="5.6,-5.6 5.4,-0.9 1.6,-3" fill="{colour}"/></g>'


def end_mark(centre: Point, colour: str) -> str:
    """A dot in a ring, on the lower edge of a state that ends its branch."""
    place = f'cx="{number(centre.x)}" cy="{number(centre.y)}"'
    ring = f'<circle {place} r="5.5" fill="#ffffff" stroke="{colour}" stroke-width="1.5"/>'
    return f'{ring}<circle {place} r="2.8" fill="{colour}"/>'


def legend(width: float, overlay: Overlay | None) -> tuple[str, float]:
    """What the marks mean, in rows of at most this width, and the height of all rows."""
    x, y = 0.0, 0.0
    parts: list[str] = []
    for mark, text in _entries(overlay):
        taken = _MARK_WIDTH + width_of(text, SMALL_FONT)
        if x and x + taken > width:
            x, y = 0.0, y + _ROW_HEIGHT
        words = text_element(text, _MARK_WIDTH, 4, SMALL_FONT, fill=_TEXT, anchor="start")
        parts.append(f'<g transform="translate({number(x)} {number(y + _ROW_HEIGHT / 2)})">{mark}{words}</g>')
        x += taken + _GAP
    return "".join(parts), y + _ROW_HEIGHT


def _entries(overlay: Overlay | None) -> Iterator[tuple[str, str]]:
    yield _line(EDGE_STROKE, ""), "next"
    yield _line(CATCH_STROKE, ' stroke-dasharray="5 4"'), "on error (Catch)"
    yield retry_mark(Point(15, 0), EDGE_STROKE), "retries errors"
    yield end_mark(Point(15, 0), EDGE_STROKE), "ends its branch"
    if overlay is not None:
        for status in StateStatus:
            colours = STATUS_COLOURS[status]
            style = f'fill="{colours.fill}" stroke="{colours.stroke}" stroke-width="1.6"'
            yield f'<rect x="5" y="-6" width="20" height="12" rx="3" {style}/>', status


def _line(colour: str, dashes: str) -> str:
    return f'<path d="M2 0H26" stroke="{colour}" stroke-width="1.4"{dashes}/>'
