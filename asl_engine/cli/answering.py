"""Answer a task token from the command line: `asl approve` and `asl reject`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from asl_engine.api.delivery import Delivery
from asl_engine.api.open_waits import OpenWait, WaitKind, open_waits
from asl_engine.cli import results, wiring
from asl_engine.cli.next_steps import next_steps_of
from asl_engine.errors import AslError, InvalidToken
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.task_token import read
from asl_engine.store.protocol import ExecutionStore

Send = Callable[[ExecutionStore, str, int], Awaitable[Delivery]]


async def answer(token_or_name: str, store_spec: str, send: Send) -> None:
    """Send an answer to the token, or to the only one of the named execution, and say what comes of it.

    Raises AslError: no such token or execution, the task is over, or more than one waits.
    """
    async with wiring.existing_store(store_spec) as store:
        token = await _token(store, token_or_name)
        delivery = await send(store, token, wiring.wall_clock_now())
        execution = await store.load(read(token).execution_arn)
        steps = await next_steps_of(store, store_spec, execution)
        whom = await steps.whom(store, execution)
    if delivery is Delivery.HANDED_OVER:
        click.echo(f"{execution.name}: the process that runs it takes the answer within a second.")
    elif execution.status is ExecutionStatus.RUNNING:
        click.echo(f"{execution.name} has the answer. Go on:  {steps.resume(whom)}")
    else:
        click.echo(f"{execution.name} has the answer, and is {execution.status.value}.")


async def _token(store: ExecutionStore, token_or_name: str) -> str:
    try:
        read(token_or_name)
    except InvalidToken:
        execution = await store.load(await wiring.resolve(store, token_or_name, to_change=True))
        return _only_token(execution)
    return token_or_name


def _only_token(execution: Execution) -> str:
    """The token of the one task that waits for an answer. Raises AslError."""
    waits = [wait for wait in open_waits(execution) if wait.task_token is not None]
    waits = [wait for wait in waits if wait.kind is WaitKind.CALLBACK] or waits
    match waits:
        case [OpenWait(task_token=str(token))]:
            return token
        case []:
            raise AslError(f"{execution.name} waits for no answer; {_instead(execution)}")
    listed = "\n".join(f"  {results.wait_text(wait)}\n    {wait.task_token}" for wait in waits)
    raise AslError(f"{execution.name} waits for {len(waits)} answers; give the task token of one:\n{listed}")


def _instead(execution: Execution) -> str:
    if execution.status is not ExecutionStatus.RUNNING:
        return f"it is over: {execution.status.value}"
    waits = [results.wait_text(wait) for wait in open_waits(execution)]
    return "it waits for " + ("; ".join(waits) if waits else "somebody to go on with it: asl resume")
