"""StartExecution, StopExecution, ListExecutions, and what can be asked of one execution."""

from __future__ import annotations

import secrets
import uuid

from asl_engine.api.arns import check_execution_arn, check_map_run_arn, read_state_machine_arn
from asl_engine.api.executions import description, list_item
from asl_engine.api.jackson import invalid_json_text
from asl_engine.api.machines import (
    REVISION,
    compile_for,
    does_not_exist,
    find_machine,
    is_qualifier_known,
    shown_revision,
    without_definition,
)
from asl_engine.api.names import refuse_bad_name
from asl_engine.api.pages import INVALID, first_page, page_size
from asl_engine.api.routes import Route, choose_test_case, route_to
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.errors import (
    ExecutionAlreadyExists,
    ExecutionClaimed,
    ExecutionDoesNotExist,
    InvalidExecutionInput,
    InvalidJson,
    InvalidToken,
    NotImplementedOperation,
    StateMachineTypeNotSupported,
    ValidationException,
)
from asl_engine.interpreter.events import StopRequested
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent, render
from asl_engine.json_value import JsonObject, JsonValue, parse_json, same_json
from asl_engine.limits import PAYLOAD_BYTES_MAX
from asl_engine.runtime.in_process import StartRequest

# Members of event details that includeExecutionData=false leaves out.
_EXECUTION_DATA = ("input", "output", "parameters", "assignedVariables")


async def start_execution(service: StepFunctions, request: Request) -> Answer:
    """StartExecution. The name of an open execution with the same input gives that execution."""
    name = request.get("name") or str(uuid.uuid4())
    refuse_bad_name(name)
    input = read_input(request.get("input", "{}"))
    route = await route_to(service, request["stateMachineArn"])
    start = start_request(route, name, input)
    choose_test_case(service, route, start.execution_arn)
    if route.is_express:
        live = await service.express.start(compile_for(route.definition, "EXPRESS"), start)
        return {"executionArn": start.execution_arn, "startDate": live.execution.started_at / 1000}
    async with service.starting(start.execution_arn):
        execution = await _started(service, route, start)
    return {"executionArn": execution.arn, "startDate": execution.started_at / 1000}


async def stop_execution(service: StepFunctions, request: Request) -> Answer:
    """StopExecution. Stopping one that has ended changes nothing."""
    execution = await _execution(service, request["executionArn"])
    if execution.status is ExecutionStatus.RUNNING:
        await service.deliver(execution.arn, StopRequested(request.get("error"), request.get("cause")))
        execution = await service.execution(execution.arn)
    return {"stopDate": (execution.stopped_at or service.clock.now()) / 1000}


async def describe_execution(service: StepFunctions, request: Request) -> Answer:
    """DescribeExecution."""
    return without_data({**description(await _execution(service, request["executionArn"]))}, request)


async def describe_state_machine_for_execution(service: StepFunctions, request: Request) -> Answer:
    """DescribeStateMachineForExecution: the state machine as it was when the execution started."""
    execution = await _execution(service, request["executionArn"])
    kept = await service.resources.get(REVISION, execution.revision) if execution.revision is not None else None
    shown = {"stateMachineArn": execution.state_machine_arn, "name": execution.state_machine_name}
    if kept is None:  # it was started from a file, by `asl run`
        definition = await service.executions.definition(execution.definition_sha256)
        revision = {"definition": definition, "roleArn": execution.role_arn, "updateDate": execution.started_at / 1000}
    else:
        revision = {"updateDate": kept.document["updateDate"], **shown_revision(kept.document)}
    return without_definition({**shown, **revision}, request)


async def list_executions(service: StepFunctions, request: Request) -> Answer:
    """ListExecutions, newest first."""
    _check_whose_executions(request)
    arn = read_state_machine_arn(request["stateMachineArn"])
    machine = await find_machine(service, arn.unqualified)
    if machine is None:
        raise does_not_exist(arn.text)
    if machine.document["type"] == "EXPRESS":
        raise type_not_supported()
    size, status = page_size(request), request.get("statusFilter")
    listing = ("ListExecutions", arn.text, status, request.get("redriveFilter"))
    before = service.tokens.read(listing, request["nextToken"]) if "nextToken" in request else None
    if request.get("redriveFilter") == "REDRIVEN":
        return {"executions": []}
    try:
        found = await service.executions.executions(
            None if status is None else ExecutionStatus(status),
            state_machine_arn=arn.unqualified,
            qualified_arn=None if arn.qualifier is None else arn.text,
            before=before,
            limit=size + 1,
        )
    except ExecutionDoesNotExist as error:  # the last one of the page before has expired
        raise InvalidToken(INVALID) from error
    if not found and not await is_qualifier_known(service, arn):
        raise does_not_exist(arn.text)
    page, last = first_page(found, size)
    answer: Answer = {"executions": [list_item(summary) for summary in page]}
    return answer | ({"nextToken": service.tokens.issue(listing, last.arn)} if last is not None else {})


