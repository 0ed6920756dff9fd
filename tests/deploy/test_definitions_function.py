"""CloudFormation always gets an answer, whatever happens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.deploy.definitions_function import handle
from tests.integrations.lambda_service import Behaviour, Invocation, LambdaService, Reply, lambda_service

PROPERTIES = {
    "name": "orders",
    "type": "STANDARD",
    "definition": "{}",
    "alias": "live",
    "roleArn": "arn:aws:iam::123456789012:role/asl-engine",
}
ENVIRON = {"ASL_API_FUNCTION": "asl-engine-api", "AWS_REGION": "eu-west-1"}


def api_answering(answers: dict[str, dict[str, Any]]) -> Behaviour:
    """The function `api` behind Lambda's Invoke; what is not an invocation is CloudFormation's URL."""

    def behave(invocation: Invocation) -> Reply:
        request = json.loads(invocation.body)
        operation = request["headers"]["x-amz-target"].partition(".")[2]
        answer = answers.get(operation, {"statusCode": 200, "body": "{}"})
        return Reply(body=json.dumps(answer).encode())

    return behave


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    # What Lambda sets, and what makes the SDK chain invocations.
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "asl-engine-definitions")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-1-1;Parent=1;Sampled=0;Lineage=1:1:1")


def asked(service: LambdaService) -> list[str]:
    return [json.loads(each.body)["headers"]["x-amz-target"] for each in service.invocations]


def test_terraform_gets_the_arns(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"statusCode": 400, "body": json.dumps({"__type": "StateMachineDoesNotExist", "message": "none"})}
    version = {"statusCode": 200, "body": json.dumps({"stateMachineVersionArn": "arn:1"})}
    with lambda_service(
        api_answering({"DescribeStateMachine": missing, "PublishStateMachineVersion": version})
    ) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
        answer = handle({"terraform": {"action": "create"}, **PROPERTIES}, ENVIRON)

    assert answer["aliasArn"] == "arn:aws:states:eu-west-1:123456789012:stateMachine:orders:live"
    assert asked(service) == [
        f"AWSStepFunctions.{operation}"
        for operation in (
            "DescribeStateMachine",
            "CreateStateMachine",
            "PublishStateMachineVersion",
            "UpdateStateMachineAlias",
        )
    ]
    assert {each.path for each in service.invocations} == {"/2015-03-31/functions/asl-engine-api/invocations"}
    assert not any("X-Amzn-Trace-Id" in each.headers for each in service.invocations)


class CloudFormation:
    """Takes the answer that a stack waits for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[dict[str, Any]] = []
        monkeypatch.setattr("asl_engine.deploy.definitions_function._put", self._take)

    def _take(self, url: str, answer: dict[str, Any]) -> None:
        assert url == "https://example.com/answer"
        self.answers.append(answer)

    def event(self, kind: str) -> dict[str, Any]:
        names = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Orders"}
        return {
            "RequestType": kind,
            "ResponseURL": "https://example.com/answer",
            "ResourceProperties": PROPERTIES,
            **names,
        }


def test_cloudformation_is_told_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = CloudFormation(monkeypatch)
    refusal = {"statusCode": 400, "body": json.dumps({"__type": "AccessDenied", "message": "no"})}
    with lambda_service(api_answering({"DescribeStateMachine": refusal})) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
        handle(stack.event("Create"), ENVIRON)

    (answer,) = stack.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "ApiError: AccessDenied: DescribeStateMachine: no"
    assert answer["PhysicalResourceId"] == "orders"


def test_cloudformation_deletes_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = CloudFormation(monkeypatch)
    missing = {"statusCode": 400, "body": json.dumps({"__type": "StateMachineDoesNotExist", "message": "none"})}
    with lambda_service(api_answering({"DescribeStateMachine": missing})) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
        handle(stack.event("Delete"), ENVIRON)

    assert [(each["Status"], each["Data"]) for each in stack.answers] == [("SUCCESS", {})]


def test_a_function_that_failed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = CloudFormation(monkeypatch)
    failed = Reply(body=b'{"errorMessage": "out of memory"}', headers={"X-Amz-Function-Error": "Unhandled"})
    with lambda_service(lambda _: failed) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
        handle(stack.event("Update"), ENVIRON)

    assert "asl-engine-api failed in DescribeStateMachine" in stack.answers[0]["Reason"]
    assert "out of memory" in stack.answers[0]["Reason"]
