"""Pass: give the input, or a fixed Result, to the next state."""

from __future__ import annotations

from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.input_output import effective_input
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import entered, leave
from asl_engine.language.definition import PassState


def enter(step: Step, frame: Frame, state: PassState) -> None:
    """Leave at once."""
    scope = entered(step, frame, state)
    result = effective_input(state, scope)
    if state.result is not None:
        result = state.result.evaluate(scope)
    leave(step, frame, state, scope, result)
