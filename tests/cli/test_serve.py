"""`asl serve` as a process: where it listens, whom it serves, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.cli.conftest import APPROVAL, Asl

ROLE = "arn:aws:iam::000000000000:role/tests"
SECONDS_MAX = 30


@contextmanager
def serving(directory: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves on a free port, and its URL; ended as Ctrl-C ends it."""
    command = [sys.executable, "-m", "asl_engine", "serve", "--port", "0", "--store", "sqlite:store.db", *options]
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.search(r"http://\S+", told)
        assert found, f"{told}{process.stderr and process.stderr.read()}"
        yield process, found[0]
    finally:
        process.kill()
        process.communicate(timeout=SECONDS_MAX)


def client(url: str) -> Any:
    return boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, int]:
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    return process.stdout.read(), process.wait(SECONDS_MAX)


def test_it_tells_how_to_point_the_sdks_at_it_and_ends_in_order(asl: Asl) -> None:
    with serving(asl.directory) as (process, url):
        told, exit_code = ended(process)

    assert f'endpoint_url="{url}"' in told
    assert f"--endpoint-url {url}" in told
    assert f"AWS_ENDPOINT_URL_SFN={url} AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1" in told
    assert "Stopped. What was open is kept" in told
    assert exit_code == 0


def test_a_server_that_was_killed_goes_on_when_it_is_started_again(asl: Asl) -> None:
    (asl.directory / "tasks.py").write_text("TASKS = {'ask': lambda event: None, 'ship': lambda event: 'shipped'}")
    with serving(asl.directory, "--tasks", "tasks.py") as (process, url):
        steps = client(url)
        machine = steps.create_state_machine(name="approval", definition=json.dumps(APPROVAL), roleArn=ROLE)
        arn = steps.start_execution(stateMachineArn=machine["stateMachineArn"], name="first")["executionArn"]
        assert arn == "arn:aws:states:us-east-1:000000000000:execution:approval:first"
        while "TaskSubmitted" not in json.dumps(steps.get_execution_history(executionArn=arn), default=str):
            pass
        process.kill()

    with serving(asl.directory, "--tasks", "tasks.py") as (_process, url):
        steps = client(url)
        assert asl("approve", "first", "--store", "sqlite:store.db").exit_code == 0
        while (shown := steps.describe_execution(executionArn=arn))["status"] == "RUNNING":
            pass
        assert shown["output"] == '"shipped"'


def test_an_execution_ahead_of_the_real_clock_is_left_alone_and_how_to_go_on_is_told(asl: Asl) -> None:
    states: Any = APPROVAL["States"]
    late = {"StartAt": "Day", "States": {"Day": {"Type": "Wait", "Seconds": 86_400, "Next": "Ask"}, **states}}
    (asl.directory / "late.asl.json").write_text(json.dumps(late))
    (asl.directory / "tasks.py").write_text("TASKS = {'ask': lambda event: None, 'ship': lambda event: 'shipped'}")
    options = ("--tasks", "tasks.py", "--clock", "virtual", "--store", "sqlite:store.db")
    assert asl("run", "late.asl.json", *options, "--name", "late").exit_code == 3

    with serving(asl.directory, "--tasks", "tasks.py") as (process, _url):
        assert process.stderr is not None
        why, how = process.stderr.readline(), process.stderr.readline()
        asl("approve", "late", "--store", "sqlite:store.db")
        arn = why.partition(" is left alone for now: the execution has come to ")[0]
        resumed = asl("resume", arn, *options)

    assert how == f"Go on with: asl resume {arn} --tasks tasks.py --clock virtual --store sqlite:store.db\n"
    assert resumed.exit_code == 0, resumed.output


def test_a_second_server_on_the_same_store_is_refused(asl: Asl) -> None:
    with serving(asl.directory):
        refused = subprocess.run(
            [sys.executable, "-m", "asl_engine", "serve", "--port", "0", "--store", "sqlite:store.db"],
            cwd=asl.directory,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    assert refused.returncode == 2
    assert "another `asl serve` runs on this store" in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_an_address_that_others_can_reach_needs_a_flag_and_a_token(
    asl: Asl, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASL_ACCESS_TOKEN", raising=False)
    refused = asl("serve", "--host", host)
    assert refused.exit_code == 2
    assert "say --allow-remote if that is meant" in refused.stderr

    refused = asl("serve", "--host", host, "--allow-remote")
    assert refused.exit_code == 2
    assert "needs an access token: set ASL_ACCESS_TOKEN" in refused.stderr


def test_with_both_it_serves_those_who_have_the_token(asl: Asl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "ASL_ACCESS_TOKEN", "open sesame")
    with serving(asl.directory, "--host", "0.0.0.0", "--allow-remote") as (_process, url):
        steps = client(url)
        with pytest.raises(steps.exceptions.ClientError, match="AccessDeniedException"):
            steps.list_activities()


def test_it_says_what_to_install_when_the_sdk_is_missing(asl: Asl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    refused = asl("serve")
    assert refused.exit_code == 2
    assert 'pip install "asl-engine[server]"' in refused.stderr
