"""Plans: a chart with the place and the lines of text of every box, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from asl_engine.graph.chart import Chart, Edge, EdgeKind, Node
from asl_engine.graph.layers import Link, Size
from asl_engine.graph.layout import Layout, lay_out
from asl_engine.graph.overlay import Overlay
from asl_engine.graph.palette import status_text
from asl_engine.graph.svg_text import LINE_HEIGHT, NAME_FONT, SMALL_FONT, Font, width_of
from asl_engine.graph.wording import shortened, wrapped
from asl_engine.language.definition import StateType

START: Final = ""  # the dot above the first state; no state can be called so
PADDING: Final = 14.0
HEADER_GAP: Final = 10.0
LANE_GAP: Final = 28.0
_BOX_WIDTH_MIN: Final = 110.0
_MARK_ROOM: Final = 32.0  # for a retry mark, or the corners that a Choice has not
_START_SIZE: Final = Size(14, 14)
_NAME_LENGTH_MAX: Final = 48
_DETAIL_WIDTH: Final = 34
_LABEL_WIDTH: Final = 26
_LINES_MAX: Final = 3
_STRAIGHT: Final = 4  # how much more the way on wants to be straight than a Catch


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a box."""

    text: str
    font: Font


@dataclass(frozen=True, slots=True)
class Box:
    """A state (None for the start) with its size. `lanes` are the plans of its branches, left to right."""

    node: Node | None
    size: Size
    lines: tuple[Line, ...] = ()
    lanes: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A chart laid out. `edges` and `labels` go with the layout's routes; the edge from the start is None."""

    layout: Layout
    boxes: Mapping[str, Box]
    edges: Sequence[Edge | None]
    labels: Sequence[tuple[str, ...]]


def planned(chart: Chart, overlay: Overlay | None, *, is_root: bool = False) -> Plan:
    """Measure and lay out a chart and all that is inside of its boxes. Only the root is given a start."""
    boxes = {START: Box(None, _START_SIZE)} if is_root else {}
    first = [node for node in chart.nodes if node.name == chart.start_at]
    others = [node for node in chart.nodes if node.name != chart.start_at]
    boxes.update((node.name, _box(node, overlay)) for node in first + others)
    edges: list[Edge | None] = [None, *chart.edges] if is_root else [*chart.edges]
    labels = [tuple(wrapped(edge.label, _LABEL_WIDTH, _LINES_MAX)) if edge and edge.label else () for edge in edges]
    links = [_link(edge, label, chart) for edge, label in zip(edges, labels, strict=True)]
    return Plan(lay_out({name: box.size for name, box in boxes.items()}, links), boxes, edges, labels)


def lines_size(lines: Sequence[Line]) -> Size:
    """The room that lines of text take."""
    return Size(max((width_of(line.text, line.font) for line in lines), default=0), len(lines) * LINE_HEIGHT)


def _link(edge: Edge | None, label: Sequence[str], chart: Chart) -> Link:
    if edge is None:
        return Link(START, chart.start_at, weight=_STRAIGHT)
    room = lines_size([Line(text, SMALL_FONT) for text in label])
    size = Size(room.width + PADDING, room.height) if label else None
    return Link(edge.source, edge.target, size, 1 if edge.kind is EdgeKind.CATCH else _STRAIGHT)


def _box(node: Node, overlay: Overlay | None) -> Box:
    lines = _lines(node, overlay)
    text = lines_size(lines)
    lanes = tuple(planned(branch, overlay) for branch in node.branches)
    if not lanes:
        mark = _MARK_ROOM if node.retry or node.type is StateType.CHOICE else 0
        width = max(text.width + 2 * PADDING + mark, _BOX_WIDTH_MIN)
        return Box(node, Size(width, text.height + PADDING), lines)
    inside = Size(
        sum(lane.layout.size.width for lane in lanes) + LANE_GAP * (len(lanes) - 1),
        max(lane.layout.size.height for lane in lanes),
    )
    width = max(inside.width, text.width + 2 * PADDING) + 2 * PADDING
    return Box(node, Size(width, text.height + HEADER_GAP + inside.height + 2 * PADDING), lines, lanes)


def _lines(node: Node, overlay: Overlay | None) -> tuple[Line, ...]:
    detail = f"{node.type} · {node.detail}" if node.detail else node.type
    small = [text.removesuffix(" ·") for text in wrapped(detail, _DETAIL_WIDTH, _LINES_MAX)]
    if overlay is not None:
        small.append(status_text(node.name, overlay))
    name = Line(shortened(node.name, _NAME_LENGTH_MAX), NAME_FONT)
    return name, *(Line(text, SMALL_FONT) for text in small)
