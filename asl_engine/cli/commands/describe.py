"""`asl describe`: one execution, and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete

if TYPE_CHECKING:
    from asl_engine.interpreter.execution import Execution


@click.command(
    "describe",
    epilog=options.examples(
        """
        asl describe order-7
        asl describe order-7 --json | jq -r '.output | fromjson'
        asl describe order-7 --json | jq -r '.waitingFor[].taskToken'
        """
    ),
)
@options.execution()
@options.store
@options.as_json
def command(*, execution: str, store_spec: str, as_json: bool) -> None:
    """Show an execution: status, times, input, output or error, and what it waits for, with task tokens.

    With --json: the answer of DescribeExecution, and `waitingFor` while it runs.
    """
    complete(_describe(execution, store_spec, as_json=as_json))


async def _describe(name_or_arn: str, store_spec: str, *, as_json: bool) -> None:
    from asl_engine.cli import results, wiring
    from asl_engine.cli.next_steps import next_steps_of
    from asl_engine.interpreter.execution import ExecutionStatus

    async with wiring.existing_store(store_spec) as store:
        execution = await store.load(await wiring.resolve(store, name_or_arn))
        if as_json:
            click.echo(results.json_text(results.document(execution)))
            return
        results.tell_status(execution, execution.status.value)
        _tell_facts(execution)
        if execution.status is not ExecutionStatus.RUNNING:
            results.tell_end(execution)
            return
        steps = await next_steps_of(store, store_spec, execution)
        whom = await steps.whom(store, execution)
    results.tell_waits(execution, steps, whom)
    click.echo(f"Go on, unless a process is driving it:  {steps.resume(whom)}")


def _tell_facts(execution: Execution) -> None:
    from asl_engine.cli import results
    from asl_engine.cli.moments import moment
    from asl_engine.interpreter.execution import ExecutionStatus

    facts = {
        "ARN": execution.arn,
        "Machine": execution.state_machine_arn,
        "Started": moment(execution.started_at),
        "Stopped": moment(execution.stopped_at) if execution.stopped_at is not None else "",
        "Events": str(execution.last_event_id),
    }
    for name, value in facts.items():
        if value:
            click.echo(click.style(f"{name + ':':<9}", bold=True) + value)
    click.echo(click.style("Input:   ", bold=True) + results.json_text(execution.input))
    if execution.status is ExecutionStatus.SUCCEEDED:
        click.secho("Output:", bold=True)
