"""The picture: valid, complete, and telling what happened."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.graph.overlay import Overlay, StateStatus, StateTally
from asl_engine.graph.palette import STATUS_COLOURS
from asl_engine.graph.svg import to_svg
from asl_engine.graph.svg_text import NAME_FONT, SMALL_FONT, escaped, width_of
from asl_engine.language.definition import StateMachine
from tests.graph.machines import LAMBDA, one_state, order

SVG = "{http://www.w3.org/2000/svg}"
HAPPENED: Overlay = {
    "Look up": StateTally(StateStatus.SUCCEEDED, 2, 5),
    "In stock?": StateTally(StateStatus.SUCCEEDED, 2, 0),
    "Fulfil": StateTally(StateStatus.RUNNING, 1, 0),
    "Pay": StateTally(StateStatus.CAUGHT, 1, 1),
}


def drawn(machine: StateMachine, overlay: Overlay | None = None) -> ET.Element:
    return ET.fromstring(to_svg(machine, overlay))


def texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def test_every_state_and_label_is_in_the_picture() -> None:
    shown = texts(drawn(order()))
    for text in (
        "An order is paid & packed",
        "Look up",
        "Task · dynamodb:getItem",
        "$.stock > 0",
        "otherwise",
        "Pay",
        "Pack each",
        "Map · each of $.lines, 3 at a time",
        "Pack",
        "States.ALL",
        "Fail · OutOfStock",
    ):
        assert text in shown


def test_catch_edges_are_dashed_and_others_are_not() -> None:
    paths = [path for path in drawn(order()).iter(f"{SVG}path") if "C" in path.attrib["d"] or "L" in path.attrib["d"]]
    dashed = [path for path in paths if "stroke-dasharray" in path.attrib]
    assert len(dashed) == 2
    assert {path.attrib["stroke"] for path in dashed}.isdisjoint(
        path.attrib["stroke"] for path in paths if path not in dashed
    )


def test_the_legend_explains_statuses_only_where_there_are_any() -> None:
    plain, coloured = texts(drawn(order())), texts(drawn(order(), HAPPENED))
    assert "on error (Catch)" in plain
    assert "caught" not in plain
    assert {"succeeded", "caught", "failed", "aborted", "running", "not reached"} <= set(coloured)


def test_states_are_coloured_and_counted_by_what_happened() -> None:
    picture = drawn(order(), HAPPENED)
    shown = texts(picture)
    assert "succeeded, 2 visits, 5 attempts" in shown
    fills = [element.attrib.get("fill") for element in picture.iter(f"{SVG}rect")]
    in_legend = 1
    assert fills.count(STATUS_COLOURS[StateStatus.CAUGHT].fill) == 1 + in_legend
    assert fills.count(STATUS_COLOURS[StateStatus.RUNNING].fill) == 1 + in_legend
    assert fills.count(STATUS_COLOURS[StateStatus.FAILED].fill) == in_legend


def test_an_edge_that_cannot_have_been_taken_is_pale() -> None:
    pale = STATUS_COLOURS[StateStatus.NOT_REACHED].stroke
    assert f'stroke="{pale}"' not in to_svg(order())
    assert to_svg(order(), HAPPENED).count(f'stroke-width="1.4" stroke="{pale}"') >= 4


def test_pointing_at_a_state_tells_its_comment_and_retries() -> None:
    titles = [element.text for element in drawn(order()).iter(f"{SVG}title")]
    assert "Look up\nStock may be late\nRetry:\nStates.Timeout: up to 5 times" in titles


def test_boxes_of_branches_lie_inside_of_their_state() -> None:
    frames: list[tuple[float, float, float, float]] = []
    for rectangle in list(drawn(order()).iter(f"{SVG}rect"))[1:]:
        x, y, width, height = (float(rectangle.attrib[name]) for name in ("x", "y", "width", "height"))
        frames.append((x, y, x + width, y + height))
    outer = max(frames, key=lambda frame: (frame[2] - frame[0]) * (frame[3] - frame[1]))
    inside = [f for f in frames if outer[0] < f[0] and outer[1] < f[1] and f[2] < outer[2] and f[3] < outer[3]]
    assert len(inside) == 4  # Pay, Owed, Pack each, Pack


@pytest.mark.parametrize("name", ['<script>alert("1")</script>', "a & b", "]]>", "é 漢字 😀", "quote's"])
def test_a_name_cannot_break_out_of_the_picture(name: str) -> None:
    picture = drawn(one_state({"Type": "Pass", "Comment": name, "End": True}, name))
    assert name in texts(picture)
    assert not list(picture.iter(f"{SVG}script"))


def test_a_state_that_leads_to_itself_has_a_loop() -> None:
    machine = one_state(
        {"Type": "Task", "Resource": f"{LAMBDA}pay", "Catch": [{"ErrorEquals": ["Busy"], "Next": "Only"}], "End": True}
    )
    assert "Busy" in [element.text for element in drawn(machine).iter(f"{SVG}title")]


def test_the_same_machine_gives_the_same_picture() -> None:
    assert to_svg(order(), HAPPENED) == to_svg(order(), HAPPENED)


@given(st.text())
def test_any_text_is_allowed_in_xml(text: str) -> None:
    element = ET.fromstring(f'<a b="{escaped(text)}">{escaped(text)}</a>')
    assert len(element.text or "") == len(element.attrib["b"]) == len(text)


def test_bold_and_wide_text_takes_more_room() -> None:
    assert width_of("Wait", NAME_FONT) > width_of("Wait", SMALL_FONT)
    assert width_of("漢字", SMALL_FONT) > width_of("il", SMALL_FONT)
