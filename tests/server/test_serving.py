"""The whole server, with the AWS SDK in front and files behind it."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import AslError, StoreUnavailable
from asl_engine.expressions import jsonata_engine
from asl_engine.interpreter.events import StopRequested
from asl_engine.runtime.clock import RealClock, VirtualClock
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.server.serving import Address, service_on, serving
from asl_engine.store.memory import MemoryStore
from asl_engine.store.sqlite import SqliteStore
from tests.api.services import NOON, ROLE, asking, passing
from tests.server.running import RunningServer, running, until_ended

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:charge"
CALLBACK = asking(
    "arn:aws:states:::lambda:invoke.waitForTaskToken",
    Parameters={"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
)


def create(client: Any, definition: dict[str, Any], **members: Any) -> str:
    machine = client.create_state_machine(
        **{"name": "orders", "definition": json.dumps(definition), "roleArn": ROLE, **members}
    )
    return str(machine["stateMachineArn"])


def start(client: Any, machine: str, **members: Any) -> str:
    return str(client.start_execution(stateMachineArn=machine, **members)["executionArn"])


@pytest.mark.parametrize("operation", ["StartExecution", "StartSyncExecution", "TestState"])
def test_an_endless_expression_keeps_nobody_waiting(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jsonata_engine._BOUNDS, "timeout", 0.5)
    endless = "{% ($spin := function($n) { $spin($n) }; $spin(1)) %}"
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": endless, "End": True}
    kind = "EXPRESS" if operation == "StartSyncExecution" else "STANDARD"

    async def told() -> int:
        service = service_on(MemoryStore(), VirtualClock(NOON), [], region="eu-west-1", account="123456789012")
        machine = {
            "name": "endless",
            "definition": json.dumps({"StartAt": "A", "States": {"A": state}}),
            "roleArn": ROLE,
        }
        arn = (await service.call("CreateStateMachine", {**machine, "type": kind}))["stateMachineArn"]
        request = {"definition": json.dumps(state)} if operation == "TestState" else {"stateMachineArn": arn}
        performing, answered = asyncio.ensure_future(service.call(operation, request)), 0
        while not performing.done():
            await service.call("ListActivities", {})
            await asyncio.sleep(0)
            answered += 1
        await performing
        await service.host.close()
        return answered

    assert asyncio.run(told()) > 50


def test_mocks_that_have_test_cases_are_found_among_the_performers() -> None:
    mocked = MockedTestCases({}, VirtualClock(NOON), None)
    service = service_on(MemoryStore(), VirtualClock(NOON), [mocked], region="eu-west-1", account="123456789012")
    assert service.test_cases is mocked


def test_the_sdk_takes_it_for_step_functions(tmp_path: Path) -> None:
    with running(tmp_path / "store.db", {"charge": lambda event: event["amount"] * 2}) as server:
        client = server.client()
        machine = create(client, asking(FUNCTION), publish=True, tags=[{"key": "team", "value": "risk"}])
        arn = start(client, machine, input='{"amount": 21}')
        shown = until_ended(client, arn)
        history = client.get_execution_history(executionArn=arn)["events"]

        assert (shown["status"], shown["output"]) == ("SUCCEEDED", "42")
        assert shown["startDate"] <= shown["stopDate"]
        assert [event["type"] for event in history][:3] == [
            "ExecutionStarted",
            "TaskStateEntered",
            "LambdaFunctionScheduled",
        ]
        assert [item["name"] for item in client.list_state_machines()["stateMachines"]] == ["orders"]


def test_an_sdk_that_leaves_the_host_prefix_out_runs_express_workflows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `asl serve` advises: `sync-127.0.0.1` is no name that leads anywhere."""
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    with running() as server:
        client = server.client()
        machine = create(client, passing(), type="EXPRESS")
        answer = client.start_sync_execution(stateMachineArn=machine, input='{"a": 1}')
        assert answer["output"] == '{"a":1}'


def test_an_error_has_the_name_and_message_of_the_api() -> None:
    with running() as server:
        client = server.client()
        with pytest.raises(client.exceptions.StateMachineDoesNotExist) as refused:
            client.describe_state_machine(stateMachineArn="arn:aws:states:eu-west-1:1:stateMachine:none")
        error = refused.value.response["Error"]
        assert error["Code"] == "StateMachineDoesNotExist"
        assert error["Message"] == "State Machine Does Not Exist: 'arn:aws:states:eu-west-1:1:stateMachine:none'"


