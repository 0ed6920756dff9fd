"""Pass: hands its input on, or builds something new from it."""

from typing import Final

from asl_engine.language.branch import StateSyntax
from asl_engine.language.definition import PassState, StateType
from asl_engine.language.fields import JSONPATH, Attributes, Field, FieldTable
from asl_engine.language.kinds import AnyValue
from asl_engine.language.state_fields import (
    ASSIGN,
    EVERY_STATE,
    OUTPUT,
    PARAMETERS,
    PATHS,
    RESULT_PATH,
    TRANSITION,
    check_transition,
)

TABLE: Final = FieldTable(
    "a Pass state",
    *EVERY_STATE,
    *TRANSITION,
    *PATHS,
    PARAMETERS,
    Field("Result", AnyValue(), "The result, as it is written: nothing in it is evaluated.", "result", JSONPATH),
    RESULT_PATH,
    ASSIGN,
    OUTPUT,
)


def _build(attributes: Attributes) -> PassState:
    return PassState(type=StateType.PASS, **attributes)


SYNTAX: Final = StateSyntax(TABLE, _build, check_transition)
