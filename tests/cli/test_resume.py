"""`asl resume`, inside one process; what a kill leaves behind is in test_durability."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Asl

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
