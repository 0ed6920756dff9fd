"""`asl validate` and `asl schema`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import APPROVAL, HELLO, Asl

Write = Callable[[str, Any], Path]
BAD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Bee"}, "B": {"Type": "Pass"}}}


def test_an_accepted_definition_exits_with_0(asl: Asl, hello: str) -> None:
    checked = asl("validate", hello)

    assert checked.exit_code == 0
    assert checked.stdout == "accepted: 1 file, 0 errors, 0 warnings\n"


def test_a_rejected_definition_exits_with_1_and_every_problem_has_its_place(asl: Asl, write: Write) -> None:
    write("bad.asl.json", BAD)
    checked = asl("validate", "bad.asl.json")

    assert checked.exit_code == 1
    assert "bad.asl.json:6:7: error MISSING_TRANSITION_TARGET: " in checked.stdout
    assert "at /States/A/Next" in checked.stdout
    assert "hint: " in checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("rejected: 1 file, ")


def test_warnings_do_not_reject(asl: Asl, write: Write) -> None:
    write("approval.asl.json", APPROVAL)
    checked = asl("validate", "approval.asl.json")

    assert checked.exit_code == 0
    assert "warning CALLBACK_WITHOUT_TIMEOUT" in checked.stdout


def test_more_problems_than_are_told_are_mentioned(asl: Asl, write: Write) -> None:
    states = {f"S{number}": {"Type": "Pass", "End": True, "Nope": 1} for number in range(600)}
    write("many.asl.json", {"StartAt": "S0", "States": states})
    checked = asl("validate", "many.asl.json")

    assert checked.stdout.endswith("1000 errors, 0 warnings; of one file no more than 1,000 are told\n")


def test_the_machines_that_the_project_ships_need_no_advice(asl: Asl) -> None:
    checked = asl("validate", str(Path(__file__).parents[2] / "state_machines"))

    assert checked.stdout.endswith("files, 0 errors, 0 warnings\n")


def test_a_call_that_the_sdk_does_not_have_is_pointed_out(asl: Asl, write: Write) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:sendMesage", "TimeoutSeconds": 9, "End": True}
    write("call.asl.json", {"StartAt": "Call", "States": {"Call": task}})
    checked = asl("validate", "call.asl.json")

    assert checked.exit_code == 0
    assert 'warning UNKNOWN_RESOURCE: the installed AWS SDK has no action "sendMesage" of sqs' in checked.stdout
    assert 'hint: did you mean "sendMessage"?' in checked.stdout


def test_machines_get_every_member_of_a_diagnostic(asl: Asl, write: Write, hello: str) -> None:
    write("bad.asl.json", BAD)
    checked = asl("validate", hello, "bad.asl.json", "--json")
    document = json.loads(checked.stdout)

    assert checked.exit_code == 1
    assert document["result"] == "FAIL"
    assert [file["result"] for file in document["files"]] == ["OK", "FAIL"]
    problem = next(one for one in document["files"][1]["diagnostics"] if one["code"] == "MISSING_TRANSITION_TARGET")
    assert (problem["severity"], problem["location"], problem["line"]) == ("ERROR", "/States/A/Next", 6)
    assert problem["message"]


def test_a_directory_is_searched_for_definitions(asl: Asl, write: Write) -> None:
    for name in ("a.asl.json", "deep/b.asl", "plain.json", ".hidden/c.asl.json", "node_modules/d.asl.json"):
        write(name, HELLO)
    write("e.asl.yaml", "StartAt: E\nStates:\n  E: {Type: Succeed}\n")
    write("plain.yml", "StartAt: E\nStates:\n  E: {Type: Succeed}\n")
    write("package.json", {"name": "no definition"})
    write("compose.yaml", "services: {}\n")
    (asl.directory / "binary.json").write_bytes(b"\xff\xfe")
    checked = asl("validate", ".", "--json")

    assert checked.exit_code == 0
    assert [file["file"] for file in json.loads(checked.stdout)["files"]] == [
        "a.asl.json",
        "deep/b.asl",
        "e.asl.yaml",
        "plain.json",
        "plain.yml",
    ]


def test_a_file_named_twice_is_checked_once(asl: Asl, hello: str) -> None:
    assert asl("validate", hello, hello).stdout.startswith("accepted: 1 file,")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("broken.asl.json", '{"StartAt": "A",}', "broken.asl.json:1:17: error INVALID_JSON_DESCRIPTION"),
        ("nan.asl.json", '{"StartAt": NaN}', "error INVALID_JSON_DESCRIPTION"),
        ("deep.asl.json", "[" * 1000 + "]" * 1000, "error NESTED_TOO_DEEPLY"),
        ("empty.asl.json", "", "error SCHEMA_VALIDATION_FAILED"),
    ],
)
def test_a_text_that_is_no_definition_is_rejected(asl: Asl, write: Write, name: str, content: str, told: str) -> None:
    write(name, content)
    checked = asl("validate", name)

    assert checked.exit_code == 1
    assert told in checked.stdout


@pytest.mark.parametrize("path", ["missing.asl.json", "empty", "notes.txt"])
def test_what_cannot_be_read_exits_with_2(asl: Asl, write: Write, path: str) -> None:
    (asl.directory / "empty").mkdir()
    write("notes.txt", "hello")
    checked = asl("validate", path)

    assert checked.exit_code == 2
    assert path in checked.stderr
    assert "Traceback" not in checked.stderr


def test_a_file_that_cannot_be_read_hides_nothing_of_the_others(asl: Asl, write: Write, hello: str) -> None:
    write("bad.asl.json", BAD)
    paths = ["missing.asl.json", hello, "bad.asl.json"]
    checked, for_machines = asl("validate", *paths), asl("validate", *paths, "--json")
    document = json.loads(for_machines.stdout)

    assert (checked.exit_code, for_machines.exit_code) == (2, 2)
    assert "error MISSING_TRANSITION_TARGET" in checked.stdout
    assert "rejected: 2 files, 1 of them rejected" in checked.stdout
    assert "missing.asl.json cannot be read" in checked.stderr
    assert document["result"] == "FAIL"
    assert [file["result"] for file in document["files"]] == ["UNREADABLE", "OK", "FAIL"]
    assert "missing.asl.json cannot be read" in document["files"][0]["error"]


def test_the_schema_is_printed_for_editors(asl: Asl) -> None:
    schema = json.loads(asl("schema").stdout)

    assert schema["title"] == "Amazon States Language"
    assert {"StartAt", "States"} <= schema["properties"].keys()
