"""Where boxes stand and how links run, for any graph."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from asl_engine.graph.layers import Link, Size, layered
from asl_engine.graph.layout import Layout, Point, lay_out

Rectangle = tuple[float, float, float, float]
NAMES = "abcdefgh"
SIZES = st.builds(Size, st.integers(20, 300), st.integers(20, 200))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Link]]:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    sizes = {name: draw(SIZES) for name in names}
    ends = st.sampled_from(names)
    labels = st.none() | st.builds(Size, st.integers(10, 150), st.integers(10, 45))
    return sizes, draw(st.lists(st.builds(Link, ends, ends, labels, st.sampled_from([1, 4])), max_size=14))


def rectangles(layout: Layout, sizes: dict[str, Size], links: list[Link]) -> list[Rectangle]:
    boxes = [(at.x, at.y, at.x + sizes[name].width, at.y + sizes[name].height) for name, at in layout.corners.items()]
    for link, route in zip(links, layout.routes, strict=True):
        if link.label is not None and route is not None:
            assert route.label is not None
            across, down = link.label.width / 2, link.label.height / 2
            (x, y) = route.label
            boxes.append((x - across, y - down, x + across, y + down))
    return boxes


@given(graphs())
def test_boxes_and_labels_lie_side_by_side_within_the_drawing(graph: tuple[dict[str, Size], list[Link]]) -> None:
    sizes, links = graph
    layout = lay_out(sizes, links)
    placed = rectangles(layout, sizes, links)
    for left, top, right, bottom in placed:
        assert left >= -0.01
        assert top >= -0.01
        assert right <= layout.size.width + 0.01
        assert bottom <= layout.size.height + 0.01
    for one, other in combinations(placed, 2):
        apart_across = one[2] <= other[0] + 0.01 or other[2] <= one[0] + 0.01
        apart_down = one[3] <= other[1] + 0.01 or other[3] <= one[1] + 0.01
        assert apart_across or apart_down


@given(graphs())
def test_every_link_runs_from_the_edge_of_its_source_to_the_edge_of_its_target(
    graph: tuple[dict[str, Size], list[Link]],
) -> None:
    sizes, links = graph
    layout = lay_out(sizes, links)
    for link, route in zip(links, layout.routes, strict=True):
        if link.source == link.target:
            assert route is None
            continue
        assert route is not None
        for name, end in ((link.source, route.points[0]), (link.target, route.points[-1])):
            assert _touches(end, layout.corners[name], sizes[name])
        downwards = [after.y >= before.y for before, after in pairwise(route.points)]
        assert all(downwards) or not any(downwards[:1] + downwards[-1:])


def _touches(point: Point, corner: Point, size: Size) -> bool:
    on_edge = min(abs(point.y - corner.y), abs(point.y - corner.y - size.height)) < 0.01
    return on_edge and corner.x - 0.01 <= point.x <= corner.x + size.width + 0.01


def test_a_chain_is_one_straight_line() -> None:
    sizes = {"a": Size(100, 20), "b": Size(60, 20), "c": Size(140, 20)}
    layout = lay_out(sizes, [Link("a", "b"), Link("b", "c")])
    centres = {layout.corners[name].x + size.width / 2 for name, size in sizes.items()}
    assert centres == {70}
    assert layout.corners["a"].y < layout.corners["b"].y < layout.corners["c"].y


def test_a_link_that_leads_back_does_not_lift_its_target() -> None:
    layout = lay_out(dict.fromkeys("abc", Size(50, 20)), [Link("a", "b"), Link("b", "c"), Link("c", "a")])
    back = layout.routes[2]
    assert back is not None
    assert layout.corners["a"].y < layout.corners["b"].y < layout.corners["c"].y
    assert back.points[0].y > back.points[-1].y


def test_layers_are_sorted_so_that_links_do_not_cross() -> None:
    crossing = [Link("a", "x"), Link("a", "y"), Link("x", "q"), Link("y", "p"), Link("a", "p", weight=1)]
    layering = layered(dict.fromkeys("axypq", Size(20, 20)), crossing)
    order = {name: box.order for name, box in layering.boxes.items()}
    assert (order["x"] < order["y"]) == (order["q"] < order["p"])


def test_hundreds_of_states_are_laid_out() -> None:
    names = [f"s{at}" for at in range(400)]
    links = [Link(one, other) for one, other in pairwise(names)] + [Link(names[0], names[-1])]
    assert len(lay_out(dict.fromkeys(names, Size(80, 30)), links).corners) == 400
