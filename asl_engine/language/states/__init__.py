"""The types of states: one file each, and here the table that the parser and the JSON Schema go by."""

from collections.abc import Mapping
from typing import Final

from asl_engine.language.branch import StateSyntax
from asl_engine.language.definition import StateType
from asl_engine.language.states.choice import SYNTAX as CHOICE
from asl_engine.language.states.fail import SYNTAX as FAIL
from asl_engine.language.states.map import SYNTAX as MAP
from asl_engine.language.states.parallel import SYNTAX as PARALLEL
from asl_engine.language.states.pass_ import SYNTAX as PASS
from asl_engine.language.states.succeed import SYNTAX as SUCCEED
from asl_engine.language.states.task import SYNTAX as TASK
from asl_engine.language.states.wait import SYNTAX as WAIT

SYNTAXES: Final[Mapping[str, StateSyntax]] = {
    StateType.TASK: TASK,
    StateType.WAIT: WAIT,
    StateType.PASS: PASS,
    StateType.SUCCEED: SUCCEED,
    StateType.FAIL: FAIL,
    StateType.CHOICE: CHOICE,
    StateType.PARALLEL: PARALLEL,
    StateType.MAP: MAP,
}
