"""What both deployments put into the secret is what the approval functions read, and their client reaches the API."""

from __future__ import annotations

import re
from typing import Any

import pytest

from asl_engine.api.gateway_signing import gateway_region
from asl_engine.approvals.aws_clients import aws_client
from asl_engine.approvals.signing import SigningKeys

OLD, NEW = "ab" * 32, "cd" * 32


def test_keys_as_secrets_manager_makes_them_are_read_and_the_first_signs() -> None:
    written = SigningKeys.parse(f'{{"k2": "{NEW}", "k1": "{OLD}"}}')

    signed = written.sign("link", "text")

    assert SigningKeys.parse(f"k2:{NEW}").verified("link", signed) == "text"
    assert written.verified("link", SigningKeys.parse(f"k1:{OLD}").sign("link", "old")) == "old"


@pytest.mark.parametrize(
    ("endpoint_url", "region"),
    [
        ("https://abc.execute-api.eu-north-1.amazonaws.com", "eu-north-1"),
        ("https://abc.execute-api.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
        ("https://execute-api.eu-north-1.amazonaws.com.example.com", None),
        ("http://127.0.0.1:8083", None),
        (None, None),
    ],
)
def test_an_api_gateway_endpoint_is_told_from_any_other(endpoint_url: str | None, region: str | None) -> None:
    assert gateway_region(endpoint_url) == region


@pytest.mark.parametrize(
    ("endpoint_url", "service"),
    [("https://abc.execute-api.eu-north-1.amazonaws.com", "execute-api"), ("http://127.0.0.1:8083", "states")],
)
def test_a_decision_is_sent_with_the_signature_that_its_receiver_expects(
    endpoint_url: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    client = aws_client("stepfunctions", endpoint_url=endpoint_url, region="eu-north-1")
    sent: list[Any] = []

    def keep(request: Any, **_: object) -> None:
        sent.append(request)
        raise ConnectionAbortedError

    client.meta.events.register("before-send.sfn", keep)
    with pytest.raises(ConnectionAbortedError):
        client.send_task_success(taskToken="token", output="{}")

    scope = re.search(r"/([\w-]+)/aws4_request", sent[0].headers["Authorization"].decode())
    assert scope is not None
    assert scope[1] == service
