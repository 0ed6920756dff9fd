"""The one list of what each state type does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from asl_engine.interpreter.execution import Frame
from asl_engine.interpreter.states import choice, fail, map_, parallel, pass_, succeed, task, wait
from asl_engine.interpreter.step import Step
from asl_engine.language.definition import StateType

# Any: each behaviour takes its own State class, and the table's key guarantees that it gets it.
_Behave = Callable[[Step, Frame, Any], None]


class Behaviour(NamedTuple):
    """`enter` runs when the frame comes to the state, `attempt` when a retry's pause is over."""

    enter: _Behave
    attempt: _Behave | None = None


BEHAVIOURS: Final[dict[StateType, Behaviour]] = {
    StateType.TASK: Behaviour(task.enter, task.attempt),
    StateType.PASS: Behaviour(pass_.enter),
    StateType.CHOICE: Behaviour(choice.enter),
    StateType.WAIT: Behaviour(wait.enter),
    StateType.SUCCEED: Behaviour(succeed.enter),
    StateType.FAIL: Behaviour(fail.enter),
    StateType.PARALLEL: Behaviour(parallel.enter, parallel.attempt),
    StateType.MAP: Behaviour(map_.enter, map_.attempt),
}
