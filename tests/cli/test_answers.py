"""`asl approve`, `asl reject`, `asl stop`, and going on afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asl_engine.interpreter.task_token import issue, read
from tests.cli.conftest import APPROVAL, Asl

Write = Callable[[str, Any], Path]


def go_on(asl: Asl, name: str) -> dict[str, Any]:
    """Resume an execution and return its document."""
    resumed = asl("resume", name, "--tasks", "tasks.py", "--clock", "virtual", "--json")
    document: dict[str, Any] = json.loads(resumed.stdout)
    return document


def token_of(asl: Asl, name: str) -> str:
    [wait] = asl.json("describe", name)["waitingFor"]
    return str(wait["taskToken"])


@pytest.mark.parametrize("by", ["name", "arn", "token"])
def test_an_approval_is_applied_at_once_and_performs_nothing(asl: Asl, waiting: str, by: str) -> None:
    document = asl.json("describe", waiting)
    whom = {"name": waiting, "arn": document["executionArn"], "token": token_of(asl, waiting)}[by]
    approved = asl("approve", whom, "--output", '{"by": "me"}')

    assert approved.exit_code == 0
    assert "asl resume order-7 --tasks FILE" in approved.stdout
    assert not (asl.directory / "shipped.txt").exists()
    [wait] = asl.json("describe", waiting)["waitingFor"]
    assert (wait["state"], wait["for"]) == ("Ship", "TASK")
    assert json.loads(go_on(asl, waiting)["output"]) == {"shipped": {"by": "me"}}
    assert (asl.directory / "shipped.txt").read_text() == "shipped\n"


def test_a_rejection_fails_the_task(asl: Asl, waiting: str) -> None:
    rejected = asl("reject", waiting, "--error", "TooExpensive", "--cause", "over budget")

    assert rejected.exit_code == 0
    assert "order-7 has the answer, and is FAILED." in rejected.stdout
    document = asl.json("describe", waiting)
    assert (document["error"], document["cause"]) == ("TooExpensive", "over budget")


def test_a_token_is_of_no_use_after_its_answer(asl: Asl, waiting: str) -> None:
    token = token_of(asl, waiting)
    asl("approve", token)
    again = asl("approve", token)

    assert again.exit_code == 2
    assert "already over" in again.stderr


def test_a_forged_token_is_refused(asl: Asl, waiting: str) -> None:
    forged = issue("a seed that the forger made up", read(token_of(asl, waiting)))
    refused = asl("approve", forged)

    assert refused.exit_code == 2
    assert "Invalid token" in refused.stderr
    assert asl.json("describe", waiting)["status"] == "RUNNING"


def test_a_token_of_another_store_is_refused(asl: Asl, waiting: str, hello: str) -> None:
    token = token_of(asl, waiting)
    asl("run", hello, "--store", "sqlite:other.sqlite")
    refused = asl("approve", token, "--store", "sqlite:other.sqlite")

    assert refused.exit_code == 2
    assert "is not in this store" in refused.stderr


def test_an_answer_that_is_no_json_is_refused(asl: Asl, waiting: str) -> None:
    refused = asl("approve", waiting, "--output", "yes")

    assert refused.exit_code == 2
    assert "Invalid Output" in refused.stderr
    assert asl("approve", waiting, "--output", '"yes"').exit_code == 0


def test_a_name_will_not_do_when_several_tasks_wait(asl: Asl, write: Write) -> None:
    ask = APPROVAL["States"]["Ask"] | {"End": True}  # type: ignore[index]
    del ask["Next"]
    each = {
        "Type": "Map",
        "ItemProcessor": {"StartAt": "Ask", "States": {"Ask": ask}},
        "End": True,
    }
    write("each.asl.json", {"StartAt": "Each", "States": {"Each": each}})
    write("tasks.py", "TASKS = {'ask': lambda event, context: None}\n")
    run = ["--tasks", "tasks.py", "--clock", "virtual"]
    asl("run", "each.asl.json", "--input", "[1, 2]", "--name", "both", *run)
    refused = asl("approve", "both")
    tokens = [wait["taskToken"] for wait in asl.json("describe", "both")["waitingFor"]]

    assert refused.exit_code == 2
    assert "both waits for 2 answers" in refused.stderr
    assert all(token in refused.stderr for token in tokens)
    assert [asl("approve", token).exit_code for token in tokens] == [0, 0]
    assert asl.json("describe", "both")["status"] == "SUCCEEDED"


def test_an_execution_that_is_over_waits_for_no_answer(asl: Asl, hello: str) -> None:
    asl("run", hello, "--name", "first")
    refused = asl("approve", "first")

    assert refused.exit_code == 2
    assert "first waits for no answer; it is over: SUCCEEDED" in refused.stderr


def test_stop_aborts_an_execution_that_nobody_drives(asl: Asl, waiting: str) -> None:
    stopped = asl("stop", waiting, "--error", "Cancelled", "--cause", "placed twice")

    assert stopped.exit_code == 0
    assert "order-7 is ABORTED." in stopped.stdout
    document = asl.json("describe", waiting)
    assert (document["status"], document["error"], document["cause"]) == ("ABORTED", "Cancelled", "placed twice")


def test_stopping_what_is_over_exits_with_1(asl: Asl, hello: str) -> None:
    asl("run", hello, "--name", "first")
    stopped = asl("stop", "first")

    assert stopped.exit_code == 1
    assert "first is over already: SUCCEEDED" in stopped.stderr


def test_an_answer_never_goes_back_in_modelled_time(asl: Asl, write: Write) -> None:
    """Under virtual time an execution may be a year ahead of the time of day."""
    ahead = {"StartAt": "Year", "States": {"Year": {"Type": "Wait", "Seconds": 31_536_000, "Next": "Ask"}}}
    ahead["States"] |= {**APPROVAL["States"]}  # type: ignore[operator, dict-item]
    write("ahead.asl.json", ahead)
    write("tasks.py", "TASKS = {'ask': lambda event, context: None, 'ship': lambda event, context: 1}\n")
    asl("run", "ahead.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", "ahead")
    asl("approve", "ahead")
    document = go_on(asl, "ahead")
    moments = [event["timestamp"] for event in asl.json("history", "ahead")["events"]]

    assert document["status"] == "SUCCEEDED"
    assert moments == sorted(moments)
    assert document["stopDate"] - document["startDate"] >= 31_536_000
