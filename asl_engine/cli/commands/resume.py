"""`asl resume`: go on with executions where they were."""

from __future__ import annotations

import sys
from typing import Any

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete


@click.command(
    "resume",
    epilog=options.examples(
        """
        asl resume --tasks tasks.py                  # all that are open
        asl resume order-7 --tasks tasks.py
        asl resume order-7 --store sqlite:orders.sqlite --clock virtual --json
        """
    ),
)
@options.execution(required=False)
@options.running
@options.store
@click.option("--history", "with_history", is_flag=True, help="Print the history, too (with --json: as `events`).")
@options.as_json
@click.option("--aws-limits", is_flag=True, help="Apply AWS's limits: payloads of 256 KiB, histories of 25,000 events.")
def command(
    *, execution: str | None, store_spec: str, with_history: bool, as_json: bool, aws_limits: bool, **sources: Any
) -> None:
    """Go on with an execution, or with all that are open, where they were.

    No task that finished runs again. A task that was under way when its process ended starts again, under the same
    idempotency key.

    Exit code: 0 all SUCCEEDED, 1 one ended in any other way, 2 one could not be taken up or the store failed, 3 one
    waits for an answer from outside (virtual time only), 130 Ctrl-C.
    """
    from asl_engine.cli.resuming import resume
    from asl_engine.cli.sessions import Settings

    settings = Settings.of(
        store_spec=store_spec, as_json=as_json, with_history=with_history, aws_limits=aws_limits, **sources
    )
    sys.exit(complete(resume(settings, execution)))
