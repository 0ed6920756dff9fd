"""SVG: a machine as a picture that stands alone, with a legend. It needs no script, font or file from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asl_engine.graph.chart import Edge, EdgeKind, Node, chart_of
from asl_engine.graph.layers import Size
from asl_engine.graph.layout import Point, Route
from asl_engine.graph.overlay import Overlay, StateStatus
from asl_engine.graph.palette import CATCH_STROKE, EDGE_STROKE, PLAIN, STATUS_COLOURS, TYPE_COLOURS, Colours, status_of
from asl_engine.graph.plan import HEADER_GAP, LANE_GAP, PADDING, Box, Line, Plan, lines_size, planned
from asl_engine.graph.svg_marks import arrow_head, end_mark, legend, retry_mark
from asl_engine.graph.svg_text import LINE_HEIGHT, NAME_FONT, SMALL_FONT, number, text_element, title
from asl_engine.graph.wording import wrapped
from asl_engine.language.definition import StateMachine, StateType

_MARGIN: Final = 24.0
_FONTS: Final = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_CORNER: Final = 6.0
_HEADING_WIDTH: Final = 90
_WIDTH_MIN: Final = 420.0
_TEXT_MUTED: Final = "#475569"
_HALO: Final = 'stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'


def to_svg(machine: StateMachine, overlay: Overlay | None = None) -> str:
    """A picture of the machine. With an overlay, its states are coloured by what the execution did."""
    plan = planned(chart_of(machine), overlay, is_root=True)
    heading = tuple(Line(text, NAME_FONT) for text in wrapped(machine.comment or "", _HEADING_WIDTH, 2) if text)
    room = lines_size(heading)
    width = max(plan.layout.size.width, room.width, _WIDTH_MIN) + 2 * _MARGIN
    top = _MARGIN + room.height + (HEADER_GAP if heading else 0)
    marks, marks_height = legend(width - 2 * _MARGIN, overlay)
    legend_top = top + plan.layout.size.height + _MARGIN
    height = legend_top + marks_height + _MARGIN
    origin = Point((width - plan.layout.size.width) / 2, top)
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONTS}">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_text_lines(heading, Point(_MARGIN, _MARGIN), PLAIN.text, "start"),
        *_Painter(overlay).plan(plan, origin),
        f'<g transform="translate({number(_MARGIN)} {number(legend_top)})">{marks}</g>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Painter:
    def __init__(self, overlay: Overlay | None) -> None:
        self._overlay = overlay

    def plan(self, plan: Plan, origin: Point) -> Iterator[str]:
        """Edges first, so that boxes lie above them, then boxes, then the labels of the edges."""
        routes = [
            (edge, None if route is None else _moved(route, origin))
            for edge, route in zip(plan.edges, plan.layout.routes, strict=True)
        ]
        for edge, route in routes:
            if route is not None:
                yield self._edge(edge, route)
        for name, box in plan.boxes.items():
            corner = plan.layout.corners[name]
            yield from self._box(box, Point(origin.x + corner.x, origin.y + corner.y))
        for (edge, route), label in zip(routes, plan.labels, strict=True):
            if edge is not None and route is not None and route.label is not None:
                yield from self._label(edge, label, route.label)
            elif edge is not None and route is None:
                corner = plan.layout.corners[edge.source]
                yield self._loop(edge, plan.boxes[edge.source].size, Point(origin.x + corner.x, origin.y + corner.y))

    def _colours(self, node: Node) -> Colours:
        if self._overlay is not None:
            return STATUS_COLOURS[status_of(node.name, self._overlay)]
        return TYPE_COLOURS.get(node.type, PLAIN)

    def _stroke(self, edge: Edge | None) -> str:
        """The line of an edge; pale where the execution cannot have taken it."""
        if edge is None:
            return f'stroke="{EDGE_STROKE}"'
        colour = CATCH_STROKE if edge.kind is EdgeKind.CATCH else EDGE_STROKE
        if self._overlay is not None and not {edge.source, edge.target} <= self._overlay.keys():
            colour = STATUS_COLOURS[StateStatus.NOT_REACHED].stroke
        return f'stroke="{colour}"' + (' stroke-dasharray="5 4"' if edge.kind is EdgeKind.CATCH else "")

    def _edge(self, edge: Edge | None, route: Route) -> str:
        (first, *others), last = route.points, route.points[-1]
        path = [f"M{number(first.x)} {number(first.y)}"]
        for start, end in zip(route.points, others, strict=False):
            middle = number((start.y + end.y) / 2)
            path.append(
                f"C{number(start.x)} {middle} {number(end.x)} {middle} {number(end.x)} {number(end.y)}"
                if abs(start.x - end.x) > 0.5
                else f"L{number(end.x)} {number(end.y)}"
            )
        stroke = self._stroke(edge)
        curve = f'<path d="{"".join(path)}" fill="none" stroke-width="1.4" {stroke}/>'
        return curve + arrow_head(last, down=last.y > route.points[-2].y, stroke=stroke)

    def _loop(self, edge: Edge, size: Size, corner: Point) -> str:
        """An edge from a state to itself, beside its box."""
        x, y = corner.x + size.width, corner.y + size.height / 2
        path = f"M{number(x)} {number(y + 8)}c22 6 22 -22 0 -16"
        return f'<g>{title(edge.label)}<path d="{path}" fill="none" stroke-width="1.4" {self._stroke(edge)}/></g>'

    def _label(self, edge: Edge, lines: tuple[str, ...], centre: Point) -> Iterator[str]:
        corner = Point(centre.x, centre.y - len(lines) * LINE_HEIGHT / 2)
        texts = _text_lines([Line(text, SMALL_FONT) for text in lines], corner, _TEXT_MUTED, "middle")
        yield f"<g {_HALO}>{title(edge.label)}{''.join(texts)}</g>"

    def _box(self, box: Box, corner: Point) -> Iterator[str]:
        node, size = box.node, box.size
        if node is None:
            yield f'<circle cx="{number(corner.x + 7)}" cy="{number(corner.y + 7)}" r="6" fill="{EDGE_STROKE}"/>'
            return
        colours = self._colours(node)
        yield f"<g>{title(_story(node))}{_outline(node, size, corner, colours)}"
        if box.lanes:
            header = Point(corner.x + PADDING, corner.y + PADDING / 2)
            yield from _text_lines(box.lines, header, colours.text, "start")
            yield from self._lanes(box, corner, colours)
        else:
            middle = Point(corner.x + size.width / 2, corner.y + PADDING / 2)
            yield from _text_lines(box.lines, middle, colours.text, "middle")
        if node.retry:
            yield retry_mark(Point(corner.x + size.width - 13, corner.y + 13), colours.stroke)
        if node.is_end:
            yield end_mark(Point(corner.x + size.width - 20, corner.y + size.height), colours.stroke)
        yield "</g>"

    def _lanes(self, box: Box, corner: Point, colours: Colours) -> Iterator[str]:
        top = corner.y + PADDING + lines_size(box.lines).height + HEADER_GAP
        taken = sum(lane.layout.size.width for lane in box.lanes) + LANE_GAP * (len(box.lanes) - 1)
        left = corner.x + (box.size.width - taken) / 2
        for at, lane in enumerate(box.lanes):
            if at:
                x = number(left - LANE_GAP / 2)
                line = f'x1="{x}" x2="{x}" y1="{number(top)}" y2="{number(corner.y + box.size.height - PADDING)}"'
                yield f'<line {line} stroke="{colours.stroke}" stroke-opacity="0.35"/>'
            yield from self.plan(lane, Point(left, top))
            left += lane.layout.size.width + LANE_GAP


def _moved(route: Route, by: Point) -> Route:
    label = None if route.label is None else Point(route.label.x + by.x, route.label.y + by.y)
    return Route(tuple(Point(point.x + by.x, point.y + by.y) for point in route.points), label)


def _text_lines(lines: list[Line] | tuple[Line, ...], corner: Point, fill: str, anchor: str) -> Iterator[str]:
    for at, line in enumerate(lines):
        yield text_element(
            line.text, corner.x, corner.y + (at + 0.78) * LINE_HEIGHT, line.font, fill=fill, anchor=anchor
        )


def _outline(node: Node, size: Size, corner: Point, colours: Colours) -> str:
    """The box itself: six-sided for a Choice, round for what ends a machine, a rectangle for the rest."""
    style = f'fill="{colours.fill}" stroke="{colours.stroke}" stroke-width="1.6"'
    left, top, right, bottom = corner.x, corner.y, corner.x + size.width, corner.y + size.height
    if node.type is StateType.CHOICE:
        inset, middle = 12, (top + bottom) / 2
        places = [(left, middle), (left + inset, top), (right - inset, top), (right, middle)]
        places += [(right - inset, bottom), (left + inset, bottom)]
        return f'<polygon points="{" ".join(f"{number(x)},{number(y)}" for x, y in places)}" {style}/>'
    radius = size.height / 2 if node.type in (StateType.SUCCEED, StateType.FAIL) else _CORNER
    if node.branches:
        style += ' fill-opacity="0.45"'
    placed = f'x="{number(left)}" y="{number(top)}" width="{number(size.width)}" height="{number(size.height)}"'
    return f'<rect {placed} rx="{number(radius)}" {style}/>'


def _story(node: Node) -> str:
    retries = f"Retry:\n{node.retry}" if node.retry else ""
    return "\n".join(part for part in (node.name, node.comment, retries) if part)
