"""A state type is whole only with both of its halves: a syntax and a behaviour."""

from __future__ import annotations

from asl_engine.interpreter.states import BEHAVIOURS
from asl_engine.language.definition import StateType
from asl_engine.language.states import SYNTAXES

BEHAVING = {StateType(kind.__name__.removesuffix("State")): behaviour for kind, behaviour in BEHAVIOURS.items()}
RETRIED = {StateType.TASK, StateType.PARALLEL, StateType.MAP}


def test_every_state_type_has_both_halves() -> None:
    assert set(SYNTAXES) == set(StateType)
    assert set(BEHAVING) == set(StateType)


def test_exactly_the_types_with_retry_can_be_attempted_again() -> None:
    assert {type_ for type_, behaviour in BEHAVING.items() if behaviour.attempt is not None} == RETRIED
    assert {type_ for type_, syntax in SYNTAXES.items() if "Retry" in syntax.table.fields} == RETRIED
