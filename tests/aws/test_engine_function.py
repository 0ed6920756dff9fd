from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from asl_engine.aws.ports import open_ports
from asl_engine.interpreter.execution import Execution, TaskAttempt
from tests.aws.deployment import Context, Deployment, deployed
from tests.aws.emulator import Emulator
from tests.aws.lambda_emulator import FUNCTION, LambdaEmulator, lambda_emulator

TASK = {"Type": "Task", "Resource": FUNCTION}
CHAIN = {"StartAt": "One", "States": {"One": {**TASK, "Next": "Two"}, "Two": {**TASK, "End": True}}}


@pytest.fixture(scope="module")
def functions() -> Iterator[LambdaEmulator]:
    with lambda_emulator() as running:
        yield running


@pytest.fixture(scope="module")
def deployment(aws: Emulator, functions: LambdaEmulator) -> Iterator[Deployment]:
    with deployed(aws, "engine-function", AWS_ENDPOINT_URL_LAMBDA=functions.url) as made:
        yield made


@pytest.fixture(autouse=True)
def quiet(deployment: Deployment) -> None:
    """What one test leaves in the queue is nobody's business in the next."""
    deployment.until_quiet()


def test_one_message_runs_a_chain_of_tasks(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    arn = deployment.start(deployment.create(CHAIN, "chain"), input='{"n": 1}')
    capsys.readouterr()

    assert deployment.poll() == 1
    described = deployment.describe(arn)
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"n": 3})
    assert deployment.records() == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["received", "advanced", "advanced"]
    assert lines[0]["QueueAge"] >= 0
    assert [line.get("events") for line in lines[1:]] == [["TaskSucceeded"], ["TaskSucceeded"]]
    assert lines[-1]["ExecutionsSucceeded"] == 1


def test_what_cannot_be_read_is_reported_and_its_neighbours_are_handled(
    deployment: Deployment, aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """At its fifth delivery it is a dead letter. Until then a newer engine may come and read it."""
    arn = deployment.start(deployment.create(CHAIN, "chain"), input='{"n": 1}')
    attributes = {"ApproximateReceiveCount": "4", "SentTimestamp": "0"}
    foreign = {"messageId": "foreign", "receiptHandle": "r", "body": "<xml/>\x1b[31m", "attributes": attributes}

    answer = deployment.engine.handle({"Records": [foreign, *deployment.records()]}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "foreign"}]}
    assert deployment.describe(arn)["status"] == "SUCCEEDED"
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    error = next(line for line in told if line["level"] == "ERROR")
    assert (error["messageId"], error["error"]) == ("foreign", "ForeignMessage")

    attributes["ApproximateReceiveCount"] = "5"
    assert deployment.engine.handle({"Records": [foreign]}, Context()) == {"batchItemFailures": []}
    dead_letters = deployment.environment["ASL_DEAD_LETTERS_URL"]
    answer = aws.client("sqs").receive_message(QueueUrl=dead_letters, MessageAttributeNames=["All"])
    (dead,) = answer["Messages"]
    assert dead["Body"] == foreign["body"]
    assert dead["MessageAttributes"]["Reason"]["StringValue"].startswith("the text is no message of this engine")
    assert json.loads(capsys.readouterr().out)["message"] == "a message cannot be read: it is a dead letter"


@pytest.mark.parametrize("changed", [{"ASL_DEAD_LETTERS_URL": ""}, {"ASL_DEAD_LETTERS_URL": "https://sqs/gone"}])
def test_what_cannot_be_read_is_left_where_there_is_no_place_for_it(aws: Emulator, changed: dict[str, str]) -> None:
    attributes = {"ApproximateReceiveCount": "9", "SentTimestamp": "0"}
    foreign = {"messageId": "foreign", "receiptHandle": "r", "body": "<xml/>", "attributes": attributes}
    with deployed(aws, f"no-dead-letters-{len(changed['ASL_DEAD_LETTERS_URL'])}", **changed) as deployment:
        answer = deployment.engine.handle({"Records": [foreign]}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "foreign"}]}


