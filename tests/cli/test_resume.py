"""`asl resume`, inside one process; what a kill leaves behind is in test_durability."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import APPROVAL, APPROVAL_TASKS, Asl

Write = Callable[[str, Any], Path]


def test_all_open_executions_go_on_by_default(asl: Asl, waiting: str) -> None:
    asl("run", "approval.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", "order-8")
    asl("approve", waiting)
    asl("approve", "order-8")
    resumed = asl.json("resume", "--tasks", "tasks.py")

    assert [(one["name"], one["status"]) for one in resumed["executions"]] == [
        ("order-7", "SUCCEEDED"),
        ("order-8", "SUCCEEDED"),
    ]
    assert (asl.directory / "shipped.txt").read_text() == "shipped\nshipped\n"


def test_what_still_waits_exits_with_3_and_repeats_nothing(asl: Asl, waiting: str) -> None:
    before = asl.json("history", waiting)
    resumed = asl("resume", waiting, "--tasks", "tasks.py", "--clock", "virtual")

    assert resumed.exit_code == 3
    assert asl.json("history", waiting) == before


def test_one_that_is_over_is_only_told(asl: Asl, hello: str) -> None:
    asl("run", hello, "--name", "first")
    resumed = asl("resume", "first")

    assert resumed.exit_code == 0
    assert "SUCCEEDED  first" in resumed.stdout


def test_nothing_open_is_no_error(asl: Asl, hello: str) -> None:
    asl("run", hello)

    assert asl("resume").stdout == "No execution is open.\n"
    assert asl.json("resume") == {"executions": []}


def test_one_that_is_left_alone_is_open_all_the_same(asl: Asl, waiting: str) -> None:
    resumed = asl("resume")

    assert resumed.exit_code == 2
    assert "order-7 is left alone" in resumed.stderr
    assert resumed.stdout == ""


def test_one_of_several_that_cannot_be_performed_is_left_alone(asl: Asl, waiting: str, write: Write) -> None:
    pause = {"StartAt": "P", "States": {"P": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject"}}}
    pause["States"]["P"] |= {"End": True}  # type: ignore[index]
    write("pause.asl.json", pause)
    write("mocks.json", {"P": [{"Never": True}]})
    asl("run", "pause.asl.json", "--mocks", "mocks.json", "--clock", "virtual", "--name", "paused")
    asl("approve", waiting)
    resumed = asl("resume", "--tasks", "tasks.py")

    assert resumed.exit_code == 2
    assert "paused is left alone: some tasks cannot be performed" in resumed.stderr
    assert "SUCCEEDED  order-7" in resumed.stdout
    assert asl.json("describe", "paused")["status"] == "RUNNING"


def test_a_name_that_nobody_has_is_told_with_the_nearest(asl: Asl, waiting: str) -> None:
    resumed = asl("resume", "order-8")

    assert resumed.exit_code == 2
    assert 'no execution has the name or ARN "order-8"; did you mean "order-7"?' in resumed.stderr


def test_virtual_time_goes_on_from_where_it_had_come_to(asl: Asl, waiting: str) -> None:
    asl("approve", waiting)
    document = json.loads(
        asl("resume", waiting, "--tasks", "tasks.py", "--clock", "virtual", "--json", "--history").stdout
    )
    moments = [event["timestamp"] for event in document["events"]]

    assert moments == sorted(moments)


LATE = {
    "StartAt": "Year",
    "States": APPROVAL["States"]  # type: ignore[operator]
    | {
        "Year": {"Type": "Wait", "Seconds": 365 * 86_400, "Next": "Ask"},
        "Ship": {"Type": "Wait", "Seconds": 5, "End": True},
    },
}


@pytest.fixture
def late(asl: Asl, write: Write) -> str:
    """The name of an execution that virtual time has carried a year away, where it waits for an answer."""
    write("late.asl.json", LATE)
    write("tasks.py", APPROVAL_TASKS)
    assert asl("run", "late.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", "late").exit_code == 3
    return "late"


def test_one_that_is_ahead_of_the_real_clock_does_not_wait_for_it(asl: Asl, late: str) -> None:
    approved = asl("approve", late)
    refused = asl("resume", late, "--tasks", "tasks.py")
    resumed = asl("resume", late, "--tasks", "tasks.py", "--clock", "virtual")

    assert "asl resume late --tasks FILE --clock virtual" in approved.stdout
    assert refused.exit_code == 2
    assert "under virtual time" in refused.stderr
    assert "Go on with: asl resume late --tasks tasks.py --clock virtual" in refused.stderr
    assert resumed.exit_code == 0, resumed.output


def test_one_that_is_ahead_is_left_alone_when_all_go_on(asl: Asl, late: str, waiting: str) -> None:
    asl("approve", waiting)
    resumed = asl("resume", "--tasks", "tasks.py")

    assert resumed.exit_code == 2
    assert "late is left alone: the execution has come to " in resumed.stderr
    assert "SUCCEEDED  order-7" in resumed.stdout


def test_how_to_go_on_is_told_with_the_options_that_it_takes(asl: Asl, late: str) -> None:
    assert "asl resume late --tasks FILE --clock virtual" in asl("describe", late).stdout
