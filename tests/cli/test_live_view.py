"""What a terminal shows while executions run. Standard error only pretends to be a terminal; the last frame is read."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asl_engine.cli.followed import Following
from asl_engine.cli.live_view import LiveView
from asl_engine.cli.main import main
from asl_engine.cli.next_steps import NextSteps
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import RealClock
from asl_engine.testing.drive import Drive
from tests.cli.conftest import APPROVAL, APPROVAL_TASKS, Asl

Write = Callable[[str, Any], Path]
WORK = "arn:aws:lambda:us-east-1:123456789012:function:work"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def last_frame(self) -> list[str]:
        """The lines that are left standing: what comes after the last line that was erased, without colours."""
        drawn = self.getvalue().rpartition("\x1b[2K")[2]
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn)
        return [line.rstrip() for line in plain.splitlines() if line.strip()]


@pytest.fixture
def watch(asl: Asl, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Run a command on a terminal of 100 columns, and look at its last frame."""

    def watch_command(*arguments: str) -> list[str]:
        terminal = Terminal()
        with monkeypatch.context() as patch:
            for name, value in {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "12"}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stderr", terminal)
            with pytest.raises(SystemExit):
                main(arguments, prog_name="asl")
        return terminal.last_frame()

    return watch_command


def test_each_state_is_a_line_with_its_counts_and_attempts(asl: Asl, write: Write, watch: Callable[..., Any]) -> None:
    task = {"Type": "Task", "Resource": WORK, "Retry": [{"ErrorEquals": ["Busy"]}], "End": True}
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "Work", "States": {"Work": task}}, "Next": "Done"}
    write("each.asl.json", {"StartAt": "Each", "States": {"Each": each, "Done": {"Type": "Succeed"}}})
    write("mocks.json", {"Work": [{"Throw": {"Error": "Busy", "Cause": ""}}, {"Return": 1}]})
    frame = watch(
        "run", "each.asl.json", "--input", "[1, 2]", "--mocks", "mocks.json", "--clock", "virtual", "--name", "e"
    )

    assert frame[0] == "e  SUCCEEDED  1 s modelled"
    assert [line.split() for line in frame[1:]] == [
        ["✓", "Each", "2/2", "1", "s"],
        ["✓", "Work", "2/2", "1", "s", "2", "attempts"],
        ["✓", "Done", "0", "ms"],
    ]


def test_a_state_that_failed_is_marked_with_its_error(asl: Asl, write: Write, watch: Callable[..., Any]) -> None:
    write("t.asl.json", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": WORK, "End": True}}})
    write("mocks.json", {"T": [{"Throw": {"Error": "Broken", "Cause": "why"}}]})
    frame = watch("run", "t.asl.json", "--mocks", "mocks.json", "--clock", "virtual", "--name", "t")

    assert frame[0] == "t  FAILED  0 ms modelled"
    assert frame[1].split() == ["✗", "T", "0", "ms", "Broken"]


def test_a_long_machine_shows_its_newest_states(asl: Asl, write: Write, watch: Callable[..., Any]) -> None:
    names = [f"S{number:02}" for number in range(20)]
    states: dict[str, Any] = {name: {"Type": "Pass", "Next": f"S{at + 1:02}"} for at, name in enumerate(names)}
    states["S20"] = {"Type": "Succeed"}
    write("long.asl.json", {"StartAt": "S00", "States": states})
    frame = watch("run", "long.asl.json", "--clock", "virtual")

    assert frame[1] == "  … 15 states before"
    assert frame[-1].split()[1] == "S20"


def test_a_wait_for_an_answer_is_shown_with_the_command_that_gives_it(
    asl: Asl, write: Write, watch: Callable[..., Any]
) -> None:
    write("approval.asl.json", APPROVAL)
    write("tasks.py", APPROVAL_TASKS)
    frame = watch("run", "approval.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", "order-7")

    assert frame[0].startswith("order-7  RUNNING  ")
    assert frame[1].endswith("waits for an answer")
    assert "Ask" in frame[1]


def test_what_was_done_before_is_shown_when_an_execution_goes_on(
    asl: Asl, waiting: str, watch: Callable[..., Any]
) -> None:
    asl("approve", waiting)
    frame = watch("resume", waiting, "--tasks", "tasks.py", "--clock", "virtual")

    assert [line.split()[:2] for line in frame[1:3]] == [["✓", "Ask"], ["✓", "Ship"]]


def test_what_to_type_for_an_answer_is_the_arn_where_the_name_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Drive(compile_definition(json.dumps(APPROVAL))).submit("Ask")
    following = Following()
    following.begin(run.execution.arn, run.execution.name, run.machine)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")

    async def show() -> None:
        view = LiveView(following, RealClock(), NextSteps("sqlite:.asl/executions.sqlite"))
        view.start()
        for outcome in run.outcomes:
            view.observe(outcome)
        view.stop()

    asyncio.run(show())
    assert terminal.last_frame()[-1] == f"  Answer: asl approve {run.execution.arn}"
