"""`asl history`: what happened in an execution, event by event."""

from __future__ import annotations

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete


@click.command(
    "history",
    epilog=options.examples(
        """
        asl history order-7
        asl history order-7 --reverse | head
        asl history order-7 --json | jq -r '.events[] | select(.type == "TaskFailed")'
        """
    ),
)
@options.execution()
@click.option("--reverse", is_flag=True, help="Newest event first.")
@options.store
@options.as_json
def command(*, execution: str, reverse: bool, store_spec: str, as_json: bool) -> None:
    """Show the history of an execution.

    With --json: the answer of GetExecutionHistory.
    """
    complete(_history(execution, store_spec, reverse=reverse, as_json=as_json))


async def _history(name_or_arn: str, store_spec: str, *, reverse: bool, as_json: bool) -> None:
    from asl_engine.api.executions import get_execution_history
    from asl_engine.cli import results, wiring
    from asl_engine.cli.history_table import tell_history

    async with wiring.existing_store(store_spec) as store:
        arn = await wiring.resolve(store, name_or_arn)
        if as_json:
            click.echo(results.json_text(await get_execution_history(store, arn, reverse_order=reverse)))
        else:
            await tell_history(store, arn, reverse=reverse)
