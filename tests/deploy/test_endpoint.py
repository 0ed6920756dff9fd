"""A deployed engine is called like Step Functions, with signatures that API Gateway accepts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from asl_engine.deploy.endpoint import step_functions_client

GATEWAY = "https://abc123.execute-api.eu-north-1.amazonaws.com"


TARGETS = {"AWSStepFunctions.StartSyncExecution", b"AWSStepFunctions.StartSyncExecution"}


class Sent(Exception):
    """Stops a request before it leaves."""


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def request_of(endpoint_url: str) -> Any:
    client = step_functions_client(endpoint_url)
    sent: list[Any] = []

    def keep(request: Any, **_: object) -> None:
        sent.append(request)
        raise Sent

    client.meta.events.register("before-send.sfn", keep)
    with pytest.raises(Sent):
        client.start_sync_execution(stateMachineArn="arn:aws:states:eu-north-1:123456789012:stateMachine:orders")
    return sent[0]


@pytest.mark.parametrize(("endpoint_url", "region"), [(GATEWAY, "eu-north-1"), ("http://127.0.0.1:1", "eu-west-1")])
def test_requests_are_signed_for_execute_api_in_the_endpoint_s_region(endpoint_url: str, region: str) -> None:
    request = request_of(endpoint_url)

    scope = re.search(rb"Credential=test/\d+/([\w-]+)/([\w-]+)/aws4_request", request.headers["Authorization"])
    assert scope is not None
    assert scope.groups() == (region.encode(), b"execute-api")


def test_the_host_has_no_prefix_and_the_operation_is_named() -> None:
    request = request_of(GATEWAY)

    assert request.url == f"{GATEWAY}/"
    assert request.headers["X-Amz-Target"] in {
        "AWSStepFunctions.StartSyncExecution",
        b"AWSStepFunctions.StartSyncExecution",
    }
