"""`asl list`: the executions of a store."""

from __future__ import annotations

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete


@click.command(
    "list",
    epilog=options.examples(
        """
        asl list
        asl list --status RUNNING --store sqlite:orders.sqlite
        asl list --json | jq -r '.executions[].name'
        """
    ),
)
@click.option(
    "--status",
    type=click.Choice(["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"], case_sensitive=False),
    help="Only those with this status.",
)
@options.store
@options.as_json
def command(*, status: str | None, store_spec: str, as_json: bool) -> None:
    """List executions, newest first. With --json: the answer of ListExecutions."""
    complete(_list(status, store_spec, as_json=as_json))


async def _list(status: str | None, store_spec: str, *, as_json: bool) -> None:
    from asl_engine.api.executions import list_executions
    from asl_engine.cli import results, wiring
    from asl_engine.cli.moments import duration, moment
    from asl_engine.interpreter.execution import ExecutionStatus

    chosen = None if status is None else ExecutionStatus(status.upper())
    async with wiring.existing_store(store_spec) as store:
        if as_json:
            click.echo(results.json_text(await list_executions(store, chosen)))
            return
        summaries = await store.executions(chosen)
        if not summaries:
            click.echo("No executions." if chosen is None else f"No executions are {chosen}.")
            return
        width = max(4, *(len(summary.name) for summary in summaries))
        click.secho(f"{'NAME':<{width}}  {'STATUS':<9}  {'STARTED':<19}  {'TOOK':<9}  STATE MACHINE", bold=True)
        for summary in summaries:
            took = "" if summary.stopped_at is None else duration(summary.stopped_at - summary.started_at)
            status_text = click.style(f"{summary.status.value:<9}", fg=results.COLOURS[summary.status])
            machine = summary.state_machine_arn.rpartition(":")[2]
            click.echo(f"{summary.name:<{width}}  {status_text}  {moment(summary.started_at)}  {took:<9}  {machine}")
