"""`asl schema`: the JSON Schema of definitions, for editors."""

from __future__ import annotations

from importlib.resources import files

import click

from asl_engine.cli import options


@click.command(
    "schema",
    epilog=options.examples(
        """
        asl schema > asl.schema.json
        """
    ),
)
def command() -> None:
    """Print the JSON Schema of Amazon States Language, with which editors complete and check definitions.

    In VS Code: set "json.schemas": [{"fileMatch": ["*.asl.json"], "url": "./asl.schema.json"}].
    """
    click.echo(files("asl_engine.language").joinpath("asl.schema.json").read_text(encoding="utf-8"), nl=False)
