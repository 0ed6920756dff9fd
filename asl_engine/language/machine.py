"""The fields of the whole state machine."""

from typing import Final

from asl_engine.language.branch import START_AT, STATES
from asl_engine.language.fields import Field, FieldTable
from asl_engine.language.kinds import Number, OneOf, Text
from asl_engine.language.state_fields import QUERY_LANGUAGE
from asl_engine.limits import TASK_TIMEOUT_SECONDS_MAX

MACHINE: Final = FieldTable(
    "a state machine",
    Field("Comment", Text(), "What the machine is for.", "comment"),
    Field("QueryLanguage", QUERY_LANGUAGE.kind, "The query language of all states that name none. Default JSONPath."),
    START_AT,
    STATES,
    Field("Version", OneOf(("1.0",)), "The version of the language.", "version"),
    Field(
        "TimeoutSeconds",
        Number(least=1, most=TASK_TIMEOUT_SECONDS_MAX),
        "How long an execution may take.",
        "timeout_seconds",
    ),
)
