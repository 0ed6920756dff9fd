"""How an execution stands when a command lets go of it: for people, for machines, and as an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import click

from asl_engine.api.executions import description
from asl_engine.api.open_waits import OpenWait, WaitKind, open_waits
from asl_engine.cli.exit_codes import ALL_WELL, NOT_WELL, WAITING
from asl_engine.cli.history_table import cause_text
from asl_engine.cli.moments import duration, moment
from asl_engine.cli.next_steps import NextSteps
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.json_value import JsonObject, JsonValue

COLOURS = {
    ExecutionStatus.RUNNING: "blue",
    ExecutionStatus.SUCCEEDED: "green",
    ExecutionStatus.FAILED: "red",
    ExecutionStatus.TIMED_OUT: "red",
    ExecutionStatus.ABORTED: "yellow",
}


def exit_code(executions: Iterable[Execution]) -> int:
    """0 if all succeeded, 1 if any ended otherwise, 3 if the others only wait."""
    statuses = {execution.status for execution in executions}
    if statuses - {ExecutionStatus.SUCCEEDED, ExecutionStatus.RUNNING}:
        return NOT_WELL
    return WAITING if ExecutionStatus.RUNNING in statuses else ALL_WELL


def json_text(value: JsonValue) -> str:
    """A JSON text to read, in characters that standard output has."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    return json.dumps(value, indent=2, ensure_ascii=not is_unicode)


def document(execution: Execution) -> JsonObject:
    """DescribeExecution's answer and, while it runs, what it waits for."""
    shown = description(execution)
    if execution.status is ExecutionStatus.RUNNING:
        shown["waitingFor"] = [wait.as_json() for wait in open_waits(execution)]
    return shown


def tell(execution: Execution, steps: NextSteps, whom: str) -> None:
    """Print how an execution stands now that nothing moves it: its output, error or waits, and where to look next.

    `whom` is what to type for it.
    """
    status = execution.status
    is_waiting = status is ExecutionStatus.RUNNING
    tell_status(execution, "WAITING" if is_waiting else status.value)
    if is_waiting:
        tell_waits(execution, steps, whom)
        if steps.is_durable:
            click.echo(f"Go on:   {steps.resume(whom)}")
    else:
        tell_end(execution)
    if steps.is_durable:
        click.secho(f"History: {steps.command('history', whom)}", dim=True)


def tell_status(execution: Execution, label: str) -> None:
    """Print one line: how it stands, its name, and how long it took."""
    took = f" after {duration(execution.stopped_at - execution.started_at)}" if execution.stopped_at is not None else ""
    click.echo(f"{click.style(label, fg=COLOURS[execution.status], bold=True)}  {execution.name}{took}")


def tell_end(execution: Execution) -> None:
    """Print the output of an execution that succeeded, the error of one that did not."""
    if execution.status is ExecutionStatus.SUCCEEDED:
        click.echo(json_text(execution.output))
    if execution.error is not None:
        click.echo(f"Error: {click.style(execution.error, fg='red')}")
    if execution.cause is not None:
        click.echo(f"Cause: {cause_text(execution.cause)}")


def tell_waits(execution: Execution, steps: NextSteps, whom: str) -> None:
    """Print what an execution waits for, and the commands that answer. `whom` is what to type for it."""
    waits = open_waits(execution)
    click.echo("Waiting for:")
    for wait in waits:
        click.echo(f"  {wait_text(wait)}")
        if wait.task_token is not None:
            click.echo(f"    task token {wait.task_token}")
    if not steps.is_durable:
        click.echo("Nobody can answer: the store `memory` ends with this process.")
        return
    callbacks = [wait for wait in waits if wait.kind is WaitKind.CALLBACK]
    if callbacks:
        answered = whom if len(callbacks) == 1 else str(callbacks[0].task_token)
        click.echo(f"Answer:  {steps.command('approve', answered, '--output', '{}')}")
        click.echo(f"     or  {steps.command('reject', answered, '--error', 'Rejected')}")


def wait_text(wait: OpenWait) -> str:
    """One wait in words."""
    where = wait.state_name if wait.iteration is None else f"{wait.state_name}[{wait.iteration}]"
    attempt = f", attempt {wait.attempt}" if wait.attempt > 1 else ""
    at = moment(wait.until) if wait.until is not None else ""
    until = f", until {at}" if at else ""
    match wait.kind:
        case WaitKind.CALLBACK:
            return f"{where}: an answer with its task token{attempt}{until}"
        case WaitKind.TASK:
            return f"{where}: its task{attempt}{until}"
        case WaitKind.TIMER:
            return f"{where}: {at}"
        case WaitKind.RETRY:
            return f"{where}{attempt}: {at}"
