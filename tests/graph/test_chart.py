"""A machine as nodes and edges."""

from dataclasses import replace

from asl_engine.graph.chart import Edge, EdgeKind, chart_of
from tests.graph.machines import order


def test_every_transition_is_an_edge_that_says_why_it_is_taken() -> None:
    assert set(chart_of(order()).edges) == {
        Edge("Look up", "In stock?", EdgeKind.NEXT),
        Edge("In stock?", "Fulfil", EdgeKind.CHOICE, "$.stock > 0"),
        Edge("In stock?", "Give up", EdgeKind.CHOICE, "$.tries ≥ 10"),
        Edge("In stock?", "Wait a bit", EdgeKind.DEFAULT, "otherwise"),
        Edge("Wait a bit", "Look up", EdgeKind.NEXT),
        Edge("Fulfil", "Done", EdgeKind.NEXT),
        Edge("Fulfil", "Give up", EdgeKind.CATCH, "States.ALL"),
    }


def test_branches_and_processors_are_charts_of_their_own() -> None:
    fulfil = next(node for node in chart_of(order()).nodes if node.name == "Fulfil")
    paying, packing = fulfil.branches
    assert paying.start_at == "Pay"
    assert paying.edges == (Edge("Pay", "Owed", EdgeKind.CATCH, "Declined, States.Timeout"),)
    (each,) = packing.nodes
    assert each.detail == "each of $.lines, 3 at a time"
    assert [node.name for node in each.branches[0].nodes] == ["Pack"]


def test_a_node_knows_its_comment_its_retries_and_whether_it_ends_its_branch() -> None:
    nodes = {node.name: node for node in chart_of(order()).nodes}
    assert nodes["Look up"].comment == "Stock may be late"
    assert nodes["Look up"].retry == "States.Timeout: up to 5 times"
    owed = nodes["Fulfil"].branches[0].nodes[1]
    assert owed.is_end
    assert not nodes["Done"].is_end
    assert not nodes["Look up"].is_end


def test_a_machine_without_its_text_is_drawn_without_the_words_from_it() -> None:
    chart = chart_of(replace(order(), definition={}))
    assert Edge("In stock?", "Fulfil", EdgeKind.CHOICE) in chart.edges
    assert len(chart.nodes) == 6
