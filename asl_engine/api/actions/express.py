"""StartSyncExecution: an Express workflow run to its end."""

from __future__ import annotations

import math
import uuid

from asl_engine.api.actions.executions import read_input, start_request, type_not_supported, without_data
from asl_engine.api.machines import compile_for
from asl_engine.api.names import refuse_bad_name
from asl_engine.api.routes import choose_test_case, route_to
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.json_value import dump_json

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_BillingDetails.html
_BILLED_MILLISECONDS = 100
_BILLED_MEGABYTES = 64


async def start_sync_execution(service: StepFunctions, request: Request) -> Answer:
    """StartSyncExecution."""
    name = request.get("name") or str(uuid.uuid4())
    refuse_bad_name(name)
    input = read_input(request.get("input", "{}"))
    route = await route_to(service, request["stateMachineArn"])
    if not route.is_express:
        raise type_not_supported()
    machine, start = compile_for(route.definition, "EXPRESS"), start_request(route, name, input)
    choose_test_case(service, route, start.execution_arn)
    execution = await service.express.run(machine, start)
    return without_data(_shown(execution), request)


def _shown(execution: Execution) -> Answer:
    assert execution.stopped_at is not None, "it has ended"
    milliseconds = max(1, execution.stopped_at - execution.started_at)
    shown: Answer = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "startDate": execution.started_at / 1000,
        "stopDate": execution.stopped_at / 1000,
        "status": execution.status.value,
        "input": dump_json(execution.input),
        "inputDetails": {"included": True},
        "billingDetails": {
            "billedMemoryUsedInMB": _BILLED_MEGABYTES,
            "billedDurationInMilliseconds": math.ceil(milliseconds / _BILLED_MILLISECONDS) * _BILLED_MILLISECONDS,
        },
    }
    if execution.status is ExecutionStatus.SUCCEEDED:
        shown |= {"output": dump_json(execution.output), "outputDetails": {"included": True}}
    shown |= {} if execution.error is None else {"error": execution.error}
    return shown | ({} if execution.cause is None else {"cause": execution.cause})
