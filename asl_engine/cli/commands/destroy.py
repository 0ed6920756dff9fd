"""`asl destroy`: everything that a deployment made."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from asl_engine.cli import deploying, options
from asl_engine.cli.exit_codes import ALL_WELL, NOT_WELL


@click.command(
    "destroy",
    epilog=options.examples(
        """
        asl destroy
        asl destroy --directory deployment-staging --yes
        """
    ),
)
@deploying.directory
@click.option("--yes", is_flag=True, help="Do not ask before deleting anything.")
def command(directory: Path, yes: bool) -> None:
    """Delete everything that a deployment made, executions and their histories included.

    The table is protected, and a bucket that holds payloads is kept: set deletion_protection = false and
    bucket_force_destroy = true in main.tf and deploy once more before.

    Exit code: 0 deleted, 1 Terraform failed or was refused, 2 nothing was deployed from there.
    """
    from asl_engine.deploy.terraform import TerraformDirectory

    code = TerraformDirectory(directory).run("destroy", *(["-auto-approve"] if yes else []))
    sys.exit(ALL_WELL if code == 0 else NOT_WELL)
