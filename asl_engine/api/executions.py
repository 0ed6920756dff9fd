"""StopExecution, DescribeExecution, ListExecutions, GetExecutionHistory, with AWS's members.

Timestamps are seconds since the epoch, payloads are JSON texts, as on the wire.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
"""

from __future__ import annotations

from asl_engine.api.delivery import Delivery, deliver
from asl_engine.api.names import FORBIDDEN_IN_NAMES
from asl_engine.errors import InvalidName
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import render
from asl_engine.json_value import JsonObject, dump_json
from asl_engine.limits import EXECUTION_NAME_LENGTH_MAX
from asl_engine.store.protocol import ExecutionStore, ExecutionSummary


def check_name(name: str) -> None:
    """Raises InvalidName for what AWS accepts as the name of no execution."""
    if not 1 <= len(name) <= EXECUTION_NAME_LENGTH_MAX:
        raise InvalidName(
            f"Invalid Name: '{name}' has {len(name)} characters; a name has 1 to {EXECUTION_NAME_LENGTH_MAX} of them"
        )
    refused = FORBIDDEN_IN_NAMES.search(name)
    if refused:
        raise InvalidName(
            f"Invalid Name: '{name}' contains {refused[0]!r}; use letters, digits, and any of - _ . + ! @ ( )"
        )


async def stop_execution(
    store: ExecutionStore, execution_arn: str, *, now: int, error: str | None = None, cause: str | None = None
) -> Delivery:
    """Abort a running execution. Stopping one that has ended changes nothing. Raises ExecutionDoesNotExist."""
    execution = await store.load(execution_arn)
    if execution.status is not ExecutionStatus.RUNNING:
        return Delivery.TOO_LATE
    return await deliver(store, execution_arn, StopRequested(error, cause), now)


async def describe_execution(store: ExecutionStore, execution_arn: str) -> JsonObject:
    """The answer of DescribeExecution. Raises ExecutionDoesNotExist."""
    return description(await store.load(execution_arn))


async def list_executions(store: ExecutionStore, status_filter: ExecutionStatus | None = None) -> JsonObject:
    """The answer of ListExecutions, newest first and on one page."""
    return {"executions": [list_item(summary) for summary in await store.executions(status_filter)]}


async def get_execution_history(
    store: ExecutionStore, execution_arn: str, *, reverse_order: bool = False
) -> JsonObject:
    """The answer of GetExecutionHistory, on one page. Raises ExecutionDoesNotExist."""
    return {"events": [render(event) async for event in store.history(execution_arn, reverse=reverse_order)]}


def description(execution: Execution) -> JsonObject:
    """An execution as DescribeExecution answers it."""
    shown: JsonObject = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status.value,
        "startDate": execution.started_at / 1000,
    }
    if execution.stopped_at is not None:
        shown["stopDate"] = execution.stopped_at / 1000
    shown["input"] = dump_json(execution.input)
    shown["inputDetails"] = {"included": True}
    if execution.status is ExecutionStatus.SUCCEEDED:
        shown["output"] = dump_json(execution.output)
        shown["outputDetails"] = {"included": True}
    shown |= _redrive(execution)
    optional: JsonObject = {
        "error": execution.error,
        "cause": execution.cause,
        "stateMachineVersionArn": execution.state_machine_version_arn,
        "stateMachineAliasArn": execution.state_machine_alias_arn,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def _redrive(execution: Execution) -> JsonObject:
    if execution.status in {ExecutionStatus.RUNNING, ExecutionStatus.SUCCEEDED}:
        return {
            "redriveCount": execution.redrive_count,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": f"Execution is {execution.status} and cannot be redriven",
        }
    return {"redriveCount": execution.redrive_count, "redriveStatus": "REDRIVABLE"}


def list_item(summary: ExecutionSummary) -> JsonObject:
    """An execution as ListExecutions answers it."""
    shown: JsonObject = {
        "executionArn": summary.arn,
        "stateMachineArn": summary.state_machine_arn,
        "name": summary.name,
        "status": summary.status.value,
        "startDate": summary.started_at / 1000,
        "redriveCount": 0,
    }
    if summary.stopped_at is not None:
        shown["stopDate"] = summary.stopped_at / 1000
    if summary.state_machine_version_arn is not None:
        shown["stateMachineVersionArn"] = summary.state_machine_version_arn
    if summary.state_machine_alias_arn is not None:
        shown["stateMachineAliasArn"] = summary.state_machine_alias_arn
    return shown
