"""`asl graph`: a state machine drawn, coloured by what an execution did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete
from asl_engine.errors import AslError

if TYPE_CHECKING:
    from asl_engine.graph import Overlay
    from asl_engine.language.definition import StateMachine


@click.command(
    "graph",
    epilog=options.examples(
        """
        asl graph order.asl.json -o order.svg
        asl graph order.asl.json --execution order-7 -o order-7.svg
        asl graph order.asl.json > order.mmd            # Mermaid, which GitHub shows
        """
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--execution", metavar="ARN|NAME", help="Colour the states by what this execution did.")
@options.store
@click.option("-o", "--output", metavar="FILE.svg|FILE.mmd|-", default="-", show_default=True, help="- prints Mermaid.")
def command(*, file: Path, execution: str | None, store_spec: str, output: str) -> None:
    """Draw FILE as SVG or as a Mermaid flowchart."""
    from asl_engine.cli.definitions import load_machine
    from asl_engine.graph import to_mermaid, to_svg

    if output != "-" and not output.endswith((".svg", ".mmd")):
        raise click.BadParameter(f"{output} must end in .svg or .mmd, or be -", param_hint="--output")
    machine, overlay = load_machine(file), None
    if execution is not None:
        machine, overlay = complete(_coloured(machine, execution, store_spec))
    text = to_svg(machine, overlay) if output.endswith(".svg") else to_mermaid(machine, overlay)
    if output == "-":
        click.echo(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise AslError(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"Drawn to {output}")


async def _coloured(machine: StateMachine, name_or_arn: str, store_spec: str) -> tuple[StateMachine, Overlay]:
    """What an execution did, and the machine as it was then: a file may have changed since."""
    from asl_engine.cli import wiring
    from asl_engine.graph import overlay_of
    from asl_engine.language.parser import compile_definition

    async with wiring.existing_store(store_spec) as store:
        execution = await store.load(await wiring.resolve(store, name_or_arn))
        if execution.definition_sha256 != machine.sha256:
            click.echo(f"{execution.name} ran another definition than the file holds now: that one is drawn.", err=True)
            machine = compile_definition(await store.definition(execution.definition_sha256))
        return machine, overlay_of([event async for event in store.history(execution.arn)])
