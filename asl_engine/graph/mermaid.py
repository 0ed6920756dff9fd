"""Mermaid: a machine as the text of a flowchart, which GitHub and many editors draw.

https://mermaid.js.org/syntax/flowchart.html. A Parallel or Map is a subgraph. The language has no marks on boxes, so
that a state retries, and what an execution did, stand in the box as words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from asl_engine.graph.chart import Chart, Edge, EdgeKind, Node, chart_of
from asl_engine.graph.overlay import Overlay, StateStatus
from asl_engine.graph.palette import CATCH_STROKE, STATUS_COLOURS, TYPE_COLOURS, status_of, status_text
from asl_engine.graph.wording import wrapped
from asl_engine.language.definition import StateMachine, StateType

_LABEL_WIDTH: Final = 24  # Mermaid breaks lines itself at 200 pixels
_LABEL_LINES: Final = 4
_BRANCH_STROKE: Final = "#cbd5e1"
_SHAPES: Final = {
    StateType.CHOICE: ("{", "}"),
    StateType.WAIT: ("([", "])"),
    StateType.PASS: ("(", ")"),
    StateType.SUCCEED: ("([", "])"),
    StateType.FAIL: ("{{", "}}"),
}
_CLASSES: Final = {status: status.name.lower() for status in StateStatus}


def to_mermaid(machine: StateMachine, overlay: Overlay | None = None) -> str:
    """A flowchart of the machine. With an overlay, its states are coloured by what the execution did."""
    return "\n".join(_Drawing(chart_of(machine), overlay).lines()) + "\n"


class _Drawing:
    def __init__(self, chart: Chart, overlay: Overlay | None) -> None:
        self._chart, self._overlay = chart, overlay
        self._ids: dict[str, str] = {}
        self._number(chart)

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        yield "flowchart TD"
        yield "  start(( ))"
        yield from self._nodes(self._chart, "  ")
        edges = list(_all_edges(self._chart))
        yield f"  start --> {self._ids[self._chart.start_at]}"
        for edge in edges:
            yield self._edge(edge)
        catches = [str(at) for at, edge in enumerate(edges, start=1) if edge.kind is EdgeKind.CATCH]
        if catches:
            yield f"  linkStyle {','.join(catches)} stroke:{CATCH_STROKE}"
        if self._overlay is not None:
            yield from self._classes(self._overlay)

    def _number(self, chart: Chart) -> None:
        for node in chart.nodes:
            self._ids[node.name] = f"s{len(self._ids)}"
            for branch in node.branches:
                self._number(branch)

    def _nodes(self, chart: Chart, indent: str) -> Iterator[str]:
        for node in chart.nodes:
            if not node.branches:
                opening, closing = _SHAPES.get(node.type, ("[", "]"))
                yield f"{indent}{self._ids[node.name]}{opening}{self._label(node)}{closing}"
                continue
            yield f"{indent}subgraph {self._ids[node.name]}[{self._title(node)}]"
            yield f"{indent}  direction TB"
            for at, branch in enumerate(node.branches):
                yield from self._branch(node, at, branch, f"{indent}  ")
            yield f"{indent}end"
            if self._overlay is None:
                colours = TYPE_COLOURS[node.type]
                yield f"{indent}style {self._ids[node.name]} fill:{colours.fill},stroke:{colours.stroke}"

    def _branch(self, node: Node, at: int, branch: Chart, indent: str) -> Iterator[str]:
        if len(node.branches) == 1:
            yield from self._nodes(branch, indent)
            return
        branch_id = f"{self._ids[node.name]}b{at}"
        yield f'{indent}subgraph {branch_id}["branch {at + 1}"]'
        yield from self._nodes(branch, f"{indent}  ")
        yield f"{indent}end"
        yield f"{indent}style {branch_id} fill:none,stroke:{_BRANCH_STROKE}"

    def _title(self, node: Node) -> str:
        """One line: Mermaid leaves no room for more above what is in a subgraph."""
        status = "" if self._overlay is None else f", <i>{escaped(status_text(node.name, self._overlay))}</i>"
        return f'"<b>{escaped(node.name)}</b>, {node.type}{status}"'

    def _label(self, node: Node) -> str:
        lines = [f"<b>{escaped(node.name)}</b>"]
        lines += [escaped(line) for line in wrapped(f"{node.type} {node.detail}", _LABEL_WIDTH, _LABEL_LINES)]
        if node.retry:
            lines.append(escaped("↻ retries"))
        if self._overlay is not None:
            lines.append(f"<i>{escaped(status_text(node.name, self._overlay))}</i>")
        return f'"{"<br/>".join(lines)}"'

    def _edge(self, edge: Edge) -> str:
        arrow = "-.->" if edge.kind is EdgeKind.CATCH else "-->"
        lines = [escaped(line) for line in wrapped(edge.label, _LABEL_WIDTH, _LABEL_LINES)] if edge.label else []
        label = f'|"{"<br/>".join(lines)}"|' if lines else ""
        return f"  {self._ids[edge.source]} {arrow}{label} {self._ids[edge.target]}"

    def _classes(self, overlay: Overlay) -> Iterator[str]:
        by_status: dict[StateStatus, list[str]] = {}
        for name, node_id in self._ids.items():
            by_status.setdefault(status_of(name, overlay), []).append(node_id)
        for status, ids in by_status.items():
            colours = STATUS_COLOURS[status]
            yield f"  classDef {_CLASSES[status]} fill:{colours.fill},stroke:{colours.stroke},color:{colours.text}"
            yield f"  class {','.join(ids)} {_CLASSES[status]}"


def escaped(text: str) -> str:
    """Text for a quoted label: nothing in it means anything to Mermaid or, later, to the browser."""
    return "".join(_ENTITIES.get(character, character) if character.isprintable() else " " for character in text)


def _all_edges(chart: Chart) -> Iterator[Edge]:
    yield from chart.edges
    for node in chart.nodes:
        for branch in node.branches:
            yield from _all_edges(branch)


_ENTITIES: Final[Mapping[str, str]] = {character: f"#{ord(character)};" for character in '"#&<>`;\\*_[](){}|~'}
