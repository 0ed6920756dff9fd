"""Steps → closures. Each step maps all nodes found so far to the next ones, in document order.

The number of nodes visited in one evaluation is bounded, so `$..*..*` on a wide document ends in an error, not in an
exhausted process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from asl_engine.errors import EvaluationError, PathNotFound
from asl_engine.expressions.jsonpath.conditions import OPERATORS, Found
from asl_engine.expressions.jsonpath.functions import FUNCTIONS
from asl_engine.expressions.jsonpath.parser import parse_query
from asl_engine.expressions.jsonpath.regular_expression import RegularExpression
from asl_engine.expressions.jsonpath.syntax import (
    Call,
    Comparison,
    Condition,
    Descent,
    Disjunction,
    Everything,
    Exists,
    Filter,
    ItemRange,
    Items,
    Literal,
    Member,
    Members,
    Negation,
    Operand,
    Query,
    Step,
)
from asl_engine.expressions.reference_path import Read, Segment, reader
from asl_engine.expressions.scope import ABSENT, Absent
from asl_engine.expressions.value_text import java_text
from asl_engine.json_value import JsonValue
from asl_engine.limits import EXPRESSION_ITEMS_MAX


class Search:
    """One evaluation: the document, and how many nodes may still be visited."""

    __slots__ = ("_left", "root")

    def __init__(self, root: JsonValue) -> None:
        self.root, self._left = root, EXPRESSION_ITEMS_MAX

    def spend(self, nodes: int) -> None:
        """Count visited nodes. Raises EvaluationError at the bound."""
        self._left -= nodes
        if self._left < 0:
            raise EvaluationError("States.Runtime", f"The path visits more than {EXPRESSION_ITEMS_MAX} nodes")


Nodes: TypeAlias = list[JsonValue]
Select: TypeAlias = Callable[[Nodes, Search], Nodes]
Holds: TypeAlias = Callable[[JsonValue, Search], bool]
Find: TypeAlias = Callable[[JsonValue, Search], Found]


def compile_query(text: str, start: int) -> Read:
    """The function that finds, from a root, what the path from `start` on names.

    A definite path gives its node, and raises PathNotFound without one; any other gives the list of its nodes, which
    is empty where data is missing. Raises InvalidExpression for what is no path.
    """
    query = parse_query(text, start)
    prefix = _reference_prefix(query.steps)
    read_prefix, select, conclude = reader(prefix, text), _selection(query.steps[len(prefix) :]), _conclusion(query)

    def read(root: JsonValue) -> JsonValue:
        try:
            nodes = [read_prefix(root)]
        except PathNotFound:
            if query.is_definite:
                raise
            nodes = []
        found = conclude(select(nodes, Search(root)))
        if isinstance(found, Absent):
            raise PathNotFound(text, f"No results for path: ${text[start:].rstrip()}")
        return found

    return read


def _reference_prefix(steps: tuple[Step, ...]) -> tuple[Segment, ...]:
    """The first steps, as far as they name exactly one node."""
    segments: list[Segment] = []
    for step in steps:
        match step:
            case Member(name):
                segments.append(name)
            case Items((index,)) if index >= 0:
                segments.append(index)
            case _:
                break
    return tuple(segments)


def _conclusion(query: Query) -> Callable[[Nodes], Found]:
    """What a query makes of its nodes: the one node or all of them, then the functions at its end."""
    definite = query.is_definite
    calls = [(FUNCTIONS[step.function].apply, step.argument or 0) for step in query.steps if isinstance(step, Call)]

    def conclude(nodes: Nodes) -> Found:
        if definite and not nodes:
            return ABSENT
        value = nodes[0] if definite else nodes
        for apply, argument in calls:
            value = apply(value, argument)
        return value

    return conclude


def _selection(steps: tuple[Step, ...]) -> Select:
    selects = [
        _select_below(step) if previous == Descent() else _select(step, last=step is steps[-1])
        for previous, step in zip((None, *steps), steps, strict=False)
        if not isinstance(step, (Descent, Call))
    ]

    def select(nodes: Nodes, search: Search) -> Nodes:
        for select_next in selects:
            nodes = select_next(nodes, search)
            search.spend(len(nodes))
        return nodes

    return select


def _select(step: Step, *, last: bool) -> Select:
    match step:
        case Member(name):
            return lambda nodes, _search: [node[name] for node in nodes if isinstance(node, dict) and name in node]
        case Members(names):
            return _select_members(names, merged=last)
        case Items(indexes):
            return _select_items(indexes)
        case ItemRange(start, stop, stride):
            positions = slice(start, stop, stride)
            return _select_several(lambda node: node[positions] if isinstance(node, list) else [])
        case Everything():
            return _select_several(_children)
    assert isinstance(step, Filter), f"{step} selects nothing by itself"
    return _select_matching(step.condition)


def _select_several(take: Callable[[JsonValue], Nodes]) -> Select:
    def select(nodes: Nodes, search: Search) -> Nodes:
        found: Nodes = []
        for node in nodes:
            taken = take(node)
            search.spend(len(taken))
            found += taken
        return found

    return select


def _select_members(names: tuple[str, ...], *, merged: bool) -> Select:
    def merge(nodes: Nodes, _search: Search) -> Nodes:
        return [{name: node[name] for name in names if name in node} for node in nodes if isinstance(node, dict)]

    def each(nodes: Nodes, _search: Search) -> Nodes:
        return [node[name] for node in nodes if isinstance(node, dict) for name in names if name in node]

    return merge if merged else each


def _select_items(indexes: tuple[int, ...]) -> Select:
    def select(nodes: Nodes, _search: Search) -> Nodes:
        return [
            node[index]
            for node in nodes
            if isinstance(node, list)
            for index in indexes
            if -len(node) <= index < len(node)
        ]

    return select


def _select_matching(condition: Condition) -> Select:
    holds = _condition(condition)

    def select(nodes: Nodes, search: Search) -> Nodes:
        found: Nodes = []
        for node in nodes:
            if isinstance(node, list):
                search.spend(len(node))
                found += [item for item in node if holds(item, search)]
            elif isinstance(node, dict) and holds(node, search):
                found.append(node)
        return found

    return select


def _select_below(step: Step) -> Select:
    """The step taken from each node and from everything below it, parents first."""
    if isinstance(step, Filter):
        holds = _condition(step.condition)
        return lambda nodes, search: [node for node in _descendants(nodes, search) if holds(node, search)]
    select = _select(step, last=True)
    return lambda nodes, search: select(_descendants(nodes, search), search)


def _descendants(nodes: Nodes, search: Search) -> Nodes:
    """The nodes and everything below them, in document order. A stack: data may be nested deeper than calls may."""
    found: Nodes = []
    open_nodes = nodes[::-1]
    while open_nodes:
        node = open_nodes.pop()
        found.append(node)
        children = _children(node)
        search.spend(len(children))
        open_nodes += reversed(children)
    return found


def _children(node: JsonValue) -> Nodes:
    if isinstance(node, list):
        return node
    return list(node.values()) if isinstance(node, dict) else []


def _condition(condition: Condition) -> Holds:
    match condition:
        case Exists(query):
            return _existence(query)
        case Comparison(left, name, right):
            return _comparison(left, name, right)
        case Negation(inner):
            holds = _condition(inner)
            return lambda node, search: not holds(node, search)
    return _unless([_condition(inner) for inner in condition.conditions], stop=isinstance(condition, Disjunction))


def _unless(conditions: list[Holds], *, stop: bool) -> Holds:
    """`&&` stops at the first condition that is false, `||` at the first that is true."""

    def holds(node: JsonValue, search: Search) -> bool:
        for condition in conditions:  # not all(…) or any(…): a generator for each node costs more than the conditions
            if condition(node, search) is stop:
                return stop
        return not stop

    return holds


def _existence(query: Query) -> Holds:
    find = _find(query)
    if query.is_definite:
        return lambda node, search: find(node, search) is not ABSENT
    return lambda node, search: find(node, search) != []


def _comparison(left: Operand, name: str, right: Operand) -> Holds:
    find_left = _operand(left)
    if isinstance(right, RegularExpression):
        return _matching(find_left, right)
    compare = OPERATORS[name]
    if isinstance(right, Literal):
        value = right.value
        return lambda node, search: compare(find_left(node, search), value)
    find_right = _operand(right)
    return lambda node, search: compare(find_left(node, search), find_right(node, search))


def _matching(find: Find, pattern: RegularExpression) -> Holds:
    def holds(node: JsonValue, search: Search) -> bool:
        found = find(node, search)
        if isinstance(found, (Absent, list, dict)) or found is None:
            return False
        text = java_text(found)
        search.spend(len(text) * pattern.size)
        return pattern.matches(text)

    return holds


def _operand(operand: Operand) -> Find:
    if isinstance(operand, Literal):
        value = operand.value
        return lambda _node, _search: value
    assert isinstance(operand, Query), "the parser admits a pattern only on the right of =~"
    return _find(operand)


def _find(query: Query) -> Find:
    """What a query within a filter finds: a value, or ABSENT."""
    if not query.from_root and all(isinstance(step, Member) for step in query.steps):
        return _find_member(tuple(step.name for step in query.steps if isinstance(step, Member)))
    select, conclude, from_root = _selection(query.steps), _conclusion(query), query.from_root

    def find(node: JsonValue, search: Search) -> Found:
        return conclude(select([search.root if from_root else node], search))

    return find


def _find_member(names: tuple[str, ...]) -> Find:
    """`@.a.b`: by far the most frequent operand of a filter."""
    if len(names) == 1:
        (only,) = names
        return lambda node, _search: node.get(only, ABSENT) if isinstance(node, dict) else ABSENT

    def find(node: JsonValue, _search: Search) -> Found:
        for name in names:
            if not isinstance(node, dict) or name not in node:
                return ABSENT
            node = node[name]
        return node

    return find
