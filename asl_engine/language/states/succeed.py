"""Succeed: ends its branch well."""

from typing import Final

from asl_engine.json_value import JsonObject
from asl_engine.language.branch import StateSyntax
from asl_engine.language.definition import StateType, SucceedState
from asl_engine.language.fields import Attributes, FieldTable
from asl_engine.language.place import Place
from asl_engine.language.state_fields import EVERY_STATE, OUTPUT, PATHS

TABLE: Final = FieldTable("a Succeed state", *EVERY_STATE, *PATHS, OUTPUT)


def _build(attributes: Attributes) -> SucceedState:
    return SucceedState(type=StateType.SUCCEED, **attributes)


def _check(_value: JsonObject, _place: Place) -> None:
    """No rule concerns several fields."""


SYNTAX: Final = StateSyntax(TABLE, _build, _check)
