"""`asl permissions`: the IAM policy that definitions need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asl_engine.cli import deploying, options

if TYPE_CHECKING:
    from asl_engine.deploy.permissions import Statement


@click.command(
    "permissions",
    epilog=options.examples(
        """
        asl permissions order.asl.json
        asl permissions state_machines/ --region eu-central-1 --account 123456789012 > policy.json
        asl permissions state_machines/ --json | jq .reasons
        """
    ),
)
@click.argument("paths", metavar="FILE|DIR…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--region", help="Put this region in place of ${AWS::Region}.")
@click.option("--account", metavar="ID", help="Put this account in place of ${AWS::AccountId}.")
@click.option("--partition", default="aws", show_default=True, help="Partition of the ARNs.")
@options.as_json
def command(paths: tuple[Path, ...], region: str | None, account: str | None, partition: str, as_json: bool) -> None:
    """Print the IAM policy that the tasks of definitions need, and why they need each statement.

    The policy goes to standard output and the reasons to standard error; --json prints both as one document. Names
    that a definition computes become "*" in an ARN; what it writes out is named exactly.

    Exit code: 0 printed, 2 a definition could not be read or is not valid.
    """
    from asl_engine.cli.results import json_text
    from asl_engine.deploy.permissions import policy_document, task_permissions
    from asl_engine.deploy.placeholders import filled

    statements = task_permissions(deploying.load_definitions(paths))
    known = {"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": partition}
    values = {name: value for name, value in known.items() if value is not None}
    policy = policy_document(statements)
    if as_json:
        reasons = {statement.sid: statement.reason for statement in statements}
        click.echo(filled(json_text({"policy": policy, "reasons": {**reasons}}), values))
        return
    click.echo(filled(json_text(policy), values))
    _tell_reasons(statements)


def _tell_reasons(statements: tuple[Statement, ...]) -> None:
    width = max((len(statement.sid) for statement in statements), default=0)
    for statement in statements:
        click.echo(f"{statement.sid:<{width}}  {statement.reason}", err=True)
    if not statements:
        click.echo("The definitions call nothing outside the engine.", err=True)
