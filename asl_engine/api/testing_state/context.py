"""The Context object of a tested state: the caller's own, checked, or one of an Express execution made for the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asl_engine.errors import InvalidJson, ValidationException
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_value import JsonObject, JsonValue, parse_json
from asl_engine.language.definition import IntegrationPattern, ResourceType, State, StateType, TaskState

_FIELDS: Final[dict[str, dict[str, type | None]]] = {
    "Execution": {"Id": str, "Input": None, "Name": str, "RoleArn": str, "StartTime": str, "RedriveCount": int},
    "State": {"EnteredTime": str, "Name": str, "RetryCount": int},
    "StateMachine": {"Id": str, "Name": str},
    "Task": {"Token": str},
}
_KINDS: Final[dict[type | None, str]] = {str: "a string", int: "a number"}
_COUNTS_RETRIES: Final = frozenset({StateType.TASK, StateType.MAP, StateType.PARALLEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Names of the execution that a test pretends to be."""

    region: str
    account: str
    state_machine_name: str
    execution_name: str
    execution_id: str

    @property
    def execution_arn(self) -> str:
        """The ARN of an Express execution."""
        return f"{self._prefix}:express:{self.state_machine_name}:{self.execution_name}:{self.execution_id}"

    @property
    def state_machine_arn(self) -> str:
        """The ARN of its state machine."""
        return f"{self._prefix}:stateMachine:{self.state_machine_name}"

    @property
    def _prefix(self) -> str:
        return f"arn:aws:states:{self.region}:{self.account}"


def made_context(
    state: State, identity: Identity, input: JsonValue, *, role_arn: str | None, retry_count: int, now: int
) -> JsonObject:
    """What `$$` and `$states.context` are when the caller gives none. `now` is epoch milliseconds."""
    execution: JsonObject = {
        "Id": identity.execution_arn,
        "Input": input,
        "StartTime": format_timestamp(now),
        "Name": identity.execution_name,
    }
    if role_arn is not None:
        execution["RoleArn"] = role_arn
    entered: JsonObject = {"Name": state.name, "EnteredTime": format_timestamp(now)}
    if state.type in _COUNTS_RETRIES:
        entered["RetryCount"] = retry_count
    context: JsonObject = {
        "Execution": execution,
        "StateMachine": {"Id": identity.state_machine_arn, "Name": identity.state_machine_name},
        "State": entered,
    }
    if isinstance(state, TaskState) and _has_token(state):
        context["Task"] = {"Token": identity.execution_id}
    return context


def _has_token(state: TaskState) -> bool:
    resource = state.resource
    return resource.type is ResourceType.ACTIVITY or resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN


def given_context(text: str) -> JsonObject:
    """The caller's own Context object, as it is: nothing is added. Raises ValidationException."""
    try:
        context = parse_json(text)
    except InvalidJson as error:
        raise _invalid("it must be valid JSON") from error
    if not isinstance(context, dict):
        raise _invalid("it must be a JSON object")
    for name, section in context.items():
        _check_section(name, section)
    return context


def _check_section(name: str, section: JsonValue) -> None:
    if name == "Map":
        raise _invalid("'Map' field is not supported when mocking a Context object")
    if name not in _FIELDS:
        raise _invalid(f"Field '{name}' is not allowed")
    if not isinstance(section, dict):
        raise _invalid(f"{name} must be an object")
    for member, value in section.items():
        if member not in _FIELDS[name]:
            raise _invalid(f"Field '{member}' is not allowed")
        kind = _FIELDS[name][member]
        if kind is not None and type(value) is not kind:
            raise _invalid(f"{name}.{member} must be {_KINDS[kind]}")


def _invalid(reason: str) -> ValidationException:
    return ValidationException(f"Invalid Context object provided: {reason}")
