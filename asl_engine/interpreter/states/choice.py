"""Choice: go where the first rule that holds points, or to the Default."""

from __future__ import annotations

from asl_engine.errors import EvaluationError
from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.failure import NO_CHOICE_MATCHED
from asl_engine.interpreter.input_output import effective_input
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import entered, leave
from asl_engine.language.definition import ChoiceState


def enter(step: Step, frame: Frame, state: ChoiceState) -> None:
    """Leave at once by the rule that applies. The state's own Assign and Output belong to the Default."""
    scope = entered(step, frame, state)
    chosen = effective_input(state, scope)
    for rule in state.choices:
        if rule.condition.holds(scope):
            leave(step, frame, state, scope, chosen, rule)
            return
    if state.default is None:
        raise EvaluationError(
            NO_CHOICE_MATCHED, "Failed to transition out of the state. The state does not point to a next state."
        )
    leave(step, frame, state, scope, chosen, _Default(state))


class _Default:
    """The route of the Default."""

    __slots__ = ("assign", "next", "output")

    def __init__(self, state: ChoiceState) -> None:
        self.next, self.assign, self.output = state.default, state.assign, state.output
