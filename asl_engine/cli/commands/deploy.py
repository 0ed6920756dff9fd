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
        asl deploy state_machines/ --region eu-central-1
        asl deploy state_machines/ --plan             # show what would change, and change nothing
        asl deploy state_machines/ --yes              # in CI: nobody is asked
        """
    ),
)
@click.argument("definitions", type=click.Path(path_type=Path, file_okay=False, exists=True))
@deploying.directory
@click.option("--name", default="asl-engine", show_default=True, help="Prefix of every resource's name.")
@click.option("--region", help="AWS region; the default is that of the environment.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before changing anything.")
@deploying.architecture
@deploying.python
def command(
    definitions: Path,
    directory: Path,
    name: str,
    region: str | None,
    plan_only: bool,
    yes: bool,
    architecture: Literal["arm64", "x86_64"],
    python: str,
) -> None:
    """Deploy the engine and every *.asl.json below a directory, with Terraform.

    The first time it writes main.tf, which is yours from then on: change variables there, add a backend. --name,
    --region, --architecture and --python go into that file and have no effect on one that is there.

    Exit code: 0 deployed, 1 Terraform failed, 2 a definition is not valid or nothing could be built.
    """
    from asl_engine.deploy.packaging import source_root
    from asl_engine.deploy.terraform import NewDeployment, TerraformDirectory

    terraform = TerraformDirectory(directory)
    deploying.build(terraform.packages, architecture, python, definitions)
    new = NewDeployment(
        name=name,
        region=region or wiring.region(),
        architecture=architecture,
        python=python,
        definitions=definitions,
    )
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
