"""Wait: goes on after some seconds, or at a moment."""

from typing import Final

from asl_engine.language.branch import StateSyntax
from asl_engine.language.definition import StateType, WaitState
from asl_engine.language.fields import JSONPATH, Attributes, Field, FieldTable
from asl_engine.language.kinds import Number, OrJsonata, RequiredPath, Timestamp
from asl_engine.language.state_fields import ASSIGN, EVERY_STATE, OUTPUT, PATHS, TRANSITION, check_transition
from asl_engine.limits import WAIT_SECONDS_MAX

TABLE: Final = FieldTable(
    "a Wait state",
    *EVERY_STATE,
    *TRANSITION,
    *PATHS,
    Field("Seconds", OrJsonata(Number(least=0, most=WAIT_SECONDS_MAX), "number"), "How long to wait.", "seconds"),
    Field(
        "SecondsPath",
        RequiredPath(),
        "A path to the seconds to wait.",
        "seconds_path",
        JSONPATH,
        text_attribute="seconds_path_text",
    ),
    Field("Timestamp", Timestamp(), "Until when to wait, as in 2030-01-31T09:30:00Z.", "timestamp"),
    Field(
        "TimestampPath",
        RequiredPath(),
        "A path to the moment to wait for.",
        "timestamp_path",
        JSONPATH,
        text_attribute="timestamp_path_text",
    ),
    ASSIGN,
    OUTPUT,
    exactly_one=[("Seconds", "SecondsPath", "Timestamp", "TimestampPath")],
)


def _build(attributes: Attributes) -> WaitState:
    return WaitState(type=StateType.WAIT, **attributes)


SYNTAX: Final = StateSyntax(TABLE, _build, check_transition)
