"""The command on a store in DynamoDB."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import APPROVAL, APPROVAL_TASKS, Asl
from tests.cli.test_serve import ROLE, SECONDS_MAX, client, ended, serving
from tests.store.dynamodb_tables import moto_url


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> str:
    """A store whose table does not exist yet."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", moto_url())
    return f"dynamodb:executions-{secrets.token_hex(6)}"


def test_what_was_run_can_be_looked_at(asl: Asl, hello: str, table: str) -> None:
    ran = asl("run", hello, "--name", "first", "--store", table)
    assert ran.exit_code == 0, ran.output
    assert [one["name"] for one in asl.json("list", "--store", table)["executions"]] == ["first"]
    assert asl.json("describe", "first", "--store", table)["output"] == '"world"'
    assert "ExecutionSucceeded" in asl("history", "first", "--store", table).stdout


def test_a_table_that_is_missing_is_named(asl: Asl, table: str) -> None:
    listed = asl("list", "--store", table)
    assert listed.exit_code == 2
    assert f"{table}: there is no such table" in listed.stderr


def test_an_answer_reaches_an_execution_that_runs_in_a_server(
    asl: Asl, table: str, write: Callable[[str, Any], Path]
) -> None:
    write("tasks.py", APPROVAL_TASKS)
    machine = str(write("approval.asl.json", APPROVAL).read_text(encoding="utf-8"))
    with serving(asl.directory, "--store", table, "--tasks", "tasks.py") as (process, url):
        steps = client(url)
        arn = steps.create_state_machine(name="approval", definition=machine, roleArn=ROLE)["stateMachineArn"]
        execution = steps.start_execution(stateMachineArn=arn, name="first")["executionArn"]
        while not asl.json("describe", "first", "--store", table).get("waitingFor"):
            pass
        assert asl("approve", "first", "--store", table).exit_code == 0
        while (shown := steps.describe_execution(executionArn=execution))["status"] == "RUNNING":
            pass
        assert shown["status"] == "SUCCEEDED"
        assert ended(process)[1] == 0
    assert [one["status"] for one in asl.json("list", "--store", table)["executions"]] == ["SUCCEEDED"]


def test_a_second_server_on_the_same_table_is_refused_until_the_first_ends(asl: Asl, table: str) -> None:
    second = [sys.executable, "-m", "asl_engine", "serve", "--port", "0", "--store", table]
    with serving(asl.directory, "--store", table) as (process, _url):
        refused = subprocess.run(
            second, cwd=asl.directory, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
        assert refused.returncode == 2
        assert "another `asl serve` runs on this store" in refused.stderr
        ended(process)
    with serving(asl.directory, "--store", table):
        """It serves: the claim ended with the process that held it."""
