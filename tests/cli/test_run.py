"""`asl run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import APPROVAL, APPROVAL_TASKS, Asl

Write = Callable[[str, Any], Path]
FAILING = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "OutOfStock", "Cause": "none left"}}}
CHARGE = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:charge",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60}],
            "End": True,
        }
    },
}


def test_an_execution_that_succeeds_exits_with_0_and_shows_its_output(asl: Asl, hello: str) -> None:
    ran = asl("run", hello, "--name", "first")

    assert ran.exit_code == 0
    assert "SUCCEEDED  first" in ran.stdout
    assert '"world"' in ran.stdout
    assert "asl history first" in ran.stdout


def test_what_ran_is_kept_in_the_default_store(asl: Asl, hello: str) -> None:
    asl("run", hello, "--name", "first")

    assert (asl.directory / ".asl" / "executions.sqlite").exists()
    assert asl.json("describe", "first")["output"] == '"world"'


def test_an_execution_that_fails_exits_with_1_and_shows_error_and_cause(asl: Asl, write: Write) -> None:
    ran = asl("run", str(write("no.asl.json", FAILING)))

    assert ran.exit_code == 1
    assert "Error: OutOfStock" in ran.stdout
    assert "Cause: none left" in ran.stdout


def test_json_is_one_document_on_standard_output_whatever_a_task_prints(asl: Asl, write: Write) -> None:
    write("charge.asl.json", CHARGE)
    write("tasks.py", "def charge(event, context):\n    print('noise')\n    return 1\nTASKS = {'charge': charge}\n")
    ran = asl("run", "charge.asl.json", "--tasks", "tasks.py", "--json", "--history", "--name", "paid")

    document = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert document["status"] == "SUCCEEDED"
    assert document["output"] == "1"
    assert document["executionArn"] == "arn:aws:states:us-east-1:123456789012:execution:charge:paid"
    assert document["events"][-1]["type"] == "ExecutionSucceeded"
    assert "noise" in ran.stderr


@pytest.mark.parametrize(
    ("option", "stdin"), [('{"a": 1}', None), ("@input.json", None), ("-", '{"a": 1}')], ids=["text", "file", "stdin"]
)
def test_the_input_comes_from_the_option_a_file_or_standard_input(
    asl: Asl, write: Write, option: str, stdin: str | None
) -> None:
    write("input.json", {"a": 1})
    write("echo.asl.json", {"StartAt": "E", "States": {"E": {"Type": "Succeed"}}})
    ran = asl("run", "echo.asl.json", "--input", option, "--json", stdin=stdin)

    assert json.loads(json.loads(ran.stdout)["output"]) == {"a": 1}


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ('{"a": }', '--input: invalid JSON at line 1, column 7: Expecting value\n  {"a": }\n        ^'),
        ('{"a": NaN}', "--input: invalid JSON: NaN is not JSON"),
        ("", "--input: invalid JSON at line 1, column 1"),
        ("@missing.json", "the input cannot be read from missing.json: No such file or directory"),
        ("@latin.json", "the input cannot be read from latin.json: byte 1 is no UTF-8"),
    ],
)
def test_an_unusable_input_is_told_with_its_place_and_a_way_out(asl: Asl, hello: str, option: str, told: str) -> None:
    (asl.directory / "latin.json").write_bytes(b'"\xe9"')
    ran = asl("run", hello, "--input", option)

    assert ran.exit_code == 2
    assert told in ran.stderr
    assert ran.stdout == ""


def test_a_key_that_is_given_twice_is_told_and_the_last_one_counts(asl: Asl, write: Write) -> None:
    write("pass.asl.json", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    ran = asl("run", "pass.asl.json", "--input", '{"a": [{"b": 1, "b": 2}], "c": {"b": 3}}', "--json")

    assert json.loads(json.loads(ran.stdout)["output"]) == {"a": [{"b": 2}], "c": {"b": 3}}
    assert ran.stderr == '--input: the key "b" is given more than once; the last one counts, as on AWS\n'


def test_a_long_cause_is_shortened_on_its_line_of_the_progress(asl: Asl, write: Write) -> None:
    write("charge.asl.json", CHARGE)
    cause = "in use\n" + "x" * 40_000
    write("mocks.json", {"Charge": [{"Throw": {"Error": "Busy", "Cause": cause}}, {"Return": "paid"}]})
    ran = asl("run", "charge.asl.json", "--mocks", "mocks.json", "--clock", "virtual")
    [line] = [line for line in ran.stderr.splitlines() if "failed" in line]

    assert "attempt 1 failed: Busy: in use xxx" in line
    assert line.endswith("x…")
    assert len(line) < 300


def test_retries_and_waits_take_no_time_under_virtual_time_and_show_in_the_history(asl: Asl, write: Write) -> None:
    write("charge.asl.json", CHARGE)
    write("mocks.json", {"Charge": [{"Throw": {"Error": "Busy", "Cause": "in use"}}, {"Return": "paid"}]})
    ran = asl("run", "charge.asl.json", "--mocks", "mocks.json", "--clock", "virtual", "--name", "paid", "--history")

    assert ran.exit_code == 0
    assert "attempt 1 failed: Busy: in use" in ran.stderr
    assert "SUCCEEDED  paid after 1 m" in ran.stdout
    assert "LambdaFunctionFailed" in ran.stdout


def test_mocks_come_before_tasks(asl: Asl, write: Write) -> None:
    write("charge.asl.json", CHARGE)
    write("mocks.json", {"Charge": [{"Return": "mocked"}]})
    write("tasks.py", "TASKS = {'charge': lambda event, context: 'called'}\n")
    ran = asl("run", "charge.asl.json", "--mocks", "mocks.json", "--tasks", "tasks.py", "--json")

    assert json.loads(ran.stdout)["output"] == '"mocked"'


def test_a_test_case_is_chosen_from_a_mock_config_file(asl: Asl, write: Write) -> None:
    write("charge.asl.json", CHARGE)
    write(
        "MockConfigFile.json",
        {
            "StateMachines": {"charge": {"TestCases": {"Happy": {"Charge": "Good"}, "Sad": {"Charge": "Bad"}}}},
            "MockedResponses": {
                "Good": {"0": {"Return": "paid"}},
                "Bad": {"0": {"Throw": {"Error": "Declined", "Cause": "no funds"}}},
            },
        },
    )

    assert asl("run", "charge.asl.json", "--mocks", "MockConfigFile.json", "--mock-test-case", "Happy").exit_code == 0
    assert asl("run", "charge.asl.json", "--mocks", "MockConfigFile.json", "--mock-test-case", "Sad").exit_code == 1


def test_a_machine_of_a_mock_config_is_chosen_by_name(asl: Asl, write: Write) -> None:
    """The file's name says nothing of the machine's."""
    write("template.asl.json", CHARGE)
    cases = {"TestCases": {"Happy": {"Charge": "Good"}}}
    write(
        "MockConfigFile.json",
        {"StateMachines": {"charge": cases, "refund": cases}, "MockedResponses": {"Good": {"0": {"Return": "paid"}}}},
    )
    run = ["run", "template.asl.json", "--mocks", "MockConfigFile.json"]
    refused = asl(*run)

    assert refused.exit_code == 2
    assert 'no state machine is named "template"; the file has: charge, refund; choose with' in refused.stderr
    assert asl(*run, "--mock-state-machine", "charge").exit_code == 0


def test_tasks_that_nobody_performs_are_all_told_before_anything_runs(asl: Asl, write: Write) -> None:
    write("approval.asl.json", APPROVAL)
    ran = asl("run", "approval.asl.json")

    assert ran.exit_code == 2
    assert 'state "Ask"' in ran.stderr
    assert 'state "Ship"' in ran.stderr
    assert "--tasks FILE" in ran.stderr
    assert not (asl.directory / ".asl").exists()


def test_a_rejected_definition_is_told_with_its_errors_and_nothing_runs(asl: Asl, write: Write) -> None:
    ran = asl("run", str(write("bad.asl.json", {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})))

    assert ran.exit_code == 2
    assert "MISSING_TRANSITION_TARGET" in ran.stderr
    assert "bad.asl.json:" in ran.stderr
    assert not (asl.directory / ".asl").exists()


def test_warnings_are_only_counted(asl: Asl, write: Write) -> None:
    write("approval.asl.json", APPROVAL)
    write("tasks.py", APPROVAL_TASKS)
    ran = asl("run", "approval.asl.json", "--tasks", "tasks.py", "--clock", "virtual")

    assert "see: asl validate approval.asl.json" in ran.stderr
    assert "CALLBACK_WITHOUT_TIMEOUT" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.asl.json"], "missing.asl.json cannot be read: No such file or directory"),
        (["hello.asl.json", "--tasks", "missing.py"], "missing.py: the tasks file does not exist"),
        (["hello.asl.json", "--tasks", "broken.py"], "broken.py, line 1: "),
        (["hello.asl.json", "--mocks", "missing.json"], "missing.json"),
        (["hello.asl.json", "--mock-state-machine", "hello"], "name the file with --mocks FILE"),
        (["hello.asl.json", "--mock-test-case", "Happy"], "name the file with --mocks FILE"),
        (["hello.asl.json", "--store", "redis:here"], "it must be `memory`, `sqlite:FILE` or `dynamodb:TABLE`"),
        (["hello.asl.json", "--store", "sqlite:hello.asl.json"], "this is no SQLite database"),
        (["hello.asl.json", "--store", "sqlite:hello.asl.json/x"], "cannot be created"),
        (["hello.asl.json", "--name", "a b"], "Invalid Name: 'a b' contains ' '"),
        (["hello.asl.json", "--name", "x" * 81], "has 81 characters"),
        (["hello.asl.json", "--clock", "sundial"], "'sundial' is not one of"),
    ],
)
def test_what_cannot_be_used_is_told_without_a_traceback(
    asl: Asl, hello: str, write: Write, arguments: list[str], told: str
) -> None:
    write("broken.py", "def oops(:\n")
    ran = asl("run", *arguments)

    assert ran.exit_code == 2
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_name_is_used_once(asl: Asl, hello: str) -> None:
    asl("run", hello, "--name", "first")
    again = asl("run", hello, "--name", "first")

    assert again.exit_code == 2
    assert "an execution named first exists already" in again.stderr


def test_an_execution_that_only_the_outside_can_move_exits_with_3_and_says_how(asl: Asl, write: Write) -> None:
    write("approval.asl.json", APPROVAL)
    write("tasks.py", APPROVAL_TASKS)
    ran = asl("run", "approval.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", "order-7")

    assert ran.exit_code == 3
    assert "WAITING  order-7" in ran.stdout
    assert "Ask: an answer with its task token" in ran.stdout
    assert "asl approve order-7 --output '{}'" in ran.stdout
    assert "asl resume order-7 --tasks tasks.py --clock virtual" in ran.stdout


def test_commands_that_are_proposed_name_the_store_unless_it_is_the_default(asl: Asl, hello: str) -> None:
    ran = asl("run", hello, "--name", "first", "--store", "sqlite:my runs.sqlite")

    assert "asl history first --store 'sqlite:my runs.sqlite'" in ran.stdout
    assert asl("history", "first", "--store", "sqlite:my runs.sqlite").exit_code == 0


def test_the_environment_names_the_store(asl: Asl, hello: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASL_STORE", "sqlite:elsewhere/runs.sqlite")
    ran = asl("run", hello, "--name", "first")

    assert (asl.directory / "elsewhere" / "runs.sqlite").exists()
    assert ran.stdout.strip().endswith("asl history first")


def test_a_run_in_memory_leaves_nothing_and_proposes_nothing(asl: Asl, hello: str) -> None:
    ran = asl("run", hello, "--store", "memory")

    assert ran.exit_code == 0
    assert "asl history" not in ran.stdout
    assert [path.name for path in asl.directory.iterdir()] == ["hello.asl.json"]


def test_limits_of_aws_apply_on_request(asl: Asl, write: Write) -> None:
    large = {"StartAt": "E", "States": {"E": {"Type": "Pass", "Result": "x" * 300_000, "End": True}}}
    write("large.asl.json", large)

    assert asl("run", "large.asl.json", "--json").exit_code == 0
    limited = asl("run", "large.asl.json", "--json", "--aws-limits")
    assert limited.exit_code == 1
    assert json.loads(limited.stdout)["error"] == "States.DataLimitExceeded"


def test_a_machine_in_a_file_called_definition_has_the_name_of_its_directory(asl: Asl, write: Write) -> None:
    write("orders/definition.asl.json", {"StartAt": "E", "States": {"E": {"Type": "Succeed"}}})
    document = json.loads(asl("run", "orders/definition.asl.json", "--json").stdout)

    assert document["stateMachineArn"].endswith(":stateMachine:orders")
    assert document["name"].startswith("orders-")


def test_an_output_that_the_terminal_cannot_show_is_escaped(asl: Asl, write: Write) -> None:
    lone_surrogate = '{"StartAt": "E", "States": {"E": {"Type": "Pass", "Result": "\\ud800", "End": true}}}'
    ran = asl("run", str(write("odd.asl.json", lone_surrogate)))

    assert ran.exit_code == 0
    assert '"\\ud800"' in ran.stdout
