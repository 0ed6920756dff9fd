"""`asl stop`: abort an execution."""

from __future__ import annotations

import sys

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete
from asl_engine.cli.exit_codes import ALL_WELL, NOT_WELL


@click.command(
    "stop",
    epilog=options.examples(
        """
        asl stop order-7
        asl stop order-7 --error OperatorStopped --cause 'The order was placed twice'
        """
    ),
)
@options.execution()
@click.option("--error", help="Error name to record.")
@click.option("--cause", help="Cause to record.")
@options.store
def command(*, execution: str, error: str | None, cause: str | None, store_spec: str) -> None:
    """Abort a running execution, whether or not a process is driving it.

    Exit code: 0 stopped (or handed to the process that runs it), 1 it was over already, 2 it could not be done.
    """
    sys.exit(complete(_stop(execution, error, cause, store_spec)))


async def _stop(name_or_arn: str, error: str | None, cause: str | None, store_spec: str) -> int:
    from asl_engine.api.delivery import Delivery
    from asl_engine.api.executions import stop_execution
    from asl_engine.cli import wiring

    async with wiring.existing_store(store_spec) as store:
        arn = await wiring.resolve(store, name_or_arn, to_change=True)
        delivery = await stop_execution(store, arn, now=wiring.wall_clock_now(), error=error, cause=cause)
        execution = await store.load(arn)
    match delivery:
        case Delivery.TOO_LATE:
            click.echo(f"{execution.name} is over already: {execution.status.value}", err=True)
            return NOT_WELL
        case Delivery.HANDED_OVER:
            click.echo(f"{execution.name}: the process that runs it takes the stop within a second.")
        case Delivery.APPLIED:
            click.echo(f"{execution.name} is {execution.status.value}.")
    return ALL_WELL
