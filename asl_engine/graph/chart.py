"""Charts: a machine as nodes and edges, the same for every way of drawing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from asl_engine.graph.wording import condition_text, retry_text, state_detail
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import (
    Branch,
    ChoiceState,
    FailState,
    MapState,
    ParallelState,
    State,
    StateMachine,
    StateType,
    SucceedState,
)


class EdgeKind(StrEnum):
    """Why an edge is taken."""

    NEXT = "next"
    CHOICE = "choice"
    DEFAULT = "default"
    CATCH = "catch"


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition between two states of one chart."""

    source: str
    target: str
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A state. `detail` is what it does in a few words, `retry` what it retries, `branches` what runs inside of it."""

    name: str
    type: StateType
    detail: str
    comment: str
    retry: str
    is_end: bool
    branches: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The machine itself, a branch of a Parallel or the processor of a Map."""

    start_at: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def chart_of(machine: StateMachine) -> Chart:
    """The machine, with texts that the compiled form has not kept taken from its definition."""
    return _chart(machine.root, machine.definition)


def _chart(branch: Branch, written: JsonObject) -> Chart:
    states = _object(written.get("States"))
    return Chart(
        branch.start_at,
        tuple(_node(state, _object(states.get(name))) for name, state in branch.states.items()),
        tuple(edge for name, state in branch.states.items() for edge in _edges(state, _object(states.get(name)))),
    )


def _node(state: State, written: JsonObject) -> Node:
    comment = written.get("Comment")
    return Node(
        name=state.name,
        type=state.type,
        detail=state_detail(state, written),
        comment=comment if isinstance(comment, str) else "",
        retry=retry_text(state),
        is_end=state.next is None and not isinstance(state, ChoiceState | SucceedState | FailState),
        branches=_branches(state, written),
    )


def _branches(state: State, written: JsonObject) -> tuple[Chart, ...]:
    match state:
        case ParallelState():
            texts = _array(written.get("Branches"))
            return tuple(_chart(branch, _object(_item(texts, at))) for at, branch in enumerate(state.branches))
        case MapState():
            return (_chart(state.item_processor, _object(written.get("ItemProcessor", written.get("Iterator")))),)
        case _:
            return ()


def _edges(state: State, written: JsonObject) -> Iterator[Edge]:
    if isinstance(state, ChoiceState):
        rules = _array(written.get("Choices"))
        for at, rule in enumerate(state.choices):
            yield Edge(state.name, rule.next, EdgeKind.CHOICE, condition_text(_item(rules, at)))
        if state.default is not None:
            yield Edge(state.name, state.default, EdgeKind.DEFAULT, "otherwise")
    elif state.next is not None:
        yield Edge(state.name, state.next, EdgeKind.NEXT)
    for catcher in state.catch:
        yield Edge(state.name, catcher.next, EdgeKind.CATCH, ", ".join(catcher.error_equals))


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _array(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _item(values: list[JsonValue], at: int) -> JsonValue:
    return values[at] if at < len(values) else None
