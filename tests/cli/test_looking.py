"""`asl list`, `asl describe`, `asl history`, `asl graph`: looking at what was run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Asl

Write = Callable[[str, Any], Path]


def test_executions_are_listed_newest_first(asl: Asl, waiting: str, hello: str) -> None:
    asl("run", hello, "--name", "second")

    assert [one["name"] for one in asl.json("list")["executions"]] == ["second", "order-7"]
    lines = asl("list").stdout.splitlines()
    assert lines[1].startswith("second   SUCCEEDED")
    assert lines[2].startswith("order-7  RUNNING")
    assert lines[2].endswith("approval")


def test_a_listing_can_be_narrowed_to_a_status(asl: Asl, waiting: str, hello: str) -> None:
    asl("run", hello, "--name", "second")

    assert [one["name"] for one in asl.json("list", "--status", "running")["executions"]] == ["order-7"]
    assert asl("list", "--status", "FAILED").stdout == "No executions are FAILED.\n"


def test_describe_has_the_members_of_describe_execution(asl: Asl, hello: str) -> None:
    asl("run", hello, "--name", "first", "--input", '{"a": 1}')
    described = asl.json("describe", "first")

    assert described["stateMachineArn"] == "arn:aws:states:us-east-1:123456789012:stateMachine:hello"
    assert described["executionArn"] == "arn:aws:states:us-east-1:123456789012:execution:hello:first"
    assert (described["input"], described["output"]) == ('{"a":1}', '"world"')
    assert described["inputDetails"] == described["outputDetails"] == {"included": True}
    assert described["redriveCount"] == 0
    assert described["startDate"] <= described["stopDate"]
    assert "waitingFor" not in described


def test_describe_shows_what_an_execution_waits_for_and_how_to_answer(asl: Asl, waiting: str) -> None:
    described = asl("describe", waiting).stdout
    [wait] = asl.json("describe", waiting)["waitingFor"]

    assert wait == {"state": "Ask", "for": "CALLBACK", "attempt": 1, "taskToken": wait["taskToken"]}
    assert "RUNNING  order-7" in described
    assert f"task token {wait['taskToken']}" in described
    assert "asl approve order-7" in described


def test_a_history_is_a_line_for_each_event_with_its_state(asl: Asl, waiting: str) -> None:
    lines = asl("history", waiting).stdout.splitlines()

    assert lines[0].split() == ["ID", "AFTER", "TYPE", "STATE", "DETAIL"]
    assert [line.split()[3] for line in lines[1:]] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
    ]
    assert [line.split()[4] for line in lines[2:]] == ["Ask", "Ask", "Ask", "Ask"]


def test_what_ends_a_map_or_parallel_is_told_of_that_state(asl: Asl, write: Write) -> None:
    """Their ends follow events of their children, which are in states of their own."""
    inner = {"StartAt": "Each", "States": {"Each": {"Type": "Pass", "End": True}}}
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "Next": "Fails"}
    branch = {"StartAt": "Map", "States": {"Map": each, "Fails": {"Type": "Fail", "Error": "E"}}}
    both: dict[str, Any] = {"Type": "Parallel", "Branches": [branch], "Next": "Done"}
    both["Catch"] = [{"ErrorEquals": ["E"], "Next": "Done"}]
    both["Retry"] = [{"ErrorEquals": ["E"], "MaxAttempts": 1}]
    write("nested.asl.json", {"StartAt": "Both", "States": {"Both": both, "Done": {"Type": "Succeed"}}})
    asl("run", "nested.asl.json", "--name", "nested", "--input", '{"items": [1, 2]}', "--clock", "virtual")

    lines = [line.split()[3:5] for line in asl("history", "nested").stdout.splitlines()[2:-1]]
    ends = {(event, state) for event, state in lines if event.startswith(("Map", "Parallel"))}
    assert ends == {
        ("ParallelStateEntered", "Both"),
        ("ParallelStateStarted", "Both"),
        ("MapStateEntered", "Map"),
        ("MapStateStarted", "Map"),
        ("MapIterationStarted", "Map"),
        ("MapIterationSucceeded", "Map"),
        ("MapStateSucceeded", "Map"),
        ("MapStateExited", "Map"),
        ("ParallelStateFailed", "Both"),
        ("ParallelStateExited", "Both"),
    }


def test_a_history_can_be_read_backwards(asl: Asl, waiting: str) -> None:
    forwards = asl("history", waiting).stdout.splitlines()[1:]
    backwards = asl("history", waiting, "--reverse").stdout.splitlines()[1:]

    assert backwards == forwards[::-1]
    events = asl.json("history", waiting)["events"]
    assert asl.json("history", waiting, "--reverse")["events"] == events[::-1]
    assert [event["id"] for event in events] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("command", ["list", "describe x", "history x", "stop x", "approve x", "reject x", "resume"])
def test_a_store_that_is_not_there_is_told_and_not_created(asl: Asl, command: str) -> None:
    told = asl(*command.split())

    assert told.exit_code == 2
    assert "no executions are kept at .asl/executions.sqlite" in told.stderr
    assert "--store" in told.stderr
    assert not (asl.directory / ".asl").exists()


def test_a_store_in_memory_has_nothing_to_look_at(asl: Asl) -> None:
    assert "ends with the process" in asl("list", "--store", "memory").stderr


def test_a_file_that_is_no_store_is_told(asl: Asl, hello: str) -> None:
    told = asl("list", "--store", f"sqlite:{hello}")

    assert told.exit_code == 2
    assert "this is no SQLite database" in told.stderr


def test_a_graph_is_drawn_by_the_ending_of_its_file(asl: Asl, waiting: str) -> None:
    drawn = asl("graph", "approval.asl.json", "-o", "a.svg")

    assert drawn.stdout == "Drawn to a.svg\n"
    assert (asl.directory / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert asl("graph", "approval.asl.json").stdout.startswith("flowchart TD")
    asl("graph", "approval.asl.json", "-o", "a.mmd")
    assert (asl.directory / "a.mmd").read_text(encoding="utf-8").startswith("flowchart TD")


def test_a_graph_is_coloured_by_what_an_execution_did(asl: Asl, waiting: str) -> None:
    plain = asl("graph", "approval.asl.json").stdout
    coloured = asl("graph", "approval.asl.json", "--execution", waiting).stdout

    assert coloured != plain
    assert coloured.startswith("flowchart TD")


def test_a_graph_of_an_execution_shows_the_definition_that_it_ran(asl: Asl, waiting: str, write: Write) -> None:
    before = asl("graph", "approval.asl.json", "--execution", waiting).stdout
    write("approval.asl.json", {"StartAt": "New", "States": {"New": {"Type": "Succeed"}}})
    after = asl("graph", "approval.asl.json", "--execution", waiting)

    assert after.stdout == before
    assert "ran another definition than the file holds now" in after.stderr


@pytest.mark.parametrize(
    ("output", "told"), [("a.png", "must end in .svg or .mmd"), ("nowhere/a.svg", "nowhere/a.svg cannot be written")]
)
def test_a_graph_that_cannot_be_written_is_told(asl: Asl, hello: str, output: str, told: str) -> None:
    drawn = asl("graph", hello, "-o", output)

    assert drawn.exit_code == 2
    assert told in drawn.stderr
