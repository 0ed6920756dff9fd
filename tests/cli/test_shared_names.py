"""Executions of two state machines may share a name: no command picks one of them by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import APPROVAL, Asl

Write = Callable[[str, Any], Path]
ARNS = {
    machine: f"arn:aws:states:us-east-1:123456789012:execution:{machine}:order-7" for machine in ("approval", "second")
}


@pytest.fixture
def shared(asl: Asl, waiting: str, write: Write) -> str:
    """The name of two executions that wait for an answer."""
    write("second.asl.json", APPROVAL)
    stalled = asl("run", "second.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", waiting)
    assert stalled.exit_code == 3, stalled.output
    assert f"asl resume {ARNS['second']} --tasks tasks.py" in stalled.stdout
    assert f"asl approve {ARNS['second']}" in stalled.stdout
    return waiting


@pytest.mark.parametrize("command", ["describe", "history", "resume", "stop", "approve", "reject"])
def test_a_shared_name_is_refused_with_the_arns(asl: Asl, shared: str, command: str) -> None:
    refused = asl(command, shared)

    assert refused.exit_code == 2
    assert '2 executions have the name "order-7"; give the ARN of one:' in refused.stderr
    assert all(f"RUNNING    {arn}" in refused.stderr for arn in ARNS.values())
    assert [one["status"] for one in asl.json("list")["executions"]] == ["RUNNING", "RUNNING"]


def test_an_arn_tells_which(asl: Asl, shared: str) -> None:
    assert asl("stop", ARNS["approval"]).exit_code == 0
    assert asl.json("describe", ARNS["approval"])["status"] == "ABORTED"
    assert asl.json("describe", ARNS["second"])["status"] == "RUNNING"


def test_the_only_one_that_is_open_is_meant_by_what_changes_it(asl: Asl, shared: str) -> None:
    asl("stop", ARNS["second"])
    approved = asl("approve", shared)
    resumed = asl("resume", shared, "--tasks", "tasks.py", "--json")

    assert f"asl resume {ARNS['approval']} --tasks FILE" in approved.stdout
    assert json.loads(resumed.stdout)["executionArn"] == ARNS["approval"]
    assert asl.json("describe", ARNS["approval"])["status"] == "SUCCEEDED"
    assert asl("stop", shared).exit_code == 2, "none is open, so none is meant"


def test_what_is_only_looked_at_is_named_exactly(asl: Asl, shared: str) -> None:
    asl("stop", ARNS["second"])
    refused = asl("describe", shared)

    assert refused.exit_code == 2
    assert f"ABORTED    {ARNS['second']}" in refused.stderr
