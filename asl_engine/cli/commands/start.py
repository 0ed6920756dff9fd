"""`asl start`: an execution on a deployed engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asl_engine.cli import deploying, options
from asl_engine.errors import AslError


@click.command(
    "start",
    epilog=options.examples(
        """
        asl start ml-training --input @state_machines/ml-training/inputs/approved.json
        asl start orders --input '{"order": 7}' --name order-7
        """
    ),
)
@click.argument("state_machine", metavar="NAME")
@click.option("--input", "input_text", default="{}", show_default=True, metavar="JSON|@FILE", help="The input.")
@click.option("--name", help="The execution's name; without one the engine makes one.")
@deploying.directory
@options.as_json
def command(state_machine: str, input_text: str, name: str | None, directory: Path, as_json: bool) -> None:
    """Start an execution of a deployed state machine, at the version that its alias names.

    Exit code: 0 started, 2 it could not be done.
    """
    from asl_engine.cli.results import json_text
    from asl_engine.deploy.endpoint import step_functions_client
    from asl_engine.deploy.terraform import TerraformDirectory

    outputs = TerraformDirectory(directory).outputs()
    client = step_functions_client(outputs["step_functions_endpoint"])
    request = {"stateMachineArn": _arn(outputs, state_machine), "input": _input(input_text)}
    started = _start(client, request | ({"name": name} if name is not None else {}))
    arn = started["executionArn"]
    click.echo(json_text({"executionArn": arn, "startDate": started["startDate"].isoformat()}) if as_json else arn)


def _arn(outputs: dict[str, Any], state_machine: str) -> str:
    arns: dict[str, str] = outputs["state_machine_arns"]
    if state_machine not in arns:
        raise AslError(f'"{state_machine}" is not deployed; these are: {", ".join(sorted(arns)) or "none"}')
    return arns[state_machine]


def _input(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AslError(f"the input {text[1:]} cannot be read: {error}") from error


def _start(client: Any, request: dict[str, Any]) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = client.start_execution(**request)
    except (BotoCoreError, ClientError) as error:
        raise AslError(f"the execution was not started: {error}") from error
    return answer
