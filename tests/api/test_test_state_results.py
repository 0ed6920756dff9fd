"""Mocked results in TestState, held against what the mocked service could answer."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.api.testing_state.result_schema import check_result
from asl_engine.errors import ValidationException
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.resource import parse_resource
from tests.api.state_trials import INVOKE, answer, mocked, task

SDK = "arn:aws:states:::aws-sdk:"
CONVERSED: JsonObject = {
    "Output": {},
    "StopReason": "end_turn",
    "Usage": {"InputTokens": 1, "OutputTokens": 1, "TotalTokens": 2},
    "Metrics": {"LatencyMs": 1},
}


def refusal(resource: str, result: JsonValue, mode: str | None = None) -> str | None:
    """Why a mocked result is refused; None where it is not."""
    mock = mocked(result) if mode is None else mocked(result, fieldValidationMode=mode)
    try:
        answer(task(resource), mock=mock)
    except ValidationException as refused:
        return str(refused).removeprefix("Mock result schema validation error: ")
    return None


@pytest.mark.parametrize(
    ("resource", "result", "reason"),
    [
        (f"{SDK}sqs:receiveMessage", {"Messages": {}}, "Field 'Messages' must be an array"),
        (f"{SDK}sqs:receiveMessage", {"Messages": [1]}, "Field 'Messages' must be an object"),
        (f"{SDK}sqs:receiveMessage", {"Messages": [{"Body": 1}]}, "Field 'Body' must be a string"),
        (f"{SDK}sqs:getQueueAttributes", {"Attributes": []}, "Field 'Attributes' must be an object"),
        (f"{SDK}sqs:getQueueAttributes", {"Attributes": {"x": 1}}, "Field 'Attributes' must be a string"),
        (f"{SDK}s3:headObject", {"DeleteMarker": "no"}, "Field 'DeleteMarker' must be a boolean"),
        (f"{SDK}s3:headObject", {"ContentLength": True}, "Field 'ContentLength' must be a number"),
        (f"{SDK}s3:headObject", {"LastModified": 1}, "Field 'LastModified' must be a string"),
        (f"{SDK}s3:headObject", {"ReplicationStatus": "LOST"}, "Field 'ReplicationStatus' is not an expected value"),
        (f"{SDK}kms:generateMac", {"Mac": 1}, "Field 'Mac' must be a string"),
        (f"{SDK}kms:generateMac", {"Mac": ""}, "Field 'Mac' is smaller than the minimum length"),
        (f"{SDK}kms:generateMac", {"Mac": "x" * 6_145}, "Field 'Mac' exceeds the maximum length"),
        (f"{SDK}lambda:getFunctionConfiguration", {"Timeout": 0}, "Field 'Timeout' is less than the minimum value"),
        (f"{SDK}lambda:updateFunctionConfiguration", {"MemorySize": 10_240}, None),
        (
            f"{SDK}lambda:updateFunctionConfiguration",
            {"MemorySize": 10_241},
            "Field 'MemorySize' exceeds the maximum value",
        ),
        ("arn:aws:states:::dynamodb:getItem", {"Item": {"id": {"S": 1}}}, "Field 'S' must be a string"),
        ("arn:aws:states:::sns:publish", [], "Mocked result must be a JSON object."),
    ],
)
@pytest.mark.parametrize("mode", ["STRICT", "PRESENT"])
def test_a_member_that_the_service_could_not_answer_is_refused(
    resource: str, result: JsonValue, reason: str | None, mode: str
) -> None:
    assert refusal(resource, result, mode) == reason
    assert refusal(resource, result, "NONE") is None


def test_the_strictest_mode_is_the_default_and_alone_asks_for_required_members() -> None:
    resource = f"{SDK}sfn:describeActivity"
    result: JsonObject = {"activityArn": "in another case", "Name": "n"}

    assert refusal(resource, result) == "Required field 'ActivityArn' is missing"
    assert refusal(resource, result, "STRICT") == "Required field 'ActivityArn' is missing"
    assert refusal(resource, result, "PRESENT") is None


def test_required_members_are_asked_for_at_any_depth() -> None:
    assert refusal(f"{SDK}sfn:listActivities", {"Activities": [{}]}) == "Required field 'ActivityArn' is missing"


@pytest.mark.parametrize("mode", ["STRICT", "PRESENT"])
def test_a_member_that_the_api_does_not_know_passes(mode: str) -> None:
    assert refusal("arn:aws:states:::sqs:sendMessage", {"SdkHttpMetadata": {"HttpStatusCode": 200}}, mode) is None


@pytest.mark.parametrize("name", ["SSEKMSKeyId", "SsekmsKeyId"])
def test_a_member_may_be_spelled_as_in_the_api_or_as_in_the_sdk_for_java(name: str) -> None:
    assert refusal(f"{SDK}s3:headObject", {name: 1}) == f"Field '{name}' must be a string"


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        (INVOKE, {"Payload": {"any": "thing"}, "StatusCode": 200}),
        ("arn:aws:states:::bedrock:invokeModel", {"Body": {"any": "thing"}, "ContentType": "application/json"}),
        ("arn:aws:states:::http:invoke", [1]),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", [1]),
        ("arn:aws:states:::glue:startJobRun.sync", {"JobRunState": 1}),
        ("arn:aws:lambda:eu-west-1:123456789012:function:paint", [1]),
        (f"{SDK}nosuchservice:listThings", [1]),
        (f"{SDK}sqs:listThings", [1]),
        (f"{SDK}sqs:deleteMessage", [1]),
        (f"{SDK}bedrockruntime:converse", {"AdditionalModelResponseFields": [1], **CONVERSED}),
    ],
)
def test_what_no_model_describes_is_not_checked(resource: str, result: JsonValue) -> None:
    assert refusal(resource, result) is None


def test_a_nested_execution_that_is_awaited_answers_its_description() -> None:
    described: JsonObject = {
        "ExecutionArn": "e",
        "StateMachineArn": "m",
        "StartDate": "2026-01-01T12:00:00Z",
        "Status": "SUCCEEDED",
        "Output": {"any": "thing"},
    }

    assert refusal("arn:aws:states:::states:startExecution.sync:2", described) is None
    assert refusal("arn:aws:states:::states:startExecution.sync", described) == "Field 'Output' must be a string"
    assert refusal("arn:aws:states:::states:startExecution.sync:2", {**described, "Status": "DONE"}) == (
        "Field 'Status' is not an expected value"
    )


@pytest.mark.parametrize(
    ("service", "action", "member"),
    [
        ("cognitoidentityprovider", "describeUserPool", "UserPool"),
        ("eventbridge", "describeRule", "Name"),
        ("secretsmanager", "getSecretValue", "Name"),
        ("bedrock", "getCustomModel", "ModelName"),
        ("bedrockruntime", "invokeModel", "ContentType"),
        ("rds", "describeDbInstances", "Marker"),
    ],
)
def test_services_are_named_as_in_the_sdk_for_java(service: str, action: str, member: str) -> None:
    assert f"Field '{member}' must be a" in (refusal(f"{SDK}{service}:{action}", {member: 1}, "PRESENT") or "")


NAMES = st.sampled_from(["Items", "Item", "Count", "ConsumedCapacity", "CapacityUnits", "S", "M", "L", "BOOL", "other"])
RESULTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(RESULTS, st.booleans())
def test_any_result_passes_or_is_refused(result: JsonValue, requires_all: bool) -> None:
    with suppress(ValidationException):
        check_result(result, parse_resource(f"{SDK}dynamodb:scan"), requires_all=requires_all)
