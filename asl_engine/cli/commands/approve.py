"""`asl approve`: end a task that waits for its token well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete

if TYPE_CHECKING:
    from asl_engine.api.delivery import Delivery
    from asl_engine.store.protocol import ExecutionStore


@click.command(
    "approve",
    epilog=options.examples(
        """
        asl approve order-7                              # the only task of order-7 that waits
        asl approve order-7 --output '{"approved_by": "me"}'
        asl approve "$TASK_TOKEN"
        """
    ),
)
@click.argument("token_or_name", metavar="TASK_TOKEN|NAME|ARN")
@click.option("--output", metavar="JSON", default="{}", show_default=True, help="The task's result.")
@options.store
def command(*, token_or_name: str, output: str, store_spec: str) -> None:
    """Answer a task that waits for its task token: SendTaskSuccess.

    By the execution's name or ARN when one of its tasks waits; by the token when several do, as `asl describe` shows.
    Tasks are performed only by `asl run` and `asl resume`.
    """
    from asl_engine.api.tasks import send_task_success
    from asl_engine.cli.answering import answer

    async def send(store: ExecutionStore, token: str, now: int) -> Delivery:
        return await send_task_success(store, token, output, now=now)

    complete(answer(token_or_name, store_spec, send))