async def get_execution_history(service: StepFunctions, request: Request) -> Answer:
    """GetExecutionHistory."""
    arn, reverse, size = request["executionArn"], request.get("reverseOrder", False), page_size(request)
    execution = await _execution(service, arn)
    listing = ("GetExecutionHistory", execution.arn, reverse)
    after = service.tokens.read(listing, request["nextToken"]) if "nextToken" in request else 0
    events: list[HistoryEvent] = []
    async for event in service.executions.history(arn, after=after, reverse=reverse):
        events.append(event)
        if len(events) > size:
            break
    page, last = first_page(events, size)
    shown = [render(event) for event in page]
    if not request.get("includeExecutionData", True):
        shown = [_without_data(event) for event in shown]
    answer: Answer = {"events": shown}
    return answer | ({"nextToken": service.tokens.issue(listing, last.id)} if last is not None else {})


def without_data(shown: Answer, request: Request) -> Answer:
    """An execution's description as a caller gets it who wants METADATA_ONLY."""
    if request.get("includedData") != "METADATA_ONLY":
        return shown
    kept = {name: value for name, value in shown.items() if name not in {"input", "output", "error", "cause"}}
    return kept | {name: {"included": False} for name in ("inputDetails", "outputDetails") if name in kept}


def read_input(text: str) -> JsonValue:
    """The value of an execution's input. Raises InvalidExecutionInput."""
    if len(text) > PAYLOAD_BYTES_MAX // 4 and len(text.encode("utf-8", "surrogatepass")) > PAYLOAD_BYTES_MAX:
        raise InvalidExecutionInput(
            f"Invalid State Machine Execution Input: 'it is larger than {PAYLOAD_BYTES_MAX} bytes'"
        )
    try:
        return parse_json(text)
    except InvalidJson as error:
        shown = invalid_json_text(text, error)
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{shown}'") from error


def start_request(route: Route, name: str, input: JsonValue) -> StartRequest:
    """What the host is asked to start."""
    return StartRequest(
        name=name,
        input=input,
        state_machine_arn=route.machine_arn,
        seed=secrets.token_hex(16),
        role_arn=route.role_arn,
        state_machine_version_arn=route.version_arn,
        state_machine_alias_arn=route.alias_arn,
        revision=route.revision,
        express_id=str(uuid.uuid4()) if route.is_express else None,
    )


def type_not_supported() -> StateMachineTypeNotSupported:
    """The error of an operation that the machine's type does not have."""
    return StateMachineTypeNotSupported("This operation is not supported by this type of state machine")


async def _started(service: StepFunctions, route: Route, start: StartRequest) -> Execution:
    machine = compile_for(route.definition, "STANDARD")
    try:
        return await service.host.begin(machine, start)
    except (ExecutionAlreadyExists, ExecutionClaimed) as error:
        known = await service.execution(start.execution_arn)
        if known.status is ExecutionStatus.RUNNING and same_json(known.input, start.input):
            return known
        raise ExecutionAlreadyExists(f"Execution Already Exists: '{start.execution_arn}'") from error


async def _execution(service: StepFunctions, arn: str) -> Execution:
    check_execution_arn(arn)
    try:
        return await service.execution(arn)
    except ExecutionDoesNotExist as error:
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'") from error


def _check_whose_executions(request: Request) -> None:
    if ("stateMachineArn" in request) == ("mapRunArn" in request):
        raise ValidationException("Either a State Machine ARN or a Map Run ARN must be specified")
    if "mapRunArn" in request:
        check_map_run_arn(request["mapRunArn"])
        raise NotImplementedOperation("asl-engine does not list the executions of a Map Run yet")
    if request.get("statusFilter") == "PENDING_REDRIVE":
        raise ValidationException("The status filter PENDING_REDRIVE needs a Map Run ARN")


def _without_data(event: JsonObject) -> JsonObject:
    return {
        name: {
            member: held
            for member, held in value.items()
            if member not in _EXECUTION_DATA and member.removesuffix("Details") not in _EXECUTION_DATA
        }
        if isinstance(value, dict)
        else value
        for name, value in event.items()
    }
