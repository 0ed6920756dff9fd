"""Names in expressions that nothing bears: they compile, and fail or find nothing whenever they are evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from asl_engine.expressions.intrinsic_functions.sure_failures import sure_failures
from asl_engine.expressions.jsonata import is_expression
from asl_engine.json_value import JsonValue
from asl_engine.language.diagnostics import did_you_mean
from asl_engine.language.variable_references import FUNCTIONS, called, referred, referred_in_path, states_members

# A message and a hint.
Advice: TypeAlias = "tuple[str, str]"


def assigned_variables(definition: JsonValue) -> frozenset[str]:
    """The variables that any Assign of a definition assigns, wherever it is."""
    names: set[str] = set()
    pending = [definition]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            assigned = node.get("Assign")
            if isinstance(assigned, dict):
                names.update(name.removesuffix(".$") for name in assigned)
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return frozenset(names)


def advice_on_jsonata(text: str, assigned: frozenset[str]) -> Iterator[Advice]:
    """Advice on a string of a state in JSONata."""
    if not is_expression(text):
        return
    for name in called(text):
        if name not in _FUNCTIONS:
            yield f"no function is named ${name}", did_you_mean(name, _FUNCTIONS)
    for name in states_members(text):
        if name not in _MEMBERS:
            yield f"$states has no {name}", did_you_mean(name, _MEMBERS)
    yield from _unassigned(referred(text), assigned, "states")


def advice_on_path(key: str, text: str, assigned: frozenset[str]) -> Iterator[Advice]:
    """Advice on a string of a state in JSONPath, under its key."""
    yield from _unassigned(referred_in_path(key, text), assigned)


def advice_on_call(text: str) -> Iterator[Advice]:
    """Advice on a call of an intrinsic function."""
    for failure in sure_failures(text):
        yield f"this call can only fail: {failure}", "AWS accepts it, and fails the execution when it gets there"


def _unassigned(names: Iterator[str], assigned: frozenset[str], *others: str) -> Iterator[Advice]:
    for name in names:
        if name not in assigned:
            yield f"no state assigns ${name}", did_you_mean(name, assigned.union(others))


_FUNCTIONS: Final = FUNCTIONS - {"eval"}  # which Step Functions does not have
_MEMBERS: Final = frozenset({"input", "result", "errorOutput", "context"})
