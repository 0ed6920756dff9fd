"""Definitions for tests, and the problems that the parser finds in them."""

from __future__ import annotations

import json
from typing import Any

from asl_engine.language.definition import State, StateMachine
from asl_engine.language.diagnostics import Diagnostic, Severity
from asl_engine.language.parser import parse_definition

END: dict[str, Any] = {"Type": "Pass", "End": True}
SHIP = "arn:aws:lambda:eu-west-1:111122223333:function:ship"


def machine_of(*states: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A definition of states A, B, C… that begins with A. A state that says nothing else goes on to the next."""
    names = "ABCDEFGH"[: len(states)]
    followed: dict[str, Any] = {}
    for index, state in enumerate(states):
        last = index == len(states) - 1
        goes_on = {"End", "Next"} & state.keys() or state.get("Type") in ("Succeed", "Fail", "Choice")
        followed[names[index]] = (
            state if goes_on else {**state, **({"End": True} if last else {"Next": names[index + 1]})}
        )
    return {"StartAt": "A", "States": followed, **top}


def diagnostics(definition: Any) -> list[Diagnostic]:
    """All that is said about a definition."""
    return list(parse_definition(json.dumps(definition)).diagnostics)


def errors(definition: Any) -> list[str]:
    """The errors of a definition, as "/location: message"."""
    found = diagnostics(definition)
    return [f"{one.location}: {one.message}" for one in found if one.severity is Severity.ERROR]


def errors_of(state: dict[str, Any], **top: Any) -> list[str]:
    """The errors of a machine of this state and one after it, without the part of the location that is always there."""
    return [error.removeprefix("/States/A") for error in errors(machine_of(state, END, **top))]


def warnings(definition: Any) -> list[str]:
    """The codes of the warnings about a definition, with their locations."""
    found = diagnostics(definition)
    return [f"{one.location}: {one.code}" for one in found if one.severity is Severity.WARNING]


def machine(definition: Any) -> StateMachine:
    """The machine of a definition that is right."""
    parsed = parse_definition(json.dumps(definition))
    assert parsed.machine is not None, "\n".join(map(str, parsed.diagnostics))
    return parsed.machine


def state(definition: dict[str, Any], **top: Any) -> State:
    """The compiled state of a machine of this state and one after it."""
    return machine(machine_of(definition, END, **top)).root.states["A"]
