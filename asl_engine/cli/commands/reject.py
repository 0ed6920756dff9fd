"""`asl reject`: fail a task that waits for its token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete

if TYPE_CHECKING:
    from asl_engine.api.delivery import Delivery
    from asl_engine.store.protocol import ExecutionStore


@click.command(
    "reject",
    epilog=options.examples(
        """
        asl reject order-7 --error OrderRejected --cause 'The customer is on hold'
        asl reject "$TASK_TOKEN"
        """
    ),
)
@click.argument("token_or_name", metavar="TASK_TOKEN|NAME|ARN")
@click.option("--error", default="Rejected", show_default=True, help="Error name, for Retry and Catch.")
@click.option("--cause", help="Cause.")
@options.store
def command(*, token_or_name: str, error: str, cause: str | None, store_spec: str) -> None:
    """Fail a task that waits for its task token: SendTaskFailure.

    By the execution's name or ARN when one of its tasks waits; by the token when several do, as `asl describe` shows.
    """
    from asl_engine.api.tasks import send_task_failure
    from asl_engine.cli.answering import answer

    async def send(store: ExecutionStore, token: str, now: int) -> Delivery:
        return await send_task_failure(store, token, now=now, error=error, cause=cause)

    complete(answer(token_or_name, store_spec, send))
