from __future__ import annotations

from typing import Any

import pytest

from asl_engine.api.operations import OPERATIONS
from asl_engine.api.request_model import check_request, operations
from asl_engine.errors import (
    NotImplementedOperation,
    SerializationException,
    UnknownOperationException,
    ValidationException,
)
from tests.api.services import Caller, story

MACHINE = {"name": "orders", "definition": "{}", "roleArn": "arn:aws:iam::123456789012:role/r"}

ROUTE = "RoutingConfigurationListItem(stateMachineVersionArn=v:1, weight=50)"


@pytest.mark.parametrize(
    ("operation", "request_", "place", "constraint"),
    [
        ("CreateStateMachine", {**MACHINE, "name": None}, "null at 'name'", "not be null"),
        ("CreateActivity", {"name": ""}, "'' at 'name'", "have length greater than or equal to 1"),
        ("CreateActivity", {"name": "a" * 81}, f"'{'a' * 81}' at 'name'", "have length less than or equal to 80"),
        (
            "ListStateMachines",
            {"nextToken": "a" * 1_025},
            f"'{'a' * 1_025}' at 'nextToken'",
            "have length less than or equal to 1024",
        ),
        (
            "CreateStateMachineAlias",
            {"name": "live", "routingConfiguration": [{"stateMachineVersionArn": "v:1", "weight": 50}] * 3},
            f"'[{', '.join([ROUTE] * 3)}]' at 'routingConfiguration'",
            "have length less than or equal to 2",
        ),
        ("ListExecutions", {"maxResults": 1001}, "'1001' at 'maxResults'", "have value less than or equal to 1000"),
        ("ListExecutions", {"maxResults": -1}, "'-1' at 'maxResults'", "have value greater than or equal to 0"),
        (
            "CreateStateMachine",
            {**MACHINE, "type": "QUICK"},
            "'QUICK' at 'type'",
            "satisfy enum value set: [STANDARD, EXPRESS]",
        ),
        (
            "CreateStateMachine",
            {**MACHINE, "loggingConfiguration": {"level": "LOUD"}},
            "'LOUD' at 'loggingConfiguration.level'",
            "satisfy enum value set: [ALL, ERROR, FATAL, OFF]",
        ),
        (
            "TagResource",
            {"resourceArn": "arn", "tags": [{"key": ""}]},
            "'' at 'tags.1.member.key'",
            "have length greater than or equal to 1",
        ),
    ],
)
def test_a_violation_is_told_in_the_words_of_aws(
    operation: str, request_: dict[str, Any], place: str, constraint: str
) -> None:
    with pytest.raises(ValidationException) as refused:
        check_request(operation, request_)

    expected = f"Value {place} failed to satisfy constraint: Member must {constraint}"
    assert str(refused.value) == f"1 validation error detected: {expected}"


def test_all_violations_are_told_at_once() -> None:
    with pytest.raises(ValidationException, match=r"^3 validation errors detected: .*'name'.*; .*; .*"):
        check_request("CreateStateMachine", {})


def test_a_secret_value_is_not_repeated() -> None:
    with pytest.raises(ValidationException, match=r": Value at 'input' failed") as refused:
        check_request("StartExecution", {"stateMachineArn": "arn", "input": "secret" * 100_000})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ListExecutions", []),
        ("ListExecutions", {"maxResults": "10"}),
        ("ListExecutions", {"maxResults": True}),
        ("ListExecutions", {"maxResults": 1.5}),
        ("CreateActivity", {"name": 7}),
        ("CreateActivity", {"name": "a", "tags": {}}),
        ("CreateStateMachineAlias", {"name": "a", "routingConfiguration": [["route"]] * 3}),
        ("CreateActivity", {"name": "a", "tags": ["tag"]}),
        ("GetExecutionHistory", {"executionArn": "arn", "reverseOrder": "yes"}),
        ("CreateStateMachine", {**MACHINE, "tracingConfiguration": "on"}),
    ],
)
def test_a_member_of_another_type_cannot_be_read(operation: str, request_: object) -> None:
    with pytest.raises(SerializationException):
        check_request(operation, request_)


def test_unknown_members_are_ignored_and_nulls_are_absent() -> None:
    assert check_request("ListActivities", {"maxResults": None, "colour": "red"}) == {"colour": "red"}


def test_only_operations_of_the_api_are_known() -> None:
    with pytest.raises(UnknownOperationException):
        check_request("DestroyEverything", {})
    assert OPERATIONS.keys() <= operations()


@story
async def test_an_operation_that_is_still_missing_says_so(call: Caller) -> None:
    with pytest.raises(NotImplementedOperation, match="does not implement RedriveExecution yet"):
        await call("RedriveExecution", executionArn="arn:aws:states:eu-west-1:1:execution:a:b")
