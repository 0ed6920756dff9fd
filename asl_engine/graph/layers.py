"""Layers: which box stands above which, and in what order from left to right.

The first half of a layered drawing (K. Sugiyama, S. Tagawa, M. Toda, 1981). Links that lead back are turned round for
as long as the drawing lasts; every link is cut into pieces that reach from one layer to the next, with a *bend* in each
layer that it passes; a label is a bend with a size. Then each layer is sorted so that few pieces cross.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

_SWEEPS: Final = 12
_STRAIGHTNESS: Final = (1, 2, 8)  # of a piece, by how many of its ends are bends


class Size(NamedTuple):
    """Width and height in pixels."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be drawn, from box to box. `weight` is how much it wants to be straight."""

    source: str
    target: str
    label: Size | None = None
    weight: int = 1


@dataclass(slots=True, eq=False)
class Vertex:
    """A box, or a bend of a link. `above` and `below` are its neighbours one layer up and down.

    `pulls` are the same, each with how much the two want to stand one above the other. `x` is that of the centre.
    """

    size: Size
    layer: int
    is_bend: bool = False
    order: int = 0
    x: float = 0
    above: list[Vertex] = field(default_factory=list)
    below: list[Vertex] = field(default_factory=list)
    pulls: list[tuple[Vertex, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chain:
    """A link cut into pieces: box, bends, box, downwards. `label_at` is the bend that carries the label."""

    link: int
    vertices: tuple[Vertex, ...]
    is_reversed: bool
    label_at: int | None


@dataclass(frozen=True, slots=True)
class Layering:
    """All vertices in layers, each layer in order."""

    boxes: Mapping[str, Vertex]
    layers: Sequence[list[Vertex]]
    chains: Sequence[Chain]


def layered(sizes: Mapping[str, Size], links: Sequence[Link]) -> Layering:
    """Put boxes and links in layers, the first box on top; links from a box to itself are left out."""
    visited, back = _depth_first(sizes, links)
    ranks = _ranks(visited, links, back)
    boxes = {name: Vertex(sizes[name], ranks[name]) for name in visited}
    layers: list[list[Vertex]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for vertex in boxes.values():
        layers[vertex.layer].append(vertex)
    chains = [
        _chain(at, link, boxes, layers, is_reversed=at in back)
        for at, link in enumerate(links)
        if link.source != link.target
    ]
    _sort(layers)
    return Layering(boxes, layers, chains)


def _depth_first(sizes: Mapping[str, Size], links: Sequence[Link]) -> tuple[list[str], set[int]]:
    """All boxes in the order of a depth-first visit, and the links that lead back to a box still being visited."""
    leaving: dict[str, list[int]] = {name: [] for name in sizes}
    for at, link in enumerate(links):
        leaving[link.source].append(at)
    visited: dict[str, None] = {}
    active: set[str] = set()
    back: set[int] = set()
    for root in sizes:
        stack: list[tuple[str, list[int]]] = []
        upcoming: str | None = None if root in visited else root
        while upcoming is not None or stack:
            if upcoming is not None:
                visited[upcoming] = None
                active.add(upcoming)
                stack.append((upcoming, list(reversed(leaving[upcoming]))))
                upcoming = None
            name, remaining = stack[-1]
            if not remaining:
                active.discard(name)
                stack.pop()
                continue
            at = remaining.pop()
            if links[at].target in active:
                back.add(at)
            elif links[at].target not in visited:
                upcoming = links[at].target
    return list(visited), back


def _ranks(visited: Sequence[str], links: Sequence[Link], back: set[int]) -> dict[str, int]:
    """The layer of each box: below all that lead to it, with a layer between for a label."""
    entering: dict[str, list[tuple[str, int]]] = {name: [] for name in visited}
    leaving: dict[str, list[str]] = {name: [] for name in visited}
    for at, link in enumerate(links):
        if link.source == link.target:
            continue
        upper, lower = (link.target, link.source) if at in back else (link.source, link.target)
        entering[lower].append((upper, 1 if link.label is None else 2))
        leaving[upper].append(lower)
    waiting = {name: len(entering[name]) for name in visited}
    ready = [name for name in visited if not waiting[name]]
    ranks: dict[str, int] = {}
    for name in ready:  # grows while it is read
        ranks[name] = max((ranks[upper] + length for upper, length in entering[name]), default=0)
        for lower in leaving[name]:
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    return ranks


def _chain(
    at: int, link: Link, boxes: Mapping[str, Vertex], layers: Sequence[list[Vertex]], *, is_reversed: bool
) -> Chain:
    ends = boxes[link.source], boxes[link.target]
    upper, lower = reversed(ends) if is_reversed else ends
    vertices = [upper]
    label_at = None if link.label is None else (lower.layer - upper.layer - 1 if is_reversed else 1)
    for layer in range(upper.layer + 1, lower.layer):
        size = link.label if link.label is not None and len(vertices) == label_at else Size(10, 0)
        bend = Vertex(size, layer, is_bend=True)
        layers[layer].append(bend)
        vertices.append(bend)
    vertices.append(lower)
    for above, below in pairwise(vertices):
        strength = link.weight * _STRAIGHTNESS[above.is_bend + below.is_bend]
        above.below.append(below)
        above.pulls.append((below, strength))
        below.above.append(above)
        below.pulls.append((above, strength))
    return Chain(at, tuple(vertices), is_reversed, label_at)


def _sort(layers: Sequence[list[Vertex]]) -> None:
    """Sort every layer by where its neighbours stand, to and fro, and keep the order with the fewest crossings."""
    _number(layers)
    best = _crossings(layers), [list(layer) for layer in layers]
    for sweep in range(_SWEEPS):
        for layer in layers[1:] if sweep % 2 == 0 else reversed(layers[:-1]):
            layer.sort(key=lambda vertex: _barycentre(vertex, vertex.above if sweep % 2 == 0 else vertex.below))
            _number([layer])
        crossings = _crossings(layers)
        if crossings < best[0]:
            best = crossings, [list(layer) for layer in layers]
    for layer, order in zip(layers, best[1], strict=True):
        layer[:] = order
    _number(layers)


def _number(layers: Sequence[list[Vertex]]) -> None:
    for layer in layers:
        for order, vertex in enumerate(layer):
            vertex.order = order


def _barycentre(vertex: Vertex, neighbours: Sequence[Vertex]) -> float:
    if not neighbours:
        return vertex.order
    return sum(each.order for each in neighbours) / len(neighbours)


def _crossings(layers: Sequence[list[Vertex]]) -> int:
    count = 0
    for layer in layers:
        met: list[int] = []
        for vertex in layer:
            targets = sorted(below.order for below in vertex.below)
            count += sum(len(met) - bisect_right(met, target) for target in targets)
            for target in targets:
                insort(met, target)
    return count
