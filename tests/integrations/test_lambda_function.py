"""Lambda over real sockets: what is sent, and what an answer becomes."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
from typing import Any

import pytest

from asl_engine.integrations.aws_session import AwsClients
from asl_engine.integrations.lambda_function import LambdaFunctions
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult
from tests.integrations.lambda_service import Behaviour, Invocation, Reply, lambda_service
from tests.runtime.task_calls import FUNCTION_ARN, INVOKE, task_call

ERROR_TYPE = "x-amzn-ErrorType"


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Nothing of the machine that runs the tests: no credentials, no region, no metadata service."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


async def _performed(functions: LambdaFunctions, *calls: TaskCall) -> list[TaskResult]:
    try:
        return await asyncio.gather(*(functions.perform(call) for call in calls))
    finally:
        await functions.close()


def run(endpoint_url: str, call: TaskCall) -> TaskResult:
    return asyncio.run(_performed(LambdaFunctions(AwsClients(endpoint_url=endpoint_url)), call))[0]


def invoke(behaviour: Behaviour | Reply, call: TaskCall) -> tuple[TaskResult, Invocation]:
    """Perform one call against a service that behaves like this; the one request that it made."""
    with lambda_service(behaviour if callable(behaviour) else lambda _invocation: behaviour) as service:
        result = run(service.url, call)
        assert len(service.invocations) == 1, "the SDK must not repeat an invocation"
        return result, service.invocations[0]


def echo(invocation: Invocation) -> Reply:
    return Reply(body=invocation.body)


def output_of(result: TaskResult) -> JsonObject:
    assert isinstance(result, Succeeded)
    assert isinstance(result.output, dict)
    return result.output


def refused(status: int, code: str, message: str) -> Reply:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return Reply(status=status, body=body, headers={ERROR_TYPE: code})


def function_error(answer: object) -> Reply:
    return Reply(body=json.dumps(answer).encode(), headers={"X-Amz-Function-Error": "Unhandled"})


def test_a_function_arn_sends_its_input_and_gives_the_value() -> None:
    result, invocation = invoke(echo, task_call(FUNCTION_ARN, {"a": [1, 0.0, "é"]}))
    assert result == Succeeded({"a": [1, 0.0, "é"]})
    assert (
        invocation.path
        == "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Acharge/invocations"
    )
    assert json.loads(invocation.body) == {"a": [1, 0.0, "é"]}
    assert "/eu-west-1/lambda/" in invocation.headers["Authorization"]


@pytest.mark.parametrize("value", ["text", "0", None, 0.5, [], False])
def test_a_function_arn_sends_any_value_as_json(value: JsonValue) -> None:
    result, invocation = invoke(echo, task_call(FUNCTION_ARN, value))
    assert json.loads(invocation.body) == value
    assert result == Succeeded(value)


def test_invoke_gives_the_members_that_step_functions_gives() -> None:
    output = output_of(invoke(echo, task_call(INVOKE, {"FunctionName": "charge", "Payload": {"a": 1}}))[0])
    assert list(output) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    assert (output["ExecutedVersion"], output["Payload"], output["StatusCode"]) == ("$LATEST", {"a": 1}, 200)
    assert output["SdkResponseMetadata"] == {"RequestId": "request-1"}
    metadata: Any = output["SdkHttpMetadata"]
    assert metadata["HttpStatusCode"] == 200
    assert metadata["HttpHeaders"]["Content-Length"] == "7"
    assert metadata["HttpHeaders"]["X-Amz-Executed-Version"] == "$LATEST"
    assert metadata["AllHttpHeaders"]["x-amzn-RequestId"] == ["request-1"]


@pytest.mark.parametrize(
    ("payload", "sent"), [(None, b"{}"), ("0.0", b"0.0"), ('{"a": 1}', b'{"a":1}'), ("plain", b'"plain"'), (7, b"7")]
)
def test_a_null_payload_is_an_empty_object_and_a_string_of_json_is_not_quoted(payload: JsonValue, sent: bytes) -> None:
    _, invocation = invoke(echo, task_call(INVOKE, {"FunctionName": "charge", "Payload": payload}))
    assert invocation.body == sent


def test_every_parameter_of_invoke_is_sent() -> None:
    arguments: JsonObject = {
        "FunctionName": "charge",
        "Payload": {},
        "Qualifier": "prod",
        "ClientContext": {"env": "test"},
        "LogType": "Tail",
        "InvocationType": "RequestResponse",
    }
    logged = Reply(headers={"X-Amz-Log-Result": "bG9n", "X-Amz-Executed-Version": "7"})
    result, invocation = invoke(logged, task_call(INVOKE, arguments))
    assert invocation.path == "/2015-03-31/functions/charge/invocations?Qualifier=prod"
    assert invocation.headers["X-Amz-Log-Type"] == "Tail"
    assert invocation.headers["X-Amz-Invocation-Type"] == "RequestResponse"
    assert json.loads(base64.b64decode(invocation.headers["X-Amz-Client-Context"])) == {"env": "test"}
    assert (output_of(result)["LogResult"], output_of(result)["ExecutedVersion"]) == ("bG9n", "7")


def test_an_asynchronous_invocation_answers_202_with_an_empty_payload() -> None:
    arguments: JsonObject = {"FunctionName": "charge", "InvocationType": "Event"}
    result, invocation = invoke(Reply(status=202, body=b"", headers={}), task_call(INVOKE, arguments))
    assert invocation.headers["X-Amz-Invocation-Type"] == "Event"
    output = output_of(result)
    assert (output["StatusCode"], output["Payload"], "ExecutedVersion" in output) == (202, "", False)


def test_a_callback_task_is_submitted_and_waits_for_its_token() -> None:
    result, _ = invoke(echo, task_call(INVOKE + ".waitForTaskToken", {"FunctionName": "charge", "Payload": 1}))
    assert isinstance(result, Submitted)
    assert isinstance(result.output, dict)
    assert result.output["Payload"] == 1


def test_missing_parameters_fail_before_anything_is_sent() -> None:
    with lambda_service(echo) as service:
        result = run(service.url, task_call(INVOKE, {"Payload": 1}))
        assert service.invocations == []
    assert isinstance(result, Failed)
    assert result.error == "States.Runtime"


def test_a_payload_that_is_no_json_is_taken_as_text() -> None:
    assert invoke(Reply(body=b"plain text"), task_call())[0] == Succeeded("plain text")


@pytest.mark.parametrize("resource", [FUNCTION_ARN, INVOKE, INVOKE + ".waitForTaskToken"])
def test_the_error_of_a_function_keeps_its_name_and_the_whole_answer_as_cause(resource: str) -> None:
    answer = {"errorMessage": "no money", "errorType": "CardDeclined", "requestId": "1", "stackTrace": []}
    result, _ = invoke(function_error(answer), task_call(resource, {"FunctionName": "charge"}))
    assert result == Failed("CardDeclined", json.dumps(answer))


def test_a_function_that_ran_out_of_time_is_a_timed_out_sandbox() -> None:
    named = {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 3.00 seconds"}
    unnamed = {"errorMessage": "2024-01-01T00:00:00Z 1 Task timed out after 3.00 seconds"}
    for answer in (named, unnamed):
        assert invoke(function_error(answer), task_call())[0] == Failed("Sandbox.Timedout", json.dumps(answer))


@pytest.mark.parametrize("answer", [{"errorMessage": "?"}, "text", None, {"errorType": 7}, {"errorType": ""}])
def test_an_error_without_a_name_is_unknown(answer: object) -> None:
    assert invoke(function_error(answer), task_call())[0] == Failed(
        "Lambda.Unknown",
        "The cause could not be determined because Lambda did not return an error type. "
        f"Returned payload: {json.dumps(answer)}",
    )


def test_an_error_that_is_no_json_is_unknown() -> None:
    broken = Reply(body=b"<html>", headers={"X-Amz-Function-Error": "Unhandled"})
    result, _ = invoke(broken, task_call())
    assert isinstance(result, Failed)
    assert result.error == "Lambda.Unknown"
    assert result.cause.endswith("Returned payload: <html>")


@pytest.mark.parametrize("version", ["", ":$LATEST"])
def test_a_missing_function_is_named_with_its_version_as_aws_does(version: str) -> None:
    reply = refused(404, "ResourceNotFoundException", f"Function not found: {FUNCTION_ARN}{version}")
    assert invoke(reply, task_call())[0] == Failed(
        "Lambda.ResourceNotFoundException",
        f"Function not found: {FUNCTION_ARN}:$LATEST (Service: AWSLambda; Status Code: 404; "
        "Error Code: ResourceNotFoundException; Request ID: request-1; Proxy: null)",
    )


def test_a_missing_version_is_named_as_it_is() -> None:
    result, _ = invoke(refused(404, "ResourceNotFoundException", f"Function not found: {FUNCTION_ARN}:7"), task_call())
    assert isinstance(result, Failed)
    assert result.cause.startswith(f"Function not found: {FUNCTION_ARN}:7 (")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "TooManyRequestsException", "Lambda.TooManyRequestsException"),
        (429, "", "Lambda.TooManyRequestsException"),
        (500, "ServiceException", "Lambda.ServiceException"),
        (502, "EC2UnexpectedException", "Lambda.EC2UnexpectedException"),
        (503, "", "Lambda.ServiceException"),
        (403, "AccessDeniedException", "Lambda.AWSLambdaException"),
        (413, "RequestTooLargeException", "Lambda.RequestTooLargeException"),
        (400, "InvalidRequestContentException", "Lambda.InvalidRequestContentException"),
    ],
)
def test_a_refusal_is_named_by_its_exception_and_never_repeated(status: int, code: str, error: str) -> None:
    result, _ = invoke(refused(status, code, "no"), task_call())
    assert isinstance(result, Failed)
    assert result.error == error
    assert result.cause.startswith(f"no (Service: AWSLambda; Status Code: {status}; Error Code: ")


def test_a_refusal_without_json_is_still_an_error() -> None:
    result, _ = invoke(Reply(status=502, body=b"<html>bad gateway</html>", headers={}), task_call())
    assert isinstance(result, Failed)
    assert result.error == "Lambda.ServiceException"


def test_a_refusal_that_is_no_text_is_a_client_error() -> None:
    result, _ = invoke(Reply(status=400, body=b'{"message":"\xff"}', headers={}), task_call())
    assert isinstance(result, Failed)
    assert result.error == "Lambda.SdkClientException"


def test_no_connection_names_the_endpoint() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run(f"http://127.0.0.1:{port}", task_call())
    assert isinstance(result, Failed)
    assert result.error == "Lambda.SdkClientException"
    assert f"http://127.0.0.1:{port}" in result.cause


def test_an_answer_that_breaks_off_is_a_client_error_and_not_repeated() -> None:
    result, _ = invoke(Reply(body=b'{"a":', promised_bytes=100), task_call())
    assert isinstance(result, Failed)
    assert result.error == "Lambda.SdkClientException"


def test_invocations_run_at_the_same_time() -> None:
    """The service answers none before all have arrived."""
    barrier = threading.Barrier(30, timeout=30)

    def together(invocation: Invocation) -> Reply:
        barrier.wait()
        return echo(invocation)

    with lambda_service(together) as service:
        functions = LambdaFunctions(AwsClients(endpoint_url=service.url))
        results = asyncio.run(_performed(functions, *(task_call(arguments=n) for n in range(30))))
    assert results == [Succeeded(n) for n in range(30)]


def test_cancelling_ends_the_wait_at_once() -> None:
    arrived, leave = threading.Event(), threading.Event()

    def hang(invocation: Invocation) -> Reply:
        arrived.set()
        leave.wait(timeout=30)
        return echo(invocation)

    async def main(url: str) -> None:
        functions = LambdaFunctions(AwsClients(endpoint_url=url))
        work = asyncio.create_task(functions.perform(task_call()))
        await asyncio.to_thread(arrived.wait)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await functions.close()

    with lambda_service(hang) as service:
        asyncio.run(main(service.url))
        leave.set()


def test_after_closing_new_connections_are_opened() -> None:
    with lambda_service(echo) as service:
        functions = LambdaFunctions(AwsClients(endpoint_url=service.url))
        for number in (1, 2):
            assert asyncio.run(_performed(functions, task_call(arguments=number))) == [Succeeded(number)]


def test_the_header_that_chains_invocations_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "engine")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3;Lineage=1")
    _, invocation = invoke(echo, task_call())
    assert "x-amzn-trace-id" not in {name.lower() for name in invocation.headers}


def test_configured_credentials_and_region_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    _, invocation = invoke(echo, task_call(INVOKE, {"FunctionName": "charge"}))
    assert "Credential=AKIDEXAMPLE/" in invocation.headers["Authorization"]
    assert "/eu-north-1/lambda/" in invocation.headers["Authorization"]


def test_a_local_endpoint_needs_neither_region_nor_credentials() -> None:
    _, invocation = invoke(echo, task_call(INVOKE, {"FunctionName": "charge"}))
    assert "/us-east-1/lambda/" in invocation.headers["Authorization"]


def test_the_real_aws_without_a_region_says_so() -> None:
    result = asyncio.run(_performed(LambdaFunctions(AwsClients()), task_call(INVOKE, {"FunctionName": "charge"})))[0]
    assert isinstance(result, Failed)
    assert result.error == "Lambda.SdkClientException"
    assert "region" in result.cause


def test_the_real_aws_is_not_called_with_an_identity_other_than_the_definition_asks_for() -> None:
    call = task_call(credentials={"RoleArn": "arn:aws:iam::123456789012:role/other"})
    result = asyncio.run(_performed(LambdaFunctions(AwsClients()), call))[0]
    assert isinstance(result, Failed)
    assert (result.error, result.cause[:28]) == ("States.Runtime", "Credentials is not supported")


def test_the_environment_names_endpoint_and_region() -> None:
    with lambda_service(echo) as service:
        environ = {"AWS_ENDPOINT_URL_LAMBDA": service.url, "AWS_REGION": "ap-south-1"}
        call = task_call(INVOKE, {"FunctionName": "charge"})
        asyncio.run(_performed(LambdaFunctions(AwsClients(environ=environ)), call))
        assert "/ap-south-1/lambda/" in service.invocations[0].headers["Authorization"]


def test_only_lambda_tasks_are_handled() -> None:
    functions = LambdaFunctions(AwsClients(endpoint_url="http://127.0.0.1:1"))
    assert functions.handles(task_call(FUNCTION_ARN))
    assert functions.handles(task_call(INVOKE + ".waitForTaskToken"))
    assert not functions.handles(task_call("arn:aws:states:::sns:publish"))
    assert not LambdaFunctions(AwsClients(environ={})).handles(task_call(FUNCTION_ARN))
    assert not functions.handles(task_call("arn:aws:states:::aws-sdk:lambda:listFunctions"))