def test_a_message_that_is_delivered_twice_changes_nothing(deployment: Deployment, functions: LambdaEmulator) -> None:
    arn = deployment.start(deployment.create(CHAIN, "chain"), input='{"n": 100}')
    (record,) = deployment.records()

    first = deployment.engine.handle({"Records": [record]}, Context())
    record["attributes"]["ApproximateReceiveCount"] = "2"
    again = deployment.engine.handle({"Records": [record]}, Context())

    assert first == again == {"batchItemFailures": []}
    assert json.loads(deployment.describe(arn)["output"]) == {"n": 102}
    assert functions.payloads['{"n": 100}'] == functions.payloads['{"n": 101}'] == 1


def test_a_function_without_time_hands_over_what_it_has(deployment: Deployment) -> None:
    """The successor goes on where it stopped."""
    arn = deployment.start(deployment.create(CHAIN, "chain"), input='{"n": 1}')
    (record,) = deployment.records()

    assert deployment.engine.handle({"Records": [record]}, Context(0)) == {"batchItemFailures": []}
    assert deployment.describe(arn)["status"] == "RUNNING"
    assert deployment.until_ended(arn)["status"] == "SUCCEEDED"


def test_a_table_that_is_gone_leaves_the_message_to_be_delivered_again(aws: Emulator) -> None:
    with deployed(aws, "engine-no-table") as deployment:
        deployment.start(deployment.create(CHAIN, "chain"), input='{"n": 1}')
        (record,) = deployment.records()
        aws.client("dynamodb").delete_table(TableName="engine-no-table")

        answer = deployment.engine.handle({"Records": [record]}, Context())

        assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def nested(pattern: str, child: str, **parameters: Any) -> dict[str, Any]:
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    start = {"StateMachineArn": child, "Input": {"n": 5}, **parameters}
    return {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "Parameters": start, "End": True}}}


@pytest.mark.parametrize("parameters", [{}, {"Name": "given"}])
def test_a_parent_is_told_when_its_child_has_ended(deployment: Deployment, parameters: dict[str, str]) -> None:
    child = deployment.create(CHAIN, "child")
    name = f"parent-{len(parameters)}"
    arn = deployment.start(deployment.create(nested(".sync:2", child, **parameters), name))

    described = deployment.until_ended(arn)

    output = json.loads(described["output"])
    assert (described["status"], output["Status"], output["Output"]) == ("SUCCEEDED", "SUCCEEDED", {"n": 7})
    types = [event["type"] for event in deployment.call("GetExecutionHistory", executionArn=arn)["events"]]
    assert [each for each in types if each.startswith("Task") and "State" not in each] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]
    assert [each for each in [parameters.get("Name")] if each] == [output["Name"]][: len(parameters)]


