from __future__ import annotations

import json

import pytest

from asl_engine.errors import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    InvalidArn,
    InvalidExecutionInput,
    InvalidName,
    InvalidToken,
    NotImplementedOperation,
    StateMachineDoesNotExist,
    StateMachineTypeNotSupported,
    ValidationException,
)
from asl_engine.language.parser import compile_definition
from asl_engine.limits import PAYLOAD_BYTES_MAX
from asl_engine.runtime.in_process import StartRequest
from tests.api.services import MACHINE, NOON, ROLE, Caller, asking, passing, service, story, tell

EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:charge"


async def waiting(call: Caller) -> str:
    """The ARN of a machine whose executions wait for a worker."""
    activity = (await call("CreateActivity", name="review"))["activityArn"]
    return await call.create(asking(activity))


async def started(call: Caller, **members: object) -> str:
    return str((await call("StartExecution", stateMachineArn=MACHINE, **members))["executionArn"])


@story
async def test_an_execution_that_succeeded_is_described_as_aws_does(call: Caller) -> None:
    await call.create()
    arn = await started(call, name="first", input='{"order": 7}')

    assert arn == f"{EXECUTION}:first"
    assert await call("DescribeExecution", executionArn=arn) == {
        "executionArn": arn,
        "stateMachineArn": MACHINE,
        "name": "first",
        "status": "SUCCEEDED",
        "startDate": NOON / 1000,
        "stopDate": NOON / 1000,
        "input": '{"order":7}',
        "inputDetails": {"included": True},
        "output": '{"order":7}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }


@story
async def test_an_execution_without_a_name_or_an_input_gets_both(call: Caller) -> None:
    await call.create()
    first, second = await started(call), await started(call)

    assert first != second
    assert (await call("DescribeExecution", executionArn=first))["input"] == "{}"


@story
async def test_a_failure_can_be_redriven_and_says_why(call: Caller) -> None:
    await call.create({"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Refused", "Cause": "too late"}}})
    shown = await call("DescribeExecution", executionArn=await started(call))

    assert (shown["error"], shown["cause"], shown["redriveStatus"]) == ("Refused", "too late", "REDRIVABLE")
    assert "redriveStatusReason" not in shown
    assert "output" not in shown


@story
async def test_the_same_start_while_it_runs_gives_the_same_execution(call: Caller) -> None:
    await waiting(call)
    first = await call("StartExecution", stateMachineArn=MACHINE, name="first", input='{"a": 1, "b": 2}')
    again = await call("StartExecution", stateMachineArn=MACHINE, name="first", input='{"a":1,"b":2}')
    assert again == first

    with pytest.raises(ExecutionAlreadyExists, match=f"^Execution Already Exists: '{EXECUTION}:first'$"):
        await started(call, name="first", input='{"a": 2}')


