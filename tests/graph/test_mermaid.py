"""The text for Mermaid."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.graph.mermaid import escaped, to_mermaid
from asl_engine.graph.overlay import StateStatus, StateTally
from tests.graph.machines import one_state, order


def test_a_machine_is_a_flowchart_with_nested_subgraphs() -> None:
    text = to_mermaid(order())
    assert text.startswith("flowchart TD\n  start(( ))\n")
    assert text.count("subgraph") == 4  # Fulfil, its two branches, Pack each
    assert text.count("subgraph") == len(re.findall(r"^ *end$", text, re.MULTILINE))
    fulfil, each = text.index("<b>Fulfil</b>, Parallel"), text.index("<b>Pack each</b>, Map")
    assert fulfil < text.index("branch 1") < text.index("<b>Pay</b>") < text.index("branch 2") < each


def test_choices_are_labelled_and_catches_dashed() -> None:
    text = to_mermaid(order())
    assert '-->|"$.stock #62; 0"| ' in text
    assert '-->|"otherwise"| ' in text
    assert '-.->|"Declined, States.Timeout"| ' in text
    assert text.count("-.->") == 2
    edges = [line for line in text.splitlines() if re.search(r" (-->|-\.->)", line)]
    dashed = [str(at) for at, line in enumerate(edges) if "-.->" in line]
    assert f"linkStyle {','.join(dashed)} stroke" in text


def test_what_retries_says_so() -> None:
    assert to_mermaid(order()).count("↻ retries") == 1


def test_states_are_coloured_by_what_happened() -> None:
    text = to_mermaid(order(), {"Look up": StateTally(StateStatus.FAILED, 1, 6)})
    assert "<i>failed, 6 attempts</i>" in text
    assert "class s0 failed" in text
    assert re.search(r"class s1(,s\d)+ not_reached", text)
    assert "classDef failed fill:#" in text
    assert "classDef" not in to_mermaid(order())


@pytest.mark.parametrize("name", ['"]; click', "end", "a\nb", "<b>", "%% no", "`md`", "#quot;"])
def test_a_name_cannot_break_out_of_its_label(name: str) -> None:
    lines = to_mermaid(one_state({"Type": "Pass", "End": True}, name)).splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r'  s0\("<b>[^"<>`]*</b><br/>Pass"\)', lines[2])


@given(st.text())
def test_an_escaped_text_has_nothing_left_that_means_anything(text: str) -> None:
    assert not set(re.sub(r"#\d+;", "", escaped(text))) & set('"#<>`;\n\\')
