"""The command as a whole: help, version, wrong usage, and what it costs to start."""

from __future__ import annotations

import subprocess
import sys

import pytest

import asl_engine
from tests.cli.conftest import Asl


def test_the_version_is_that_of_the_package(asl: Asl) -> None:
    assert asl("--version").stdout == f"asl {asl_engine.__version__}\n"


def test_help_lists_the_commands_and_a_first_workflow(asl: Asl) -> None:
    shown = asl("--help").stdout

    assert all(name in shown for name in ("validate", "run", "resume", "history", "approve", "graph"))
    assert "hello.asl.json" in shown


@pytest.mark.parametrize("arguments", [["runn"], ["run"], ["run", "--no-such-option", "x"], ["list", "--status", "x"]])
def test_wrong_usage_exits_with_2(asl: Asl, arguments: list[str]) -> None:
    told = asl(*arguments)

    assert told.exit_code == 2
    assert "Usage: asl" in told.stderr


def test_help_imports_no_command() -> None:
    """Help that is slow is not asked for."""
    program = (
        "import sys; from asl_engine.cli.main import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    imported = set(shown.stdout.splitlines()[-1].split())

    assert "asl_engine.cli.main" in imported
    assert not {name for name in imported if name.startswith(("asl_engine.cli.commands.", "asl_engine.interpreter"))}
    assert not imported & {"asyncio", "sqlite3", "rich", "yaml", "jlens"}


SHORT_OF_MEMORY = """
import resource
from asl_engine.cli.main import main
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
main(prog_name="asl")
"""


def test_too_little_memory_is_told(asl: Asl, hello: str) -> None:
    """A file with a hole in it has a size and takes no room."""
    with (asl.directory / "huge.json").open("wb") as file:
        file.truncate(1 << 33)
    process = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY, "run", hello, "--input", "@huge.json"],
        cwd=asl.directory,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 2
    assert process.stderr == "Error: there is not enough memory for this; executions that were begun are kept\n"


def test_the_module_is_the_command(asl: Asl) -> None:
    process = asl.start("--version")

    assert process.communicate(timeout=30)[0] == f"asl {asl_engine.__version__}\n"