def test_a_parent_fails_with_its_child(deployment: Deployment) -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broke", "Cause": "badly"}}}
    child = deployment.create(failing, "failing")

    described = deployment.until_ended(deployment.start(deployment.create(nested(".sync", child), "failed-parent")))

    assert (described["status"], described["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(described["cause"])["Error"] == "Broke"


def test_stopping_a_parent_stops_its_child(deployment: Deployment) -> None:
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    child = deployment.create(waiting, "waiting")
    arn = deployment.start(deployment.create(nested(".sync", child, Name="waits"), "stopped-parent"))
    deployment.until_quiet()

    deployment.call("StopExecution", executionArn=arn)
    deployment.until_quiet()

    assert deployment.describe(arn)["status"] == "ABORTED"
    assert deployment.describe(child.replace(":stateMachine:", ":execution:") + ":waits")["status"] == "ABORTED"


def test_an_execution_starts_another_and_goes_on(deployment: Deployment) -> None:
    child = deployment.create(CHAIN, "child")
    described = deployment.until_ended(deployment.start(deployment.create(nested("", child), "starter")))
    started = json.loads(described["output"])["ExecutionArn"]

    assert described["status"] == "SUCCEEDED"
    assert json.loads(deployment.until_ended(started)["output"]) == {"n": 7}


def test_a_child_whose_name_is_taken_fails_the_task(deployment: Deployment) -> None:
    child = deployment.create(CHAIN, "child")
    deployment.until_ended(deployment.start(child, name="taken", input='{"n": 1}'))

    described = deployment.until_ended(
        deployment.start(deployment.create(nested(".sync", child, Name="taken"), "late"))
    )

    assert (described["status"], described["error"]) == ("FAILED", "StepFunctions.ExecutionAlreadyExistsException")


def test_an_activity_is_offered_to_workers_that_ask_another_function(deployment: Deployment) -> None:
    activity = deployment.call("CreateActivity", name="review")["activityArn"]
    asking = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    machine = deployment.create(asking, "reviews")
    arns = [deployment.start(machine, input=str(n)) for n in range(2)]
    deployment.until_quiet()

    tasks = [deployment.call("GetActivityTask", activityArn=activity, workerName=name) for name in ("Ada", "Ben")]
    assert sorted(task["input"] for task in tasks) == ["0", "1"]
    for task in tasks:
        deployment.call("SendTaskSuccess", taskToken=task["taskToken"], output=f'"done {task["input"]}"')
    assert [deployment.until_ended(arn)["output"] for arn in arns] == ['"done 0"', '"done 1"']
    deployment.api.service.activity_poll_seconds = 0.1
    assert deployment.call("GetActivityTask", activityArn=activity) == {}


def test_a_task_of_an_activity_that_is_not_there_fails_its_execution(deployment: Deployment) -> None:
    """No worker could ever ask for it."""
    activity = deployment.call("CreateActivity", name="gone")["activityArn"]
    asking = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    machine = deployment.create(asking, "asks-nobody")
    deployment.call("DeleteActivity", activityArn=activity)
    described = deployment.until_ended(deployment.start(machine))
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert described["cause"].endswith(f"The activity {activity} does not exist.")


def test_an_activity_task_that_was_offered_twice_is_given_to_one_worker(deployment: Deployment) -> None:
    """A message that is delivered again offers again what a worker has already."""
    deployment.api.service.activity_poll_seconds = 0.1
    activity = deployment.call("CreateActivity", name="once")["activityArn"]
    asking = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    deployment.start(deployment.create(asking, "offers-twice"))
    (record,) = deployment.records()
    deployment.engine.handle({"Records": [record]}, Context())
    assert "taskToken" in deployment.call("GetActivityTask", activityArn=activity)

    record["attributes"]["ApproximateReceiveCount"] = "2"
    deployment.engine.handle({"Records": [record]}, Context())

    assert deployment.call("GetActivityTask", activityArn=activity) == {}


def test_tasks_without_a_timeout_get_that_of_the_deployment(aws: Emulator, functions: LambdaEmulator) -> None:
    """From both functions: the start plans the first task, what the first one returns the second."""
    callback = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
    own = callback | {
        "Parameters": {"FunctionName": FUNCTION, "Payload": {"n.$": "$.n", "token.$": "$$.Task.Token"}},
        "End": True,
    }
    settings = {"AWS_ENDPOINT_URL_LAMBDA": functions.url, "ASL_DEFAULT_TASK_TIMEOUT_SECONDS": "3600"}
    with deployed(aws, "default-timeout", **settings) as deployment:
        machine = deployment.create({"StartAt": "One", "States": {"One": {**TASK, "Next": "Two"}, "Two": own}})
        arn = deployment.start(machine, input='{"n": 1}')
        assert timeout_seconds(deployment, arn) == ("One", 3600)
        deployment.until_quiet()
        assert timeout_seconds(deployment, arn) == ("Two", 3600)


def timeout_seconds(deployment: Deployment, arn: str) -> tuple[str, float]:
    """The state of the open attempt, and how long it may take."""

    async def load() -> Execution:
        ports = open_ports(deployment.environment)
        try:
            return await ports.store.load(arn)
        finally:
            await ports.close()

    (frame,) = asyncio.run(load()).frames.values()
    assert isinstance(frame.wait, TaskAttempt)
    assert frame.wait.timeout_at is not None
    return frame.wait.state_name, (frame.wait.timeout_at - frame.entered_at) / 1000
