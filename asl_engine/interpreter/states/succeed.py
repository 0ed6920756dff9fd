"""Succeed: end the branch well."""

from __future__ import annotations

from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.input_output import effective_input
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import entered, leave
from asl_engine.language.definition import SucceedState


def enter(step: Step, frame: Frame, state: SucceedState) -> None:
    """Leave at once; the state has no Next, so the branch ends."""
    scope = entered(step, frame, state)
    leave(step, frame, state, scope, effective_input(state, scope))
