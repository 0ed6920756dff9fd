"""Parallel: run all branches on the same input, and gather their outputs in order."""

from __future__ import annotations

from asl_engine.interpreter.execution import ChildrenWait, Frame, Phase
from asl_engine.interpreter.input_output import effective_input
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import entered, settle
from asl_engine.language.definition import ParallelState


def enter(step: Step, frame: Frame, state: ParallelState) -> None:
    """Start the branches."""
    entered(step, frame, state)
    attempt(step, frame, state)


def attempt(step: Step, frame: Frame, state: ParallelState) -> None:
    """Start the branches, at first or again."""
    frame.items_input = effective_input(state, step.scope(frame))
    started = step.record(frame, "ParallelStateStarted")
    frame.phase = Phase.WAITING
    frame.wait = ChildrenWait(wait_id=started, total=len(state.branches))
    settle(step, frame, state, started)
