"""Layout: where each box, bend and label stands, in pixels.

The second half of a layered drawing. Every vertex wants to stand where its neighbours do; those of one layer keep their
order and their distance. Both are met by isotonic regression: with the distances taken off, the wished positions only
have to be made ascending, by averaging runs that are not (pool adjacent violators).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from asl_engine.graph.layers import Chain, Layering, Link, Size, Vertex, layered

_GAP_ACROSS: Final = 28.0
_GAP_DOWN: Final = 26.0
_PORT_GAP: Final = 22.0
_SWEEPS_MAX: Final = 200
_STILL: Final = 0.1
_SNAP: Final = 16.0


class Point(NamedTuple):
    """A place in a drawing, from its upper left corner."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Route:
    """How a link runs, from source to target, and where the centre of its label is."""

    points: tuple[Point, ...]
    label: Point | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing: its size, the upper left corner of each box, a route for each link (None from a box to itself)."""

    size: Size
    corners: Mapping[str, Point]
    routes: Sequence[Route | None]


def lay_out(sizes: Mapping[str, Size], links: Sequence[Link]) -> Layout:
    """Place boxes of these sizes, the first one on top, and route the links between them."""
    layering = layered(sizes, links)
    _place(layering.layers)
    left = min((vertex.x - vertex.size.width / 2 for layer in layering.layers for vertex in layer), default=0)
    for layer in layering.layers:
        for vertex in layer:
            vertex.x -= left
    width = max((vertex.x + vertex.size.width / 2 for layer in layering.layers for vertex in layer), default=0)
    tops, height = _tops(layering.layers)
    corners = {
        name: Point(box.x - box.size.width / 2, tops[box.layer].top + (tops[box.layer].height - box.size.height) / 2)
        for name, box in layering.boxes.items()
    }
    return Layout(Size(width, height), corners, _routes(layering, tops, len(links)))


class _Band(NamedTuple):
    """The strip of the drawing that a layer takes."""

    top: float
    height: float


def _tops(layers: Sequence[list[Vertex]]) -> tuple[list[_Band], float]:
    bands: list[_Band] = []
    top = 0.0
    for layer in layers:
        height = max((vertex.size.height for vertex in layer), default=0)
        bands.append(_Band(top, height))
        top += height + _GAP_DOWN
    return bands, max(top - _GAP_DOWN, 0)


def _place(layers: Sequence[list[Vertex]]) -> None:
    """Settle one layer after the other until links are as short and straight as order and distances allow.

    A layer is settled exactly, given all others, so the sum of the squares of all links' slants can only fall.
    """
    for sweep in range(_SWEEPS_MAX):
        moved = [_settle(layer) for layer in (reversed(layers) if sweep % 2 else layers)]
        if max(moved) < _STILL:
            return


def _settle(layer: Sequence[Vertex]) -> float:
    """Place each vertex of a layer at the mean of its neighbours, or as near to it as order and distances allow.

    Returns how far the one went that went farthest.
    """
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + (left.size.width + right.size.width) / 2 + _GAP_ACROSS)
    runs: list[tuple[float, int, int]] = []  # mean, weight, length
    for vertex, offset in zip(layer, offsets, strict=True):
        weight, length = sum(strength for _, strength in vertex.pulls), 1
        wish = sum(other.x * strength for other, strength in vertex.pulls) / weight if weight else vertex.x
        mean = wish - offset
        while runs and runs[-1][0] > mean:
            before, heavy, long = runs.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight or 1)
            weight, length = weight + heavy, length + long
        runs.append((mean, weight, length))
    places = [mean for mean, _, length in runs for _ in range(length)]
    moved = 0.0
    for vertex, place, offset in zip(layer, places, offsets, strict=True):
        moved = max(moved, abs(place + offset - vertex.x))
        vertex.x = place + offset
    return moved


def _routes(layering: Layering, bands: Sequence[_Band], count: int) -> list[Route | None]:
    routes: list[Route | None] = [None] * count
    departures = _ports(layering.chains, leaving=True)
    arrivals = _ports(layering.chains, leaving=False)
    for at, chain in enumerate(layering.chains):
        first, *bends, last = chain.vertices
        is_near = abs(departures[at] - arrivals[at]) < min(_SNAP, last.size.width / 4)
        if not bends and is_near and abs(departures[at] - last.x) < last.size.width / 2:
            arrivals[at] = departures[at]
        points = [Point(departures[at], _edge_of(first, bands, bottom=True))]
        for bend in bends:
            band = bands[bend.layer]
            points += [Point(bend.x, band.top), Point(bend.x, band.top + band.height)]
        points.append(Point(arrivals[at], _edge_of(last, bands, bottom=False)))
        label = None
        if chain.label_at is not None:
            carrier = chain.vertices[chain.label_at]
            band = bands[carrier.layer]
            label = Point(carrier.x, band.top + band.height / 2)
        routes[chain.link] = Route(tuple(reversed(points) if chain.is_reversed else points), label)
    return routes


def _edge_of(box: Vertex, bands: Sequence[_Band], *, bottom: bool) -> float:
    band = bands[box.layer]
    return band.top + (band.height + (box.size.height if bottom else -box.size.height)) / 2


def _ports(chains: Sequence[Chain], *, leaving: bool) -> dict[int, float]:
    """Where each chain touches its upper (or lower) box: side by side, in the order in which they go on."""
    at_box: dict[Vertex, list[int]] = {}
    for at, chain in enumerate(chains):
        at_box.setdefault(chain.vertices[0 if leaving else -1], []).append(at)
    ports: dict[int, float] = {}
    for box, touching in at_box.items():
        touching.sort(key=lambda at: chains[at].vertices[1 if leaving else -2].x)
        gap = min(_PORT_GAP, box.size.width * 0.8 / len(touching))
        for place, at in enumerate(touching):
            ports[at] = box.x + (place - (len(touching) - 1) / 2) * gap
    return ports
