"""A request of TestState, read and checked: one state of a definition, and everything that it is run with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asl_engine.api.actions.executions import read_input
from asl_engine.api.arns import check_role_arn
from asl_engine.api.jackson import invalid_json_text
from asl_engine.api.machines import compile_for, invalid_definition
from asl_engine.api.testing_state.context import given_context
from asl_engine.api.testing_state.item_data import ItemData, read_item_data
from asl_engine.api.testing_state.mock import Result, Work, read_mock
from asl_engine.errors import InvalidJson, InvalidStateMachineDefinition, ValidationException
from asl_engine.json_value import JsonObject, JsonValue, parse_json
from asl_engine.language.definition import (
    IntegrationPattern,
    MapState,
    ParallelState,
    ResourceType,
    State,
    TaskState,
)
from asl_engine.language.parser import parse_definition, parse_state


class InspectionLevel(StrEnum):
    """How much the answer tells. TRACE adds what an HTTP Task sent and received."""

    INFO = "INFO"
    DEBUG = "DEBUG"
    TRACE = "TRACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTest:
    """One state and what it is run with. `context` None: one is made for the test."""

    state: State
    input: JsonValue
    variables: JsonObject
    inspection_level: InspectionLevel
    role_arn: str | None
    mock: Work | None
    context: JsonObject | None
    retrier_retry_count: int
    map_iteration_failure_count: int
    item_data: ItemData | None


def read_request(request: Mapping[str, Any]) -> StateTest:
    """Read a request that fits the API's model.

    Raises InvalidArn, InvalidStateMachineDefinition, InvalidExecutionInput or ValidationException, in AWS's words.
    """
    if "roleArn" in request:
        check_role_arn(request["roleArn"])
    state = _state(request["definition"], request.get("stateName"))
    mock = _mock(request, state)
    configuration: Mapping[str, Any] = request.get("stateConfiguration") or {}
    failures = configuration.get("mapIterationFailureCount") or 0
    _check_failures(failures, mock)
    _check_origin(configuration.get("errorCausedByState"), state)
    context = request.get("context")
    return StateTest(
        state=state,
        input=read_input(request.get("input", "{}")),
        variables=_variables(request.get("variables", "{}")),
        inspection_level=InspectionLevel(request.get("inspectionLevel", InspectionLevel.INFO)),
        role_arn=request.get("roleArn"),
        mock=mock,
        context=None if context is None else given_context(context),
        retrier_retry_count=configuration.get("retrierRetryCount") or 0,
        map_iteration_failure_count=failures,
        item_data=_item_data(configuration.get("mapItemReaderData"), state),
    )


def _state(definition: str, name: str | None) -> State:
    """The state to test: the definition itself, or the one in it that is named."""
    if name is None:
        return _lone_state(definition)
    for branch in compile_for(definition, "STANDARD").branches.values():
        if name in branch.states:
            return branch.states[name]
    raise ValidationException("State not found in definition")


def _lone_state(definition: str) -> State:
    try:
        value = parse_json(definition)
    except InvalidJson:
        raise invalid_definition(parse_definition(definition).diagnostics, definition) from None
    parsed = parse_state(value)
    if parsed.machine is None:
        raise invalid_definition(parsed.diagnostics, definition)
    return parsed.machine.root.states[parsed.machine.root.start_at]


def _mock(request: Mapping[str, Any], state: State) -> Work | None:
    mock = request.get("mock")
    if mock is None:
        _check_without_mock(request, state)
        return None
    if request.get("revealSecrets"):
        raise ValidationException("TestState does not support RevealSecrets when a mock is specified.")
    return read_mock(mock, state)


def _check_without_mock(request: Mapping[str, Any], state: State) -> None:
    if isinstance(state, MapState | ParallelState):
        raise InvalidStateMachineDefinition(
            "TestState API does not support Map or Parallel states. "
            "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"
        )
    if "context" in request:
        raise ValidationException("A Context object can only be specified when a mock is specified")
    if not isinstance(state, TaskState):
        return
    if "roleArn" not in request:
        raise ValidationException("RoleArn must be specified when testing a Task state")
    resource = state.resource
    if resource.type is ResourceType.ACTIVITY or resource.pattern is not IntegrationPattern.REQUEST_RESPONSE:
        raise InvalidStateMachineDefinition(
            "TestState API supports Activity tasks and the .sync and .waitForTaskToken service integration patterns "
            "only when a mock is specified"
        )


def _check_failures(failures: int, mock: Work | None) -> None:
    if isinstance(mock, Result) and isinstance(mock.value, list) and failures > len(mock.value):
        raise ValidationException(
            "Map iteration failure count must be less than or equal to the number of Map iterations"
        )


def _check_origin(name: str | None, state: State) -> None:
    if name is not None and name not in _names_inside(state):
        raise ValidationException(f"State '{name}', said to have caused the error, is not inside the tested state")


def _names_inside(state: State) -> Iterator[str]:
    """The states inside a Map or Parallel, those of nested ones too."""
    match state:
        case MapState(item_processor=processor):
            branches = (processor,)
        case ParallelState(branches=branches):
            pass
        case _:
            return
    for branch in branches:
        yield from branch.states
        for inner in branch.states.values():
            yield from _names_inside(inner)


def _item_data(text: str | None, state: State) -> ItemData | None:
    if text is None:
        return None
    if not isinstance(state, MapState) or state.item_reader is None:
        raise ValidationException("mapItemReaderData can only be specified for a Map state with an ItemReader")
    return read_item_data(text, state.item_reader)


def _variables(text: str) -> JsonObject:
    try:
        variables = parse_json(text)
    except InvalidJson as error:
        raise ValidationException(f"Invalid variables provided: {invalid_json_text(text, error)}") from error
    if not isinstance(variables, dict):
        raise ValidationException("Invalid variables provided: they must be a JSON object")
    return variables
