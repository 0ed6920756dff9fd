"""Parallel: runs branches side by side, and goes on when all have ended."""

from typing import Final

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.branch import BRANCH, StateSyntax, read_branch
from asl_engine.language.definition import Branch, ParallelState, QueryLanguage, StateType
from asl_engine.language.error_handling import CATCH, RETRY
from asl_engine.language.fields import Attributes, Field, FieldTable, expected
from asl_engine.language.kinds import Custom
from asl_engine.language.place import Place, child_branch_key
from asl_engine.language.state_fields import (
    ARGUMENTS,
    ASSIGN,
    EVERY_STATE,
    OUTPUT,
    PARAMETERS,
    PATHS,
    RESULT_PATH,
    RESULT_SELECTOR,
    TRANSITION,
    check_transition,
)


def _read_branches(value: JsonValue, place: Place, name: str) -> tuple[Branch, ...]:
    if not isinstance(value, list):
        expected(place, "an array of branches", value, name)
        return ()
    if not value:
        place.error("Value cannot be empty", name)
    branches = []
    for index, item in enumerate(value):
        key = child_branch_key(place, index)
        branch, _ = read_branch(BRANCH, item, place.at(name, index), key=key, outer=place.reading)
        if branch is not None:
            branches.append(branch)
    return tuple(branches)


def _branches_schema(_language: QueryLanguage) -> JsonObject:
    return {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/branch"}}


TABLE: Final = FieldTable(
    "a Parallel state",
    *EVERY_STATE,
    *TRANSITION,
    *PATHS,
    PARAMETERS,
    ARGUMENTS,
    Field(
        "Branches",
        Custom(_read_branches, _branches_schema),
        "The branches; the result is an array of their outputs, in this order.",
        "branches",
        required=True,
    ),
    RESULT_SELECTOR,
    RESULT_PATH,
    ASSIGN,
    OUTPUT,
    RETRY,
    CATCH,
)


def _build(attributes: Attributes) -> ParallelState:
    return ParallelState(type=StateType.PARALLEL, **attributes)


SYNTAX: Final = StateSyntax(TABLE, _build, check_transition)
