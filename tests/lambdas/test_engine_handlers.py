"""The handlers of the functions that make up the engine: what Lambda imports and calls."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws.deployment import Context, http_request
from tests.aws.emulator import ROLE, Emulator, emulator
from tests.aws.test_settings import ENVIRONMENT

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("api", "engine", "job_events", "sweeper")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
WAITING = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 0, "End": True}}}
# Large, and of use to people at a terminal, in a test, or to a function that meets such a definition.
NEVER_IMPORTED = {"boto3", "click", "hypothesis", "jlens", "jsonschema", "moto", "pytest", "rich", "sqlite3", "yaml"}
NEVER_IMPORTED |= {f"asl_engine.{name}" for name in ("approvals", "cli", "deploy", "graph", "server", "testing")}
# The SDK takes as long as everything else; only `engine` does not leave it to its first event.
WITH_SDK = {"engine"}


def fresh(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASL_", "AWS_", "COV_"))}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=kept | environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_cold_start_imports_nothing_that_is_not_used(function: str) -> None:
    code = f"import json, sys, lambdas.{function}.handler; print(json.dumps(sorted(sys.modules)))"
    done = fresh(code, **ENVIRONMENT, **CREDENTIALS)
    assert done.returncode == 0, done.stderr
    imported = set(json.loads(done.stdout))

    assert not imported & NEVER_IMPORTED
    assert ("aiobotocore" in imported) == (function in WITH_SDK)
    assert not {name for name in imported if name.startswith("lambdas.")} - {
        f"lambdas.{function}",
        f"lambdas.{function}.handler",
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_setting_that_is_missing_fails_the_cold_start_and_is_named(function: str) -> None:
    incomplete = {name: value for name, value in ENVIRONMENT.items() if name != "ASL_TABLE"}
    done = fresh(f"import lambdas.{function}.handler", **incomplete, **CREDENTIALS)

    assert done.returncode == 1
    assert "ASL_TABLE is not set" in done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """The module of a function, as a new container imports it."""
    modules: list[Any] = []

    def imported(function: str) -> Any:
        monkeypatch.delitem(sys.modules, f"lambdas.{function}.handler", raising=False)
        modules.append(importlib.import_module(f"lambdas.{function}.handler"))
        return modules[-1]

    yield imported
    for module in modules:
        module.function.close()


def test_the_functions_run_an_execution_together(
    aws: Emulator, handler: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in aws.deploy("handlers").items():
        monkeypatch.setenv(name, value)
    api, engine, sweeper, job_events = (handler(name) for name in ("api", "engine", "sweeper", "job_events"))

    def call(operation: str, **members: Any) -> Any:
        answer = api.handle(http_request(operation, members), Context())
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"])

    machine = call("CreateStateMachine", name="waiting", definition=json.dumps(WAITING), roleArn=ROLE)
    arn = call("StartExecution", stateMachineArn=machine["stateMachineArn"], input="[1]")["executionArn"]
    sqs, queue_url = aws.client("sqs"), os.environ["ASL_QUEUE_URL"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        messages = sqs.receive_message(QueueUrl=queue_url, AttributeNames=["All"]).get("Messages", ())
        records = [{name[:1].lower() + name[1:]: value for name, value in message.items()} for message in messages]
        assert engine.handle({"Records": records}, Context()) == {"batchItemFailures": []}

    assert call("DescribeExecution", executionArn=arn)["output"] == "[1]"
    job_events.handle({"detail-type": "Batch Job State Change", "detail": {"status": "RUNNING"}}, Context())
    sweeper.handle({}, Context())
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["OpenExecutions"] == 0
