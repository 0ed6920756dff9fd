"""How clients find their endpoint, region and identity."""

from __future__ import annotations

import importlib.util

import pytest

from asl_engine.errors import AslError
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.integrations.registry import integrations

KEY = "AWS_ACCESS_KEY_ID"


@pytest.mark.parametrize(
    ("environ", "service", "endpoint"),
    [
        ({}, "lambda", None),
        ({"AWS_ENDPOINT_URL": "http://all"}, "lambda", "http://all"),
        ({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_LAMBDA": "http://one"}, "lambda", "http://one"),
        ({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_LAMBDA": "http://one"}, "batch", "http://all"),
        ({"AWS_ENDPOINT_URL_EVENTBRIDGE": "http://bus"}, "events", "http://bus"),
        ({"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://logs"}, "logs", "http://logs"),
        ({"AWS_ENDPOINT_URL_LAMBDA": "http://one", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "lambda", None),
        ({"AWS_ENDPOINT_URL_LAMBDA": ""}, "lambda", None),
    ],
)
def test_the_endpoint_comes_from_the_variables_of_boto3(
    environ: dict[str, str], service: str, endpoint: str | None
) -> None:
    clients = AwsClients(environ=environ)
    assert clients.endpoint_url(service) == endpoint
    assert clients.reaches(service) is (endpoint is not None)


@pytest.mark.parametrize(
    ("url", "is_local"),
    [("http://127.0.0.1:1", True), ("https://vpce-1.batch.eu-west-1.vpce.amazonaws.com", False)],
)
def test_an_endpoint_inside_aws_needs_a_real_identity(url: str, is_local: bool) -> None:
    assert AwsClients(endpoint_url=url, environ={}).is_local("batch") is is_local


def test_clients_share_a_session_unless_one_is_an_emulator_s() -> None:
    clients = AwsClients(environ={})
    assert clients.session(True) is clients.session(True)
    assert clients.session(True) is not clients.session(False)


def test_credentials_and_a_region_reach_every_service() -> None:
    assert AwsClients(environ={KEY: "key", "AWS_REGION": "eu-west-1"}).reaches("batch")
    assert not AwsClients(environ={KEY: "key"}).reaches("batch")
    assert AwsClients(environ={}, has_identity=True).reaches("batch")


def test_an_environment_that_reaches_nothing_has_no_integrations() -> None:
    assert integrations({}) is None
    assert integrations({"AWS_ENDPOINT_URL_BATCH": "http://one"}) is not None


@pytest.mark.parametrize("endpoint_url", ["localhost:9001", "9001", "http://", "http://[::1"])
def test_an_endpoint_that_is_no_url_is_refused_at_once(endpoint_url: str) -> None:
    with pytest.raises(AslError, match="write http://host:port"):
        AwsClients(endpoint_url=endpoint_url)
    with pytest.raises(AslError, match="write http://host:port"):
        AwsClients(environ={"AWS_ENDPOINT_URL_SQS": endpoint_url})


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AslError, match=r'pip install "asl-engine\[aws\]"'):
        AwsClients()
    with pytest.raises(AslError, match=r'pip install "asl-engine\[aws\]"'):
        integrations({"AWS_ENDPOINT_URL": "http://one"})
    assert integrations({}) is None
