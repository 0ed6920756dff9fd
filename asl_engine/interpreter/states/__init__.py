"""The one list of what each state type does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.states import choice, fail, map_, parallel, pass_, succeed, task, wait
from asl_engine.interpreter.step import Step
from asl_engine.language.definition import (
    ChoiceState,
    FailState,
    MapState,
    ParallelState,
    PassState,
    State,
    SucceedState,
    TaskState,
    WaitState,
)

# Any: each behaviour takes its own State class, and the table's key guarantees that it gets it.
_Behave = Callable[[Step, Frame, Any], None]


class Behaviour(NamedTuple):
    """`enter` runs when the frame comes to the state, `attempt` when a retry's pause is over."""

    enter: _Behave
    attempt: _Behave | None = None


# By class, as a member of an enumeration is hashed by a function in Python.
BEHAVIOURS: Final[dict[type[State], Behaviour]] = {
    TaskState: Behaviour(task.enter, task.attempt),
    PassState: Behaviour(pass_.enter),
    ChoiceState: Behaviour(choice.enter),
    WaitState: Behaviour(wait.enter),
    SucceedState: Behaviour(succeed.enter),
    FailState: Behaviour(fail.enter),
    ParallelState: Behaviour(parallel.enter, parallel.attempt),
    MapState: Behaviour(map_.enter, map_.attempt),
}
