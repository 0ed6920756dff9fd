"""`asl package`: the archives of a deployment's functions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from asl_engine.cli import deploying, options


@click.command(
    "package",
    epilog=options.examples(
        """
        asl package
        asl package --architecture x86_64 --output build/packages-x86_64
        asl package --definitions state_machines/     # and validate what will be deployed
        """
    ),
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/packages"),
    show_default=True,
    help="Directory to write to.",
)
@deploying.architecture
@deploying.python
@click.option(
    "--definitions",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Validate every *.asl.json below this directory and write definitions.json, which Terraform reads.",
)
def command(
    output: Path, architecture: Literal["arm64", "x86_64"] | None, python: str | None, definitions: Path | None
) -> None:
    """Build the archives of a deployment's functions, without Docker.

    The same sources give the same bytes, so a function is only deployed again when something changed.

    Exit code: 0 built, 2 it could not be done.
    """
    from asl_engine.deploy.wheels import Platform

    deploying.build(output, Platform(architecture=architecture or "arm64", python=python or "3.13"), definitions)
