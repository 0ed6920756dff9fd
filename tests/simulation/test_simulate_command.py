"""`asl simulate`, as somebody at a terminal sees it."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from asl_engine.cli.main import main
from asl_engine.testing.simulation import campaign
from tests.simulation.planted_bugs import acknowledge_before_append, forget_retries_on_taking_up

MACHINE = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work",
            "Parameters": {"order.$": "$.order"},
            "Retry": [{"ErrorEquals": ["Busy"]}],
            "End": True,
        }
    },
}


def asl(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "work.asl.json"
    path.write_text(json.dumps(MACHINE), encoding="utf-8")
    return str(path)


def test_it_says_that_nothing_broke_and_what_was_tried() -> None:
    shown = asl("--seeds", "40")

    assert shown.exit_code == 0
    assert shown.stdout.startswith("80 simulations, ")
    assert "none broke" in shown.stdout
    assert " crash" in shown.stdout


def test_a_failure_is_one_line_that_says_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledge_before_append(monkeypatch)
    shown = asl("--seeds", "10", "--from", "30", "--host", "in-process")
    line = shown.stdout.splitlines()[0]
    again = CliRunner().invoke(main, shlex.split(line.partition("; replay: asl ")[2]))

    assert shown.exit_code == 1
    assert line.startswith("seed 3")
    assert "I3: a message is acknowledged only once" in line
    assert again.exit_code == 1
    assert line in again.stdout.splitlines()
    assert "dispatches ScheduleTask" in again.stdout


def test_a_users_machine_is_run_and_its_failure_names_the_file_and_the_input(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (file, "--input", '{"order": 7}', "--seeds", "60", "--host", "in-process")
    assert asl(*arguments).exit_code == 0
    forget_retries_on_taking_up(monkeypatch)
    shown = asl(*arguments)

    assert shown.exit_code == 1
    replay = shlex.split(shown.stdout.splitlines()[0].partition("; replay: asl ")[2])
    assert replay[:4] == ["simulate", file, "--input", '{"order": 7}']
    assert CliRunner().invoke(main, replay).exit_code == 1


def test_it_says_how_executions_ended_and_what_none_came_to(tmp_path: Path) -> None:
    """Nothing breaks where nothing is tried: without `order` the first state fails, and no execution gets past it."""
    path = tmp_path / "order.asl.json"
    work = {**MACHINE["States"]["Work"], "Next": "Pay"}  # type: ignore[index]
    del work["End"]
    each = {"StartAt": "Ship", "States": {"Ship": {"Type": "Pass", "End": True}}}
    pay = {"Type": "Map", "ItemProcessor": each, "End": True}
    path.write_text(json.dumps({"StartAt": "Work", "States": {"Work": work, "Pay": pay}}), encoding="utf-8")
    shown = asl(str(path), "--seeds", "5", "--host", "in-process")
    for_machines = json.loads(asl(str(path), "--seeds", "5", "--host", "in-process", "--json").stdout)

    assert shown.exit_code == 0
    assert "executions: 5 FAILED\n" in shown.stdout
    assert f"{path}: never entered, so not tried out: Pay, Ship" in shown.stdout
    assert for_machines["executions"] == {"FAILED": 5}
    assert for_machines["neverEntered"] == {str(path): ["Pay", "Ship"]}


def test_it_stops_when_enough_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledge_before_append(monkeypatch)
    shown = asl("--seeds", "5000", "--host", "in-process")

    assert shown.stdout.count("replay:") == 20


def test_json_is_one_document_with_all_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledge_before_append(monkeypatch)
    shown = asl("--seeds", "10", "--host", "in-process", "--json")
    told = json.loads(shown.stdout)

    assert shown.exit_code == 1
    assert told["result"] == "FAIL"
    assert told["simulations"] == 10
    assert told["hosts"] == ["in-process"]
    assert told["faults"]["tasks performed"] > 0
    assert (
        told["failures"][0]["replay"]
        == f"asl simulate --host in-process --from {told['failures'][0]['seed']} --seeds 1 -v"
    )


def interrupt_within(monkeypatch: pytest.MonkeyPatch, seed_interrupted: int) -> None:
    """Ctrl-C comes while code runs that lets no exception out, as the simulated host may."""

    def simulate(seed: int, users: campaign.UsersMachine | None, **options: Any) -> campaign.SeedReport:
        if seed == seed_interrupted:
            with contextlib.suppress(BaseException):
                signal.raise_signal(signal.SIGINT)
        return simulate_seed(seed, users, **options)

    simulate_seed = campaign.simulate_seed
    monkeypatch.setattr(campaign, "simulate_seed", simulate)


def test_ctrl_c_ends_it_wherever_it_comes_and_tells_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupt_within(monkeypatch, 4)
    shown = asl("--seeds", "9", "--from", "2")

    assert shown.exit_code == 130
    assert shown.stdout.startswith("5 simulations, ")
    assert shown.stdout.splitlines()[-1] == (
        "interrupted: 2 of 9 seeds done; to go on: asl simulate --host both --from 4 --seeds 7"
    )
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_tells_of_every_file_how_to_go_on(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_within(monkeypatch, 1)
    shown = asl(file, file, "--seeds", "3", "--host", "in-process", "--json")
    told = json.loads(shown.stdout)

    assert (shown.exit_code, told["result"], told["simulations"]) == (130, "INTERRUPTED", 2)
    assert told["goOn"] == [
        f"asl simulate {file} --host in-process --from 2 --seeds 1",
        f"asl simulate {file} --host in-process --from 0 --seeds 3",
    ]


def test_a_second_ctrl_c_ends_it_at_once() -> None:
    twice = "s.signal = lambda *_, f=s.signal: (f(*_), s.raise_signal(2), s.raise_signal(2))"
    code = f"import signal as s, sys; from asl_engine.cli.main import main; {twice}; main(['simulate', '--seeds', '9'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_file_that_is_no_definition_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.asl.json"
    path.write_text('{"StartAt": "Nowhere", "States": {}}', encoding="utf-8")
    shown = asl(str(path))

    assert shown.exit_code == 2
    assert "/States" in shown.stderr
