"""Calls of any service: what is sent, what comes back, and how errors are named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from asl_engine.integrations import sagemaker
from asl_engine.integrations.aws_calls import AwsCalls
from asl_engine.integrations.aws_errors import java_name
from asl_engine.integrations.aws_jobs import AwsJobs
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.integrations.batch import BatchJobs
from asl_engine.integrations.services import botocore_name, sdk_problem
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskResult
from tests.integrations.aws_services import FakeService, Fault, Refused, serving
from tests.integrations.lambda_service import Invocation, Reply, lambda_service
from tests.runtime.task_calls import task_call

REQUEST_ID = {"RequestId": "request-1"}


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(FakeService({})) as running:
        yield running


def perform(url: str, resource: str, arguments: JsonValue, **fields: Any) -> TaskResult:
    async def performed() -> TaskResult:
        clients = AwsClients(endpoint_url=url, environ={})
        calls = AwsCalls(clients, AwsJobs(clients, (BatchJobs(), *sagemaker.JOBS)))
        call = task_call(f"arn:aws:states:::{resource}", arguments, **fields)
        assert calls.handles(call)
        try:
            return await calls.perform(call)
        finally:
            await calls.close()

    return asyncio.run(performed())


def output(result: TaskResult) -> JsonObject:
    assert isinstance(result, Succeeded | Submitted), result
    assert isinstance(result.output, dict)
    return result.output


def refusal(result: TaskResult) -> Failed:
    assert isinstance(result, Failed)
    return result


def test_an_optimized_call_shows_how_it_was_transmitted(service: FakeService) -> None:
    service.operations["getitem"] = lambda _request: {"Item": {"id": {"S": "1"}}}
    result = perform(service.url, "dynamodb:getItem", {"TableName": "t", "Key": {"id": {"S": "1"}}})
    assert service.requests == [("getitem", {"TableName": "t", "Key": {"id": {"S": "1"}}})]
    given = output(result)
    assert (given["Item"], given["SdkResponseMetadata"]) == ({"id": {"S": "1"}}, REQUEST_ID)
    http = given["SdkHttpMetadata"]
    assert isinstance(http, dict)
    assert http["HttpStatusCode"] == 200
    assert isinstance(headers := http["HttpHeaders"], dict)
    assert headers["x-amzn-RequestId"] == "request-1"
    assert http["AllHttpHeaders"] == {name: [value] for name, value in headers.items()}


def test_an_sdk_call_gives_only_what_the_service_answered(service: FakeService) -> None:
    service.operations["describeexecution"] = lambda _request: {}
    service.operations["describerule"] = lambda _request: {"Name": "nightly", "State": "ENABLED"}
    result = perform(service.url, "aws-sdk:eventbridge:describeRule", {"Name": "nightly"})
    assert result == Succeeded({"Name": "nightly", "State": "ENABLED"})


def test_members_of_other_spelling_are_capitalised_both_ways(service: FakeService) -> None:
    service.operations["describelogstreams"] = lambda request: {
        "logStreams": [{"logStreamName": request["logGroupName"], "creationTime": 1}]
    }
    result = perform(service.url, "aws-sdk:cloudwatchlogs:describeLogStreams", {"LogGroupName": "g"})
    assert result == Succeeded({"LogStreams": [{"LogStreamName": "g", "CreationTime": 1}]})


def test_moments_are_texts_for_the_sdk_and_milliseconds_for_optimized_integrations(service: FakeService) -> None:
    service.operations["describetrainingjob"] = lambda _request: {"TrainingJobName": "t", "CreationTime": 1.5}
    result = perform(service.url, "aws-sdk:sagemaker:describeTrainingJob", {"TrainingJobName": "t"})
    assert result == Succeeded({"TrainingJobName": "t", "CreationTime": "1970-01-01T00:00:01.500Z"})
    service.operations["getqueryexecution"] = lambda _request: {
        "QueryExecution": {"Status": {"SubmissionDateTime": 1.5}}
    }
    answer = output(perform(service.url, "athena:getQueryExecution", {"QueryExecutionId": "q"}))
    assert answer["QueryExecution"] == {"Status": {"SubmissionDateTime": 1_500}}


def test_a_moment_may_be_given_as_text_or_seconds(service: FakeService) -> None:
    service.operations["listtrainingjobs"] = lambda _request: {}
    arguments: JsonObject = {"CreationTimeAfter": "1970-01-01T00:01:00Z", "CreationTimeBefore": 90}
    perform(service.url, "aws-sdk:sagemaker:listTrainingJobs", arguments)
    assert service.requests[0][1] == {"CreationTimeAfter": 60, "CreationTimeBefore": 90}
    wrong = refusal(perform(service.url, "aws-sdk:sagemaker:listTrainingJobs", {"CreationTimeAfter": "soon"}))
    assert '"CreationTimeAfter" must be a TIMESTAMP, as in 2026-01-31T12:00:00Z' in wrong.cause


def test_where_a_text_is_expected_any_json_is_sent_as_text(service: FakeService) -> None:
    service.operations["sendmessage"] = lambda _request: {"MessageId": "m", "MD5OfMessageBody": "x" * 32}
    service.operations["putevents"] = lambda _request: {"Entries": [{"EventId": "e"}], "FailedEntryCount": 0}
    perform(service.url, "aws-sdk:sqs:sendMessage", {"QueueUrl": f"{service.url}/1/q", "MessageBody": {"a": [1]}})
    assert service.requests[0][1]["MessageBody"] == '{"a":[1]}'
    perform(service.url, "events:putEvents", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": {"a": 1}}]})
    arn = "arn:aws:states:eu-west-1:123456789012"
    assert service.requests[1][1]["Entries"] == [
        {
            "Source": "s",
            "DetailType": "d",
            "Detail": '{"a":1}',
            "Resources": [f"{arn}:execution:orders:run", f"{arn}:stateMachine:orders"],
        }
    ]


def test_entries_that_eventbridge_did_not_take_fail_the_task(service: FakeService) -> None:
    service.operations["putevents"] = lambda _request: {"Entries": [{"ErrorCode": "X"}], "FailedEntryCount": 1}
    failed = refusal(perform(service.url, "events:putEvents", {"Entries": [{"Source": "s"}]}))
    assert failed == Failed("EventBridge.FailedEntry", '{"Entries":[{"ErrorCode":"X"}],"FailedEntryCount":1}')


def test_a_callback_task_is_only_submitted(service: FakeService) -> None:
    service.operations["submitjob"] = lambda _request: {"jobName": "n", "jobId": "j", "jobArn": "a"}
    service.operations["listjobs"] = lambda _request: {"jobSummaryList": []}
    arguments: JsonObject = {"JobName": "n", "JobQueue": "q", "JobDefinition": "d"}
    result = perform(service.url, "batch:submitJob.waitForTaskToken", arguments)
    assert isinstance(result, Submitted)
    assert output(result)["JobId"] == "j"


@pytest.mark.parametrize(("body", "sent"), [("text", b"text"), ({"a": 1}, b'{"a":1}'), (False, b"false")])
def test_bytes_go_out_and_come_back_as_text(body: JsonValue, sent: bytes) -> None:
    def store(invocation: Invocation) -> Reply:
        return Reply(headers={"Content-Type": "text/plain", "ETag": '"e"'}, body=b"" if invocation.body else b"stored")

    with lambda_service(store) as server:
        result = perform(server.url, "aws-sdk:s3:putObject", {"Bucket": "b", "Key": "k", "Body": body})
        assert output(result)["ETag"] == '"e"'
        assert sent in server.invocations[0].body, "in one chunk, with its checksum behind"
        got = output(perform(server.url, "aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"}))
    assert (got["Body"], got["ContentType"]) == ("stored", "text/plain")


@pytest.mark.parametrize(
    ("resource", "arguments", "error", "failure"),
    [
        (
            "dynamodb:putItem",
            {"TableName": "t"},
            Refused(400, "ResourceNotFoundException", "no such table"),
            Failed(
                "DynamoDB.ResourceNotFoundException",
                "no such table (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; "
                "Request ID: request-1; Proxy: null)",
            ),
        ),
        (
            "dynamodb:putItem",
            {"TableName": "t", "Item": None},
            Refused(400, "ValidationException", "Value null at 'item'"),
            Failed(
                "DynamoDB.AmazonDynamoDBException",
                "Value null at 'item' (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; "
                "Request ID: request-1; Proxy: null)",
            ),
        ),
        (
            "aws-sdk:glue:startCrawler",
            {"Name": "c"},
            Refused(400, "CrawlerRunningException", "it runs"),
            Failed(
                "Glue.CrawlerRunningException",
                "it runs (Service: Glue, Status Code: 400, Request ID: request-1) (SDK Attempt Count: 1)",
            ),
        ),
        (
            "aws-sdk:glue:startCrawler",
            {"Name": "c"},
            Refused(400, "AccessDeniedException", "no"),
            Failed(
                "Glue.GlueException",
                "no (Service: Glue, Status Code: 400, Request ID: request-1) (SDK Attempt Count: 1)",
            ),
        ),
    ],
)
def test_errors_are_named_as_step_functions_names_them(
    service: FakeService, resource: str, arguments: JsonObject, error: Refused, failure: Failed
) -> None:
    service.faults.append(Fault(resource.rpartition(":")[2].lower(), error))
    assert perform(service.url, resource, arguments) == failure
    assert len(service.requests) == 1, "the SDK must not repeat a call"


def test_a_service_that_does_not_answer_is_an_error_to_retry(service: FakeService) -> None:
    service.faults.append(Fault("putitem", None))
    failed = refusal(perform(service.url, "dynamodb:putItem", {"TableName": "t"}))
    assert failed.error == "DynamoDB.SdkClientException"
    failed = refusal(perform("http://127.0.0.1:1", "aws-sdk:dynamodb:putItem", {"TableName": "t"}))
    assert failed.error == "DynamoDb.SdkClientException"


@pytest.mark.parametrize(
    ("resource", "arguments", "problem"),
    [
        ("dynamodb:getItem", {"Table": "t"}, 'The field "Table" is not supported by Step Functions'),
        ("aws-sdk:s3:getObject", {"Bucket": "b"}, 'The field "Key" is required but was missing'),
        ("aws-sdk:ec2:describeInstances", {"DryRun": "yes"}, 'The value for the field "DryRun" must be a BOOLEAN'),
        ("sqs:sendMessage", {"QueueUrl": 7}, 'The value for the field "QueueUrl" must be a STRING'),
        ("sns:publish", ["a"], "The Parameters must be an OBJECT"),
    ],
)
def test_arguments_that_make_no_request_say_why(
    service: FakeService, resource: str, arguments: JsonValue, problem: str
) -> None:
    failed = refusal(perform(service.url, resource, arguments))
    assert failed.error == "States.Runtime"
    assert failed.cause.endswith(f"could not be used to start the Task: [{problem}]")
    assert not service.requests


def test_an_operation_that_the_service_does_not_have_is_named(service: FakeService) -> None:
    failed = refusal(perform(service.url, "aws-sdk:s3:fetchObject", {}))
    assert failed == Failed("States.Runtime", "s3 has no operation fetchObject")


def test_another_identity_is_refused_at_the_real_aws() -> None:
    async def performed() -> TaskResult:
        clients = AwsClients(environ={}, has_identity=True)
        call = task_call("arn:aws:states:::sqs:sendMessage", {}, credentials={"RoleArn": "r"})
        return await AwsCalls(clients, AwsJobs(clients, ())).perform(call)

    assert refusal(asyncio.run(performed())).cause.startswith("Credentials is not supported")


def test_what_is_no_call_of_a_reachable_service_is_left_to_others() -> None:
    def handles(resource: str, environ: dict[str, str]) -> bool:
        clients = AwsClients(environ=environ)
        return AwsCalls(clients, AwsJobs(clients, ())).handles(task_call(f"arn:aws:states:::{resource}", {}))

    anywhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert handles("sns:publish", anywhere)
    assert not handles("sns:publish", {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1"})
    for resource in (
        "aws-sdk:sfn:startExecution",
        "states:startExecution",
        "batch:submitJob.sync",
        "http:invoke",
        "lambda:invoke",
        "aws-sdk:nosuchservice:doIt",
    ):
        assert not handles(resource, anywhere)


@pytest.mark.parametrize(
    ("service_id", "name"),
    [
        ("DynamoDB", "DynamoDb"),
        ("SFN", "Sfn"),
        ("S3", "S3"),
        ("EC2", "Ec2"),
        ("CloudWatch Logs", "CloudWatchLogs"),
        ("SageMaker", "SageMaker"),
        ("Elastic Load Balancing v2", "ElasticLoadBalancingV2"),
    ],
)
def test_services_are_named_as_in_the_sdk_for_java(service_id: str, name: str) -> None:
    assert java_name(service_id) == name


@pytest.mark.parametrize(
    ("java", "botocore"),
    [("s3", "s3"), ("cloudwatchlogs", "logs"), ("rdsdata", "rds-data"), ("bedrockruntime", "bedrock-runtime")],
)
def test_services_of_another_name_are_found(java: str, botocore: str) -> None:
    assert botocore_name(java) == botocore


@pytest.mark.parametrize(
    ("service", "action", "hint"),
    [
        ("sqss", "sendMessage", 'did you mean "sqs"?'),
        ("sqs", "sendMesage", 'did you mean "sendMessage"?'),
        ("stepfunctions", "startExecution", 'AWS calls it "sfn" here'),
        ("cognito-idp", "adminGetUser", 'AWS calls it "cognitoidentityprovider" here'),
    ],
)
def test_a_call_that_the_sdk_does_not_have_comes_with_one_that_it_has(service: str, action: str, hint: str) -> None:
    problem = sdk_problem(service, action)

    assert problem is not None
    assert problem[1] == hint


def test_a_call_that_the_sdk_has_is_right() -> None:
    assert sdk_problem("sqs", "sendMessage") is None
    assert sdk_problem("sfn", "startExecution") is None
