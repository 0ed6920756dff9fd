"""Fail: ends the execution, or its branch, with an error."""

from typing import Final

from asl_engine.expressions.scope import Expression
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.branch import StateSyntax
from asl_engine.language.definition import FailState, QueryLanguage, StateType
from asl_engine.language.fields import JSONPATH, Attributes, Field, FieldTable
from asl_engine.language.kinds import Custom, OrJsonata, Text, read_path_or_intrinsic
from asl_engine.language.place import Place
from asl_engine.language.state_fields import EVERY_STATE

# https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html: those whose result is a string
_STRING_INTRINSICS: Final = (
    "States.Format",
    "States.JsonToString",
    "States.ArrayGetItem",
    "States.Base64Encode",
    "States.Base64Decode",
    "States.Hash",
    "States.UUID",
)


def _read_text_path(value: JsonValue, place: Place, name: str) -> Expression:
    errors = place.compilation.problems.errors
    compiled = read_path_or_intrinsic(value, place, name)
    clean = place.compilation.problems.errors == errors
    if clean and isinstance(value, str) and value.startswith("States."):
        intrinsic = value.partition("(")[0].rstrip()
        if intrinsic not in _STRING_INTRINSICS:
            place.error(
                f"{intrinsic} does not give a string, and {name} must be one",
                name,
                hint=f"these do: {', '.join(_STRING_INTRINSICS)}",
            )
    return compiled


def _path_schema(_language: QueryLanguage) -> JsonObject:
    return {"type": "string", "pattern": r"^(\$|States\.)"}


_PATH: Final = Custom(_read_text_path, _path_schema)
_TEXT: Final = OrJsonata(Text(), "string")

TABLE: Final = FieldTable(
    "a Fail state",
    *EVERY_STATE,
    Field("Error", _TEXT, "The name of the error, for Retry and Catch around it.", "error"),
    Field(
        "ErrorPath",
        _PATH,
        "A path or intrinsic that gives Error.",
        "error_path",
        JSONPATH,
        text_attribute="error_path_text",
    ),
    Field("Cause", _TEXT, "What happened, for people.", "cause"),
    Field(
        "CausePath",
        _PATH,
        "A path or intrinsic that gives Cause.",
        "cause_path",
        JSONPATH,
        text_attribute="cause_path_text",
    ),
    exclusive=[("Error", "ErrorPath"), ("Cause", "CausePath")],
)


def _build(attributes: Attributes) -> FailState:
    return FailState(type=StateType.FAIL, **attributes)


def _check(_value: JsonObject, _place: Place) -> None:
    """The table says it all."""


SYNTAX: Final = StateSyntax(TABLE, _build, _check)
