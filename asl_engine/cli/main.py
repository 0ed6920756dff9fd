"""`asl`: the list of commands, each imported only when it is needed, and the one place that turns errors into messages.

An AslError becomes one message on standard error and exit code 2: the command could not do what it was asked. Only
defects of the engine itself show a traceback.
"""

from __future__ import annotations

import contextlib
import io
import sys
from importlib import import_module
from typing import Any, Final

import click

import asl_engine
from asl_engine.cli.exit_codes import INTERRUPTED, UNUSABLE
from asl_engine.errors import AslError

# The module of each command, and what the list of commands says of it: listing them must import none.
_COMMANDS: Final = {
    "validate": ("validate", "Check definitions, and find all that is wrong with them."),
    "run": ("run", "Start an execution and follow it to its end."),
    "resume": ("resume", "Go on with executions that are open."),
    "list": ("list_executions", "List executions."),
    "describe": ("describe", "Show one execution, and what it waits for."),
    "history": ("history", "Show what happened in an execution."),
    "stop": ("stop", "Abort a running execution."),
    "approve": ("approve", "End a task that waits for its task token."),
    "reject": ("reject", "Fail a task that waits for its task token."),
    "approvals": ("approvals", "List, show and answer requests for approval."),
    "graph": ("graph", "Draw a definition, or what an execution did."),
    "schema": ("schema", "Print the JSON Schema of definitions."),
    "serve": ("serve", "Serve the AWS Step Functions API on this machine."),
    "simulate": ("simulate", "Run machines under faults, and check what the engine promises."),
    "permissions": ("permissions", "Print the IAM policy that definitions need."),
    "package": ("package", "Build the archives of a deployment's functions."),
    "deploy": ("deploy", "Deploy the engine and definitions to AWS, with Terraform."),
    "start": ("start", "Start an execution on a deployed engine."),
    "logs": ("logs", "Show what the functions of a deployed engine wrote."),
    "destroy": ("destroy", "Delete everything that a deployment made."),
}


class Refusal(click.ClickException):
    """An error of the engine, as click shows errors."""

    exit_code = UNUSABLE


class _Commands(click.Group):
    """A group whose commands are modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = import_module(f"asl_engine.cli.commands.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AslError as error:
            raise Refusal(str(error)) from error
        except MemoryError as error:
            raise Refusal("there is not enough memory for this; executions that were begun are kept") from error
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="""\b
Examples:
  asl validate order.asl.json
  asl run order.asl.json --input '{"order": 7}' --tasks tasks.py
  asl run order.asl.json --tasks tasks.py --clock virtual   # waits and retries take no time
  asl list
  asl history order-1f3a9c

\b
A first workflow: save this as hello.asl.json, then `asl run hello.asl.json`
  {"StartAt": "Hello", "States": {"Hello": {"Type": "Pass", "Result": "world", "End": true}}}

Every command explains itself: asl run --help""",
)
@click.version_option(asl_engine.__version__, prog_name="asl", message="%(prog)s %(version)s")
def main() -> None:
    """Run Amazon States Language files on this machine.

    The same file that AWS Step Functions takes runs here: durable on disk, or in virtual time.
    """
    # What has no character in the terminal's encoding is shown escaped instead of ending the command.
    if isinstance(sys.stdout, io.TextIOWrapper):
        with contextlib.suppress(io.UnsupportedOperation):
            sys.stdout.reconfigure(errors="backslashreplace")
