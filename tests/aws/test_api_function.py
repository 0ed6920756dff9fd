from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws.deployment import ApiError, Deployment, deployed, http_request
from tests.aws.emulator import Emulator
from tests.aws.lambda_emulator import FUNCTION, lambda_emulator

PASSING = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
WAITING = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
ASKING = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "{}", "MessageBody.$": "$$.Task.Token"},
            "End": True,
        }
    },
}


@pytest.fixture(scope="module")
def deployment(aws: Emulator) -> Iterator[Deployment]:
    with deployed(aws, "api-function") as made:
        yield made


def refused(deployment: Deployment, event: dict[str, Any]) -> tuple[int, str]:
    answer = deployment.api.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])["__type"]


def test_an_answer_is_what_an_sdk_reads(deployment: Deployment) -> None:
    answer = deployment.api.handle(http_request("ListStateMachines", {}), None)

    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/x-amz-json-1.0"
    assert answer["headers"]["x-amzn-RequestId"]
    assert (json.loads(answer["body"]).keys(), answer["isBase64Encoded"]) == ({"stateMachines"}, False)


def test_a_request_may_come_through_a_stage_and_in_base64(deployment: Deployment) -> None:
    event = http_request("ListActivities", {}, rawPath="/prod/", isBase64Encoded=True)
    event["requestContext"]["stage"] = "prod"
    event["body"] = base64.b64encode(b"{}").decode()
    event["headers"]["content-type"] = "application/x-amz-json-1.0; charset=utf-8"

    assert deployment.api.handle(event, None)["statusCode"] == 200


def test_what_is_no_request_of_the_api_is_refused(deployment: Deployment) -> None:
    get = http_request("ListActivities", {})
    get["requestContext"]["http"]["method"] = "GET"
    html = http_request("ListActivities", {})
    html["headers"]["content-type"] = "text/html"
    bare = http_request("ListActivities", {}, headers=None)

    assert refused(deployment, get) == (404, "UnknownOperationException")
    assert refused(deployment, http_request("ListActivities", {}, rawPath="/elsewhere"))[0] == 404
    assert refused(deployment, html) == (415, "UnsupportedMediaTypeException")
    assert refused(deployment, bare)[0] == 415
    assert refused(deployment, http_request("ListActivities", {}, body="{")) == (400, "SerializationException")
    assert refused(deployment, http_request("ListActivities", {}, body="?", isBase64Encoded=True)) == (
        400,
        "SerializationException",
    )
    assert refused(deployment, http_request("ListActivities", {}, body="x" * 2_097_153))[0] == 413
    assert refused(deployment, http_request("LaunchRocket", {})) == (400, "UnknownOperationException")


def test_errors_are_named_as_aws_names_them(deployment: Deployment) -> None:
    with pytest.raises(ApiError) as caught:
        deployment.start("arn:aws:states:eu-west-1:123456789012:stateMachine:missing")

    assert (caught.value.status, caught.value.code) == (400, "StateMachineDoesNotExist")


def test_an_execution_is_durable_when_it_is_answered_and_one_of_two_with_a_name_wins(deployment: Deployment) -> None:
    machine = deployment.create(WAITING, "waiting")
    arn = deployment.start(machine, name="one", input='{"a": 1}')

    assert deployment.describe(arn)["status"] == "RUNNING"  # before any message was handled
    assert deployment.start(machine, name="one", input='{"a":1}') == arn
    with pytest.raises(ApiError) as caught:
        deployment.start(machine, name="one", input='{"a": 2}')
    assert caught.value.code == "ExecutionAlreadyExists"
    assert [each["name"] for each in deployment.call("ListExecutions", stateMachineArn=machine)["executions"]] == [
        "one"
    ]
    deployment.call("StopExecution", executionArn=arn, error="Stopped", cause="enough")
    stopped = deployment.describe(arn)
    assert (stopped["status"], stopped["error"], stopped["cause"]) == ("ABORTED", "Stopped", "enough")
    deployment.until_quiet()


def test_a_page_that_one_container_issued_is_read_by_another(aws: Emulator) -> None:
    with deployed(aws, "api-pages") as deployment:
        for name in ("a", "b"):
            deployment.create(PASSING, name)
        first = deployment.call("ListStateMachines", maxResults=1)
        again = Deployment(aws, deployment.environment)
        try:
            second = again.call("ListStateMachines", nextToken=first["nextToken"])
        finally:
            again.close()

        assert [each["name"] for each in first["stateMachines"] + second["stateMachines"]] == ["a", "b"]


def test_an_express_workflow_runs_inside_the_function(aws: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """What a function leaves running is frozen with it."""
    counting = {
        "StartAt": "One",
        "States": {
            "One": {"Type": "Task", "Resource": FUNCTION, "Next": "Two"},
            "Two": {"Type": "Task", "Resource": FUNCTION, "End": True},
        },
    }
    with (
        lambda_emulator() as functions,
        deployed(aws, "api-express", AWS_ENDPOINT_URL_LAMBDA=functions.url) as deployment,
    ):
        machine = deployment.create(counting, "express", type="EXPRESS")

        answer = deployment.call("StartSyncExecution", stateMachineArn=machine, input='{"n": 1}')
        assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"n": 3})
        assert ":express:express:" in deployment.start(machine, input='{"n": 10}')
        assert set(functions.payloads) == {'{"n": 1}', '{"n": 2}', '{"n": 10}', '{"n": 11}'}
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "express execution" in line]
        assert [line["status"] for line in lines] == ["RUNNING", "SUCCEEDED"] * 2
        assert [("ExecutionsStarted" in line, "ExecutionsSucceeded" in line) for line in lines] == [
            (True, False),
            (False, True),
        ] * 2
        assert deployment.records() == []


def test_a_callback_is_taken_once(deployment: Deployment) -> None:
    definition = json.loads(json.dumps(ASKING).replace("{}", deployment.environment["ASL_QUEUE_URL"]))
    machine = deployment.create(definition, "asking")
    arn = deployment.start(machine)
    deployment.poll()
    token = next(record["body"] for _ in range(20) for record in deployment.records())

    deployment.call("SendTaskHeartbeat", taskToken=token)
    deployment.call("SendTaskSuccess", taskToken=token, output='"yes"')
    with pytest.raises(ApiError) as caught:
        deployment.call("SendTaskFailure", taskToken=token)

    assert caught.value.code == "TaskTimedOut"
    assert deployment.until_ended(arn)["output"] == '"yes"'
