"""`asl deploy`: the engine and its definitions, into an AWS account."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from asl_engine.cli import deploying, options, wiring
from asl_engine.cli.exit_codes import NOT_WELL


@click.command(
    "deploy",
    epilog=options.examples(
        """
        asl deploy state_machines/ --region eu-central-1 --mail-from approvals@example.com
        asl deploy state_machines/ --plan             # show what would change, and change nothing
        asl deploy state_machines/ --yes              # in CI: nobody is asked
        """
    ),
)
@click.argument("definitions", type=click.Path(path_type=Path, file_okay=False, exists=True))
@deploying.directory
@click.option("--name", help="Prefix of every resource's name, by default asl-engine.")
@click.option("--region", help="AWS region; the default is that of the environment.")
@click.option("--mail-from", metavar="ADDRESS", help="Sender of approval mails, which SES has verified.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before changing anything.")
@deploying.architecture
@deploying.python
def command(
    definitions: Path,
    directory: Path,
    name: str | None,
    region: str | None,
    mail_from: str | None,
    plan_only: bool,
    yes: bool,
    architecture: Literal["arm64", "x86_64"] | None,
    python: str | None,
) -> None:
    """Deploy the engine and every *.asl.json below a directory, with Terraform.

    The first time it writes main.tf, which is yours from then on: change variables there, add a backend. Options are
    then what main.tf says, and one that says otherwise is refused.

    Exit code: 0 deployed, 1 Terraform failed, 2 a definition is not valid or nothing could be built.
    """
    from asl_engine.deploy.configuration import DEFAULTS, NewDeployment, agreed
    from asl_engine.deploy.packaging import source_root
    from asl_engine.deploy.terraform import TerraformDirectory, require_terraform
    from asl_engine.deploy.wheels import Platform

    require_terraform()
    terraform = TerraformDirectory(directory)
    asked = {
        "name": name,
        "region": region,
        "mail_from": mail_from,
        "architecture": architecture,
        "runtime": f"python{python}" if python is not None else None,
        "definitions_directory": str(definitions),
    }
    said = agreed(terraform.configuration, {setting: value for setting, value in asked.items() if value is not None})
    settings = {"region": wiring.region(), **DEFAULTS, **said}
    new = NewDeployment(
        name=settings["name"],
        region=settings["region"],
        platform=Platform.of(settings["architecture"], settings["runtime"]),
        definitions=definitions,
        mail_from=settings["mail_from"],
    )
    deploying.build(terraform.packages, new.platform, definitions)
    terraform.write(source_root() / "infra" / "terraform", new)
    _run(terraform.run("init", "-input=false"))
    _run(terraform.run("plan") if plan_only else terraform.run("apply", *(["-auto-approve"] if yes else [])))
    if not plan_only:
        for machine, arn in terraform.outputs()["state_machine_arns"].items():
            click.echo(f"{machine} is deployed: {arn}")
            click.echo(f"  asl start {machine} --input '{{}}' --directory {directory}")


def _run(code: int) -> None:
    if code != 0:
        sys.exit(NOT_WELL)
