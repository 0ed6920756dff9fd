"""The one list of operations: a name of the API and the function that performs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from asl_engine.api.actions import (
    activities,
    aliases,
    executions,
    express,
    state_machines,
    tags,
    tasks,
    validation,
    versions,
)
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import NotImplementedOperation

Operation: TypeAlias = Callable[[StepFunctions, Request], Awaitable[Answer]]

OPERATIONS: Final[Mapping[str, Operation]] = {
    "CreateActivity": activities.create_activity,
    "CreateStateMachine": state_machines.create_state_machine,
    "CreateStateMachineAlias": aliases.create_state_machine_alias,
    "DeleteActivity": activities.delete_activity,
    "DeleteStateMachine": state_machines.delete_state_machine,
    "DeleteStateMachineAlias": aliases.delete_state_machine_alias,
    "DeleteStateMachineVersion": versions.delete_state_machine_version,
    "DescribeActivity": activities.describe_activity,
    "DescribeExecution": executions.describe_execution,
    "DescribeStateMachine": state_machines.describe_state_machine,
    "DescribeStateMachineAlias": aliases.describe_state_machine_alias,
    "DescribeStateMachineForExecution": executions.describe_state_machine_for_execution,
    "GetActivityTask": activities.get_activity_task,
    "GetExecutionHistory": executions.get_execution_history,
    "ListActivities": activities.list_activities,
    "ListExecutions": executions.list_executions,
    "ListStateMachineAliases": aliases.list_state_machine_aliases,
    "ListStateMachineVersions": versions.list_state_machine_versions,
    "ListStateMachines": state_machines.list_state_machines,
    "ListTagsForResource": tags.list_tags_for_resource,
    "PublishStateMachineVersion": versions.publish_state_machine_version,
    "SendTaskFailure": tasks.send_task_failure,
    "SendTaskHeartbeat": tasks.send_task_heartbeat,
    "SendTaskSuccess": tasks.send_task_success,
    "StartExecution": executions.start_execution,
    "StartSyncExecution": express.start_sync_execution,
    "StopExecution": executions.stop_execution,
    "TestState": validation.test_state,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "UpdateStateMachine": state_machines.update_state_machine,
    "UpdateStateMachineAlias": aliases.update_state_machine_alias,
    "ValidateStateMachineDefinition": validation.validate_state_machine_definition,
}


def not_implemented(operation: str) -> Operation:
    """What stands in for an operation of the API that is not in the list."""

    async def refuse(_service: StepFunctions, _request: Request) -> Answer:
        raise NotImplementedOperation(f"asl-engine does not implement {operation} yet")

    return refuse
