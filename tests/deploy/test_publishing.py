"""Definitions are published through the real API: versions, an alias, and what happens when a step is repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from asl_engine.deploy.definitions_function import perform
from asl_engine.deploy.publishing import ApiError
from asl_engine.errors import RequestError
from asl_engine.json_value import JsonObject
from tests.api.services import MACHINE, ROLE, service

ALIAS = f"{MACHINE}:live"
PASS: dict[str, Any] = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}


class Api:
    """The API in memory, called as the function `definitions` calls it. Counts what it was asked."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner, self._service = runner, service()
        self.asked: list[str] = []

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        self.asked.append(operation)
        try:
            return self._runner.run(self._service.call(operation, request))
        except RequestError as error:
            raise ApiError(error.code, str(error)) from error

    def deploy(self, definition: dict[str, Any], **properties: Any) -> JsonObject:
        given = {"name": "orders", "type": "STANDARD", "definition": json.dumps(definition), "alias": "live"}
        return perform(self, False, {**given, "roleArn": ROLE, **properties}, "eu-west-1")

    def withdraw(self) -> JsonObject:
        properties = {"name": "orders", "type": "STANDARD", "definition": "", "alias": "live", "roleArn": ROLE}
        return perform(self, True, properties, "eu-west-1")

    def version(self) -> str:
        """The version that the alias names."""
        alias = self.call("DescribeStateMachineAlias", {"stateMachineAliasArn": ALIAS})
        routes: Any = alias["routingConfiguration"]
        return str(routes[0]["stateMachineVersionArn"])


@pytest.fixture
def api() -> Iterator[Api]:
    with asyncio.Runner() as runner:
        yield Api(runner)


def test_a_new_definition_becomes_version_1_behind_the_alias(api: Api) -> None:
    answer = api.deploy(PASS)

    assert answer == {
        "stateMachineArn": MACHINE,
        "stateMachineVersionArn": f"{MACHINE}:1",
        "aliasArn": ALIAS,
    }
    assert api.version() == f"{MACHINE}:1"


def test_a_changed_definition_becomes_the_next_version_and_the_alias_moves(api: Api) -> None:
    api.deploy(PASS)

    api.deploy({**PASS, "Comment": "changed"})

    assert api.version() == f"{MACHINE}:2"
    first = api.call("DescribeStateMachine", {"stateMachineArn": f"{MACHINE}:1"})
    assert "changed" not in str(first["definition"])


def test_deploying_again_changes_nothing(api: Api) -> None:
    api.deploy(PASS)
    api.asked.clear()

    assert api.deploy(PASS)["stateMachineVersionArn"] == f"{MACHINE}:1"
    assert "UpdateStateMachine" not in api.asked


def test_an_interrupted_deployment_is_finished_by_the_next(api: Api) -> None:
    api.call("CreateStateMachine", {"name": "orders", "definition": json.dumps(PASS), "roleArn": ROLE})

    api.deploy(PASS)

    assert api.version() == f"{MACHINE}:1"


def test_an_execution_stays_on_the_version_that_it_was_started_with(api: Api) -> None:
    waiting = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
    api.deploy(waiting)
    arn = api.call("StartExecution", {"stateMachineArn": ALIAS})["executionArn"]

    api.deploy(PASS)

    description = api.call("DescribeExecution", {"executionArn": arn})
    assert description["stateMachineVersionArn"] == f"{MACHINE}:1"


def test_placeholders_get_their_values_and_others_stay(api: Api) -> None:
    definition = {**PASS, "Comment": "${Stage} ${Other} ${AWS::Region}"}

    api.deploy(definition, substitutions={"Stage": "prod", "AWS::Region": "eu-west-1"})

    found = api.call("DescribeStateMachine", {"stateMachineArn": MACHINE})["definition"]
    assert json.loads(str(found))["Comment"] == "prod ${Other} eu-west-1"


def test_an_invalid_definition_is_refused_and_the_alias_stays(api: Api) -> None:
    api.deploy(PASS)

    with pytest.raises(ApiError) as refused:
        api.deploy({**PASS, "StartAt": "Gone"})

    assert refused.value.code == "InvalidDefinition"
    assert api.version() == f"{MACHINE}:1"


def test_a_machine_of_another_type_is_refused_with_a_way_out(api: Api) -> None:
    api.deploy(PASS)

    with pytest.raises(ApiError, match=r"orders is STANDARD and would become EXPRESS.*another name"):
        api.deploy(PASS, type="EXPRESS")


def test_withdrawing_takes_alias_and_machine_and_may_be_repeated(api: Api) -> None:
    api.deploy(PASS)

    assert api.withdraw() == {}

    api.asked.clear()
    api.withdraw()
    assert api.asked == ["DescribeStateMachine"]