def test_a_server_that_is_started_again_goes_on_with_what_was_open(tmp_path: Path) -> None:
    asked: list[str] = []
    tasks = {"ask": lambda event: asked.append(event["token"])}
    with running(tmp_path / "store.db", tasks) as server:
        client = server.client()
        machine = create(client, CALLBACK)
        arn = start(client, machine, name="first")
        activity = client.create_activity(name="review")["activityArn"]
        offered = start(client, create(client, asking(activity), name="reviewed"), input='{"n": 1}')
        while "TaskSubmitted" not in history_types(client, arn):
            pass

    with running(tmp_path / "store.db", tasks) as server:
        client = server.client()
        assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"
        client.send_task_success(taskToken=asked[0], output='"yes"')
        assert until_ended(client, arn)["output"] == '"yes"'
        assert len(asked) == 1  # what the service had taken is not sent again
        task = client.get_activity_task(activityArn=activity, workerName="anna")
        client.send_task_success(taskToken=task["taskToken"], output=task["input"])
        assert until_ended(client, offered)["output"] == '{"n":1}'
        assert client.describe_state_machine(stateMachineArn=machine)["status"] == "ACTIVE"


def history_types(client: Any, arn: str) -> list[str]:
    return [event["type"] for event in client.get_execution_history(executionArn=arn)["events"]]


def test_a_task_that_was_at_work_when_the_server_ended_is_performed_again(tmp_path: Path) -> None:
    begun, released = threading.Event(), threading.Event()

    def charge(_event: object) -> str:
        begun.set()
        released.wait(30)
        return "charged"

    with running(tmp_path / "store.db", {"charge": charge}) as server:
        arn = start(server.client(), create(server.client(), asking(FUNCTION)))
        assert begun.wait(30)
    released.set()

    with running(tmp_path / "store.db", {"charge": charge}) as server:
        assert until_ended(server.client(), arn)["output"] == '"charged"'
        assert history_types(server.client(), arn).count("LambdaFunctionScheduled") == 1


def test_a_second_server_on_the_same_store_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "store.db") as server:
        with pytest.raises(StoreUnavailable, match=r"another `asl serve` runs on this store: .* --store"):
            RunningServer(tmp_path / "store.db", {})
        assert server.client().list_activities()["activities"] == []


def test_a_port_that_is_taken_is_told() -> None:
    async def serve(port: int) -> None:
        service = service_on(MemoryStore(), RealClock(), [], region="eu-west-1", account="123456789012")
        address = Address(host="127.0.0.1", port=port)
        async with serving(service, address, left_alone=lambda _arn, _error: None):
            pytest.fail("two servers listen on one port")

    with running() as server, pytest.raises(AslError, match=r"cannot be listened on: .*--port"):
        asyncio.run(serve(server.port))


def test_two_hundred_executions_run_at_once_while_one_task_takes_its_time(tmp_path: Path) -> None:
    released = threading.Event()
    chain = {
        "StartAt": "S0",
        "States": {
            **{f"S{n}": {"Type": "Pass", "Result": n, "ResultPath": f"$.s{n}", "Next": f"S{n + 1}"} for n in range(9)},
            "S9": {"Type": "Pass", "End": True},
        },
    }
    with running(tmp_path / "store.db", {"charge": lambda _event: released.wait(30)}) as server:
        client = server.client()
        slow = start(client, create(client, asking(FUNCTION), name="slow"))
        machine = create(client, chain)
        with ThreadPoolExecutor(16) as pool:
            arns = list(pool.map(lambda number: start(client, machine, input=f'{{"n": {number}}}'), range(200)))
            ends = list(pool.map(lambda arn: until_ended(client, arn), arns))

        assert len(set(arns)) == 200
        assert [json.loads(end["output"])["n"] for end in ends] == list(range(200))
        assert client.describe_execution(executionArn=slow)["status"] == "RUNNING"
        released.set()
        assert until_ended(client, slow)["status"] == "SUCCEEDED"


def test_virtual_time_lets_a_year_pass_at_once() -> None:
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 31_536_000, "End": True}}}
    with running(virtual=True) as server:
        client = server.client()
        shown = until_ended(client, start(client, create(client, wait)))
        assert (shown["stopDate"] - shown["startDate"]).days == 365


def test_a_command_of_another_process_reaches_a_live_execution(tmp_path: Path) -> None:
    """As `asl stop` does while the server runs: through the inbox in the file."""

    async def stop(arn: str) -> None:
        store = SqliteStore(tmp_path / "store.db")
        try:
            await store.send(arn, StopRequested("Stopped", "by hand"))
        finally:
            await store.close()

    with running(tmp_path / "store.db") as server:
        client = server.client()
        activity = client.create_activity(name="review")["activityArn"]
        arn = start(client, create(client, asking(activity)))
        asyncio.run(stop(arn))
        shown = until_ended(client, arn)
        assert (shown["status"], shown["error"]) == ("ABORTED", "Stopped")
