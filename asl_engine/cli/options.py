"""Options that several commands share, and how help texts show examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

DEFAULT_STORE: Final = "sqlite:.asl/executions.sqlite"
Function = TypeVar("Function", bound=Callable[..., Any])


def examples(text: str) -> str:
    """The epilog of a command's help: its examples, in lines as they are written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line.strip()}" for line in text.strip().splitlines())


store = click.option(
    "--store",
    "store_spec",
    metavar="memory|sqlite:FILE|dynamodb:TABLE",
    default=DEFAULT_STORE,
    envvar="ASL_STORE",
    show_default=True,
    show_envvar=True,
    help="Where executions are kept.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
_tasks = click.option(
    "--tasks",
    metavar="FILE.py",
    type=click.Path(path_type=Path),
    help="Python file whose TASKS maps a Resource, ARN, function or state name to f(event, context).",
)
_mocks = click.option(
    "--mocks",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Scripted answers per state and attempt, or a MockConfigFile.json of AWS Step Functions Local.",
)
_mock_state_machine = click.option(
    "--mock-state-machine",
    metavar="NAME",
    help="The state machine to use out of a MockConfigFile.json, when it has another name than the definition's file.",
)
_mock_test_case = click.option(
    "--mock-test-case", metavar="CASE", help="The test case to use out of a MockConfigFile.json."
)
_clock = click.option(
    "--clock",
    type=click.Choice(["real", "virtual"]),
    default="real",
    show_default=True,
    help="virtual: waits, retries and timeouts take no time, and the history carries the modelled times.",
)


def execution(*, required: bool = True) -> Callable[[Function], Function]:
    """The argument that names an execution."""
    return click.argument("execution", metavar="ARN|NAME" if required else "[ARN|NAME]", required=required)


def running(function: Function) -> Function:
    """The options of commands that perform tasks."""
    for option in (_clock, _mock_test_case, _mock_state_machine, _mocks, _tasks):
        function = option(function)
    return function
