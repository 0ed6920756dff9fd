"""A directory to work in, and `asl` to call in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from asl_engine.cli.main import main

HELLO = {"StartAt": "Hello", "States": {"Hello": {"Type": "Pass", "Result": "world", "End": True}}}
APPROVAL = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
            "Next": "Ship",
        },
        "Ship": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:ship", "End": True},
    },
}
APPROVAL_TASKS = """
def ask(event, context):
    return None

def ship(event, context):
    with open("shipped.txt", "a") as file:
        file.write("shipped\\n")
    return {"shipped": event}

TASKS = {"ask": ask, "ship": ship}
"""

LIMITED = """
import resource
from asl_engine.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
main(prog_name="asl")
"""


@dataclass(frozen=True)
class Asl:
    """Calls the command inside this process, or as a process of its own."""

    directory: Path

    def __call__(self, *arguments: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=stdin, prog_name="asl")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *arguments: str) -> Any:
        """What a command that must end well prints with --json."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def start(self, *arguments: str, file_bytes_max: int | None = None) -> subprocess.Popen[str]:
        """The command as a process, which may write no file larger than that."""
        command = ["-m", "asl_engine"] if file_bytes_max is None else ["-c", LIMITED.format(file_bytes_max)]
        return subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def asl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asl:
    """The command in an empty directory, with nothing of the machine's own AWS set-up."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AWS_", "ASL_"))]:
        monkeypatch.delenv(name)
    return Asl(tmp_path)


@pytest.fixture
def write(asl: Asl) -> Callable[[str, Any], Path]:
    """Write a file of the working directory: text as it is, anything else as JSON."""

    def write_file(name: str, content: Any) -> Path:
        path = asl.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def hello(write: Callable[[str, Any], Path]) -> str:
    """A definition that needs nothing."""
    return str(write("hello.asl.json", HELLO))


@pytest.fixture
def waiting(asl: Asl, write: Callable[[str, Any], Path]) -> str:
    """The name of an execution that waits for an answer; nobody drives it. Its tasks are in tasks.py."""
    write("approval.asl.json", APPROVAL)
    write("tasks.py", APPROVAL_TASKS)
    stalled = asl("run", "approval.asl.json", "--tasks", "tasks.py", "--clock", "virtual", "--name", "order-7")
    assert stalled.exit_code == 3, stalled.output
    return "order-7"