@pytest.mark.parametrize("other", ['{"a": true}', '{"a": 1.0}', '{"a": "1"}'])
def test_an_input_that_only_python_takes_for_the_same_is_another(other: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        await waiting(call)
        await started(call, name="first", input='{"a": 1}')
        with pytest.raises(ExecutionAlreadyExists):
            await started(call, name="first", input=other)

    tell()


@story
async def test_the_name_of_an_execution_that_has_ended_is_taken_even_for_the_same_input(call: Caller) -> None:
    await call.create()
    await started(call, name="first")
    with pytest.raises(ExecutionAlreadyExists):
        await started(call, name="first")


@story
async def test_of_many_starts_of_one_name_at_once_all_get_the_one_execution(call: Caller) -> None:
    import asyncio

    await waiting(call)
    arns = await asyncio.gather(*(started(call, name="first", input="{}") for _ in range(20)))

    assert set(arns) == {f"{EXECUTION}:first"}
    assert len((await call("ListExecutions", stateMachineArn=MACHINE))["executions"]) == 1


@pytest.mark.parametrize("text", ["", "{", "nothing", '{"a": NaN}', "[1,]"])
def test_an_input_that_is_no_json_is_refused(text: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        await call.create()
        with pytest.raises(InvalidExecutionInput, match="Invalid State Machine Execution Input: '"):
            await started(call, input=text)

    tell()


@story
async def test_what_is_wrong_with_an_input_is_told_in_the_words_of_aws(call: Caller) -> None:
    with pytest.raises(InvalidExecutionInput) as refused:
        await started(call, input="not some json")
    assert str(refused.value) == (
        "Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting (JSON String, Number, Array, "
        "Object or token 'null', 'true' or 'false')\n at [Source: (String)\"not some json\"; line: 1, column: 4]'"
    )


@story
async def test_an_input_beyond_the_limit_in_bytes_is_refused(call: Caller) -> None:
    await call.create()
    await started(call, input=json.dumps("x" * (PAYLOAD_BYTES_MAX - 2)))
    with pytest.raises(InvalidExecutionInput):
        await started(call, input=json.dumps("ü" * (PAYLOAD_BYTES_MAX // 2), ensure_ascii=False))


@story
async def test_a_bad_name_is_refused_before_the_machine_is_looked_for(call: Caller) -> None:
    with pytest.raises(InvalidName):
        await started(call, name="a b")


@story
async def test_an_execution_keeps_the_definition_it_began_with(call: Caller) -> None:
    machine = await waiting(call)
    before = await call("DescribeStateMachine", stateMachineArn=machine)
    arn = await started(call)
    await call("UpdateStateMachine", stateMachineArn=machine, definition=json.dumps(passing()), roleArn=f"{ROLE}-new")

    shown = await call("DescribeStateMachineForExecution", executionArn=arn)

    assert (shown["definition"], shown["roleArn"], shown["name"]) == (before["definition"], ROLE, "orders")
    assert "revisionId" not in shown
    assert shown["updateDate"] == NOON / 1000


@story
async def test_variables_are_told_by_the_states_that_refer_to_them(call: Caller) -> None:
    definition = {
        "StartAt": "Set",
        "States": {
            "Set": {"Type": "Pass", "Assign": {"total": 3}, "Next": "Use"},
            "Use": {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($total, $.n)"}, "End": True},
        },
    }
    await call.create(definition)
    assert (await call("DescribeStateMachine", stateMachineArn=MACHINE))["variableReferences"] == {"Use": ["total"]}


@story
async def test_stopping_aborts_with_error_and_cause(call: Caller) -> None:
    await waiting(call)
    arn = await started(call)
    stopped = await call("StopExecution", executionArn=arn, error="Cancelled", cause="by the customer")
    shown = await call("DescribeExecution", executionArn=arn)

    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Cancelled", "by the customer")
    assert shown["stopDate"] == stopped["stopDate"]
    assert await call("StopExecution", executionArn=arn, error="Again") == stopped
    assert (await call("DescribeExecution", executionArn=arn))["error"] == "Cancelled"


@pytest.mark.parametrize("operation", ["DescribeExecution", "StopExecution", "GetExecutionHistory"])
def test_an_execution_that_does_not_exist_is_told_with_its_arn(operation: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        with pytest.raises(ExecutionDoesNotExist, match=f"^Execution Does Not Exist: '{EXECUTION}:none'$"):
            await call(operation, executionArn=f"{EXECUTION}:none")
        with pytest.raises(InvalidArn, match=r"^Invalid Arn: 'Invalid ARN prefix: none'$"):
            await call(operation, executionArn="none")

    tell()


@story
async def test_executions_are_listed_newest_first_by_status_and_page_by_page(call: Caller) -> None:
    await waiting(call)
    for number in range(5):
        await started(call, name=f"run-{number}")
    await call("StopExecution", executionArn=f"{EXECUTION}:run-2")

    aborted = await call("ListExecutions", stateMachineArn=MACHINE, statusFilter="ABORTED")
    running: list[str] = []
    token: dict[str, object] = {}
    while not running or token["nextToken"]:
        page = await call("ListExecutions", stateMachineArn=MACHINE, statusFilter="RUNNING", maxResults=3, **token)
        running += [item["name"] for item in page["executions"]]
        token = {"nextToken": page.get("nextToken")}

    assert [item["name"] for item in aborted["executions"]] == ["run-2"]
    assert running == ["run-4", "run-3", "run-1", "run-0"]


@story
async def test_a_listing_needs_a_machine_that_is_there(call: Caller) -> None:
    with pytest.raises(StateMachineDoesNotExist):
        await call("ListExecutions", stateMachineArn=MACHINE)
    with pytest.raises(ValidationException):
        await call("ListExecutions")
    await call.create(type="EXPRESS")
    with pytest.raises(StateMachineTypeNotSupported):
        await call("ListExecutions", stateMachineArn=MACHINE)


@story
async def test_a_listing_needs_the_version_or_alias_that_it_names(call: Caller) -> None:
    """That of a version which was deleted still has its executions."""
    await call.create(publish=True)
    assert await call("ListExecutions", stateMachineArn=f"{MACHINE}:1") == {"executions": []}
    for qualifier in ("2", "live"):
        with pytest.raises(StateMachineDoesNotExist, match=f"{MACHINE}:{qualifier}"):
            await call("ListExecutions", stateMachineArn=f"{MACHINE}:{qualifier}")
    await call("StartExecution", stateMachineArn=f"{MACHINE}:1")
    await call("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    assert len((await call("ListExecutions", stateMachineArn=f"{MACHINE}:1"))["executions"]) == 1


@story
async def test_history_comes_in_both_orders_page_by_page(call: Caller) -> None:
    await call.create()
    arn = await started(call)
    forward = (await call("GetExecutionHistory", executionArn=arn))["events"]
    assert [event["id"] for event in forward] == [1, 2, 3, 4]

    backward: list[dict[str, object]] = []
    token: dict[str, object] = {}
    while not backward or token["nextToken"]:
        page = await call("GetExecutionHistory", executionArn=arn, reverseOrder=True, maxResults=3, **token)
        backward += page["events"]
        token = {"nextToken": page.get("nextToken")}

    assert backward == forward[::-1]


@story
async def test_history_without_execution_data_has_no_payloads(call: Caller) -> None:
    await call.create()
    arn = await started(call, input='{"secret": 1}')
    page = await call("GetExecutionHistory", executionArn=arn, includeExecutionData=False)

    assert "secret" not in json.dumps(page)
    assert page["events"][1]["stateEnteredEventDetails"] == {"name": "Pass"}


@story
async def test_a_token_of_another_listing_is_refused(call: Caller) -> None:
    await call.create()
    first, second = await started(call), await started(call)
    token = (await call("GetExecutionHistory", executionArn=first, maxResults=2))["nextToken"]
    for members in (
        {"executionArn": second, "nextToken": token},
        {"executionArn": first, "nextToken": token, "reverseOrder": True},
        {"executionArn": first, "nextToken": token[:-4] + "AAA="},
        {"executionArn": first, "nextToken": "InvalidToken"},
    ):
        with pytest.raises(InvalidToken, match=r"^Invalid Token: 'Invalid token'$"):
            await call("GetExecutionHistory", **members)


@story
async def test_a_token_goes_with_the_execution_that_it_continues_behind(call: Caller) -> None:
    """On AWS executions may expire between two pages, and every function reads the tokens of the others."""
    await call.create()
    await started(call)
    await started(call)
    token = (await call("ListExecutions", stateMachineArn=MACHINE, maxResults=1))["nextToken"]
    elsewhere = Caller(service())
    await elsewhere.create()
    with pytest.raises(InvalidToken, match=r"^Invalid Token: 'Invalid token'$"):
        await elsewhere("ListExecutions", stateMachineArn=MACHINE, nextToken=token)


def test_what_has_ended_is_dropped_from_memory() -> None:
    async def run(call: Caller) -> None:
        await call.create(asking(FUNCTION))
        arn = await started(call)
        await call.ended(arn)

        assert call.service.host.live(arn) is None
        assert (await call("DescribeExecution", executionArn=arn))["output"] == '"charged"'

    tell(run, tasks={"charge": lambda _event: "charged"})


@story
async def test_metadata_comes_without_payloads_and_errors(call: Caller) -> None:
    await call.create()
    shown = await call("DescribeExecution", executionArn=await started(call), includedData="METADATA_ONLY")

    assert not {"input", "output", "error", "cause"} & shown.keys()
    assert shown["inputDetails"] == shown["outputDetails"] == {"included": False}
    shown = await call(
        "DescribeStateMachineForExecution", executionArn=shown["executionArn"], includedData="METADATA_ONLY"
    )
    assert (shown["definition"], shown["roleArn"]) == ("{}", ROLE)


@story
async def test_an_execution_that_was_run_from_a_file_has_no_revision(call: Caller) -> None:
    """`asl run` shares the store, and knows no state machines."""
    machine = compile_definition(passing(Comment="a file"))
    live = await call.service.host.start(
        machine, StartRequest(name="run", input={}, state_machine_arn=MACHINE, seed="seed", role_arn=ROLE)
    )
    shown = await call("DescribeStateMachineForExecution", executionArn=live.execution.arn)

    assert json.loads(shown["definition"]) == passing(Comment="a file")
    assert (shown["name"], shown["roleArn"]) == ("orders", ROLE)


@story
async def test_nothing_waits_for_a_redrive(call: Caller) -> None:
    """Of a state machine's executions AWS refuses to tell which wait for one."""
    await call.create()
    await started(call)
    assert await call("ListExecutions", stateMachineArn=MACHINE, redriveFilter="REDRIVEN") == {"executions": []}
    with pytest.raises(ValidationException, match="PENDING_REDRIVE needs a Map Run ARN"):
        await call("ListExecutions", stateMachineArn=MACHINE, statusFilter="PENDING_REDRIVE")


@story
async def test_executions_are_those_of_a_machine_and_not_yet_of_a_map_run(call: Caller) -> None:
    await call.create()
    map_run = f"{MACHINE.replace(':stateMachine:', ':mapRun:')}/Each:0b9c"
    with pytest.raises(NotImplementedOperation, match="does not list the executions of a Map Run yet"):
        await call("ListExecutions", mapRunArn=map_run)
    with pytest.raises(InvalidArn):
        await call("ListExecutions", mapRunArn="foo")
    for neither_or_both in ({}, {"stateMachineArn": MACHINE, "mapRunArn": map_run}):
        with pytest.raises(ValidationException, match="Either a State Machine ARN or a Map Run ARN must be specified"):
            await call("ListExecutions", **neither_or_both)
