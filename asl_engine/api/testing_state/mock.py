"""The mock of a tested state: what stands for the work of a Task, a Map or a Parallel, and whether it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, assert_never

from asl_engine.api.testing_state.result_schema import check_result
from asl_engine.errors import InvalidJson, ValidationException
from asl_engine.expressions.scope import Expression
from asl_engine.interpreter.failure import StatesError
from asl_engine.json_value import JsonValue, parse_json
from asl_engine.language.definition import (
    MapState,
    ParallelState,
    Resource,
    ResourceType,
    State,
    StateType,
    TaskState,
)


class FieldValidationMode(StrEnum):
    """How strictly a mocked result is held against the API that would have given it."""

    STRICT = "STRICT"
    PRESENT = "PRESENT"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Result:
    """Work that ended well."""

    value: JsonValue


Work = Result | StatesError


def read_mock(mock: Mapping[str, Any], state: State) -> Work:
    """The mock of a request. Raises ValidationException for one that the state cannot have."""
    result, error_output = mock.get("result"), mock.get("errorOutput")
    if (result is None) == (error_output is None):
        raise ValidationException("A test mock should have only one of the following fields: [result, errorOutput].")
    if not isinstance(state, TaskState | MapState | ParallelState):
        raise ValidationException(f"State type '{state.type}' is not supported when a mock is specified")
    if error_output is not None:
        if error_output.get("error") is None:
            raise ValidationException("Mocked errorOutput must have an error.")
        return StatesError(error_output["error"], error_output.get("cause"))
    assert result is not None
    try:
        value = parse_json(result)
    except InvalidJson as error:
        raise ValidationException("Mocked result must be valid JSON") from error
    _check(value, state, FieldValidationMode(mock.get("fieldValidationMode") or FieldValidationMode.STRICT))
    return Result(value)


def _check(value: JsonValue, state: TaskState | MapState | ParallelState, mode: FieldValidationMode) -> None:
    match state:
        case TaskState():
            if mode is not FieldValidationMode.NONE:
                check_result(value, state.resource, requires_all=mode is FieldValidationMode.STRICT)
        case MapState(result_writer=writer):
            if writer is None and not isinstance(value, list):
                raise ValidationException("Mocked result must be an array.")
            if writer is not None and not isinstance(value, dict):
                raise ValidationException("Mocked result must be a JSON object.")
        case ParallelState(branches=branches):
            if not isinstance(value, list):
                raise ValidationException("Mocked result must be an array.")
            if len(value) != len(branches):
                raise ValidationException(
                    "Mocked result must contain the same number of items as number of Parallel branches."
                )
        case _:
            assert_never(state)


def as_task(state: MapState | ParallelState, arguments: Expression | None) -> TaskState:
    """A Task whose work is the mocked one of a Map or Parallel: the data flow around it is the same."""
    shared: dict[str, Any] = {field.name: getattr(state, field.name) for field in fields(State) if field.init}
    shared |= {"type": StateType.TASK, "parameters": arguments}
    return TaskState(**shared, resource=Resource(arn=state.name, type=ResourceType.LAMBDA_FUNCTION))
