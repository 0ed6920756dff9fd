"""Publishing a definition through the Step Functions API: a version for each change, and an alias for the newest.

Each step may be repeated: a deployment that was interrupted is run again. Executions that are running stay on the
definition they were started with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from asl_engine.deploy.placeholders import filled
from asl_engine.errors import AslError
from asl_engine.json_value import JsonObject


class ApiError(AslError):
    """An error that the API answered. `code` is its name there."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class StepFunctionsApi(Protocol):
    """The Step Functions API, wherever it is."""

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """The answer to a request. Raises ApiError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A definition as a deployment gives it. Its `${Placeholders}` are replaced by `substitutions`."""

    name: str
    definition: str
    state_machine_arn: str
    role_arn: str
    alias: str = "live"
    type: str = "STANDARD"
    substitutions: Mapping[str, str] = field(default_factory=dict)

    @property
    def alias_arn(self) -> str:
        """The ARN to start executions with."""
        return f"{self.state_machine_arn}:{self.alias}"

    @property
    def text(self) -> str:
        """The definition with its placeholders replaced; those that nobody gave a value stay."""
        return filled(self.definition, self.substitutions)


def publish(api: StepFunctionsApi, deployed: Deployed) -> JsonObject:
    """Create or update the state machine, publish it and switch the alias. Raises ApiError."""
    _create_or_update(api, deployed)
    version = api.call("PublishStateMachineVersion", {"stateMachineArn": deployed.state_machine_arn})
    version_arn = version["stateMachineVersionArn"]
    _switch_alias(api, deployed, [{"stateMachineVersionArn": version_arn, "weight": 100}])
    return {
        "stateMachineArn": deployed.state_machine_arn,
        "stateMachineVersionArn": version_arn,
        "aliasArn": deployed.alias_arn,
    }


def withdraw(api: StepFunctionsApi, deployed: Deployed) -> None:
    """Delete the alias and the state machine. What is running goes on to its end. Raises ApiError."""
    if _described(api, deployed) is None:
        return
    api.call("DeleteStateMachineAlias", {"stateMachineAliasArn": deployed.alias_arn})
    api.call("DeleteStateMachine", {"stateMachineArn": deployed.state_machine_arn})


def _create_or_update(api: StepFunctionsApi, deployed: Deployed) -> None:
    known = _described(api, deployed)
    wanted: JsonObject = {"definition": deployed.text, "roleArn": deployed.role_arn}
    if known is None:
        api.call("CreateStateMachine", {"name": deployed.name, "type": deployed.type, **wanted})
    elif known["type"] != deployed.type:
        raise ApiError(
            "ConflictException",
            f"{deployed.name} is {known['type']} and would become {deployed.type}, which no state machine can: "
            "give the definition another name",
        )
    elif {field: known[field] for field in wanted} != wanted:
        api.call("UpdateStateMachine", {"stateMachineArn": deployed.state_machine_arn, **wanted})


def _described(api: StepFunctionsApi, deployed: Deployed) -> JsonObject | None:
    try:
        return api.call("DescribeStateMachine", {"stateMachineArn": deployed.state_machine_arn})
    except ApiError as error:
        if error.code == "StateMachineDoesNotExist":
            return None
        raise


def _switch_alias(api: StepFunctionsApi, deployed: Deployed, routes: list[JsonObject]) -> None:
    try:
        api.call(
            "UpdateStateMachineAlias", {"stateMachineAliasArn": deployed.alias_arn, "routingConfiguration": [*routes]}
        )
    except ApiError as error:
        if error.code != "ResourceNotFound":
            raise
        api.call("CreateStateMachineAlias", {"name": deployed.alias, "routingConfiguration": [*routes]})
