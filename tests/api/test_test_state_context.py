"""The Context object in TestState: one made for the test, or the caller's own."""

from __future__ import annotations

import json
import re

import pytest

from asl_engine.errors import ValidationException
from asl_engine.json_value import JsonObject, JsonValue
from tests.api.state_trials import ROLE, answer, each, mocked, task

SHOWS_CONTEXT: JsonObject = {"QueryLanguage": "JSONata", "Output": "{% $states.context %}"}


def test_a_context_is_made_as_of_an_express_execution() -> None:
    state = each(**SHOWS_CONTEXT)
    given = answer(
        state, input={"rows": []}, mock=mocked([]), roleArn=ROLE, stateConfiguration={"retrierRetryCount": 2}
    )["output"]
    execution = given["Execution"]

    assert re.fullmatch(r"arn:aws:states:eu-west-1:123456789012:express:[\w-]+:[\w-]+:[\w-]+", execution.pop("Id"))
    assert execution.pop("Name")
    assert execution == {"Input": {"rows": []}, "RoleArn": ROLE, "StartTime": "2026-01-01T12:00:00.000Z"}
    assert given["State"] == {"Name": "StateName", "EnteredTime": "2026-01-01T12:00:00.000Z", "RetryCount": 2}
    name = given["StateMachine"]["Name"]
    assert given["StateMachine"]["Id"] == f"arn:aws:states:eu-west-1:123456789012:stateMachine:{name}"


def test_a_state_that_cannot_be_retried_has_no_retry_count() -> None:
    given = answer({"Type": "Pass", "End": True, **SHOWS_CONTEXT})["output"]

    assert "RetryCount" not in given["State"]
    assert "RoleArn" not in given["Execution"]


@pytest.mark.parametrize(
    "resource",
    ["arn:aws:states:::sqs:sendMessage.waitForTaskToken", "arn:aws:states:eu-west-1:123456789012:activity:paint"],
)
def test_work_that_is_answered_later_has_a_task_token(resource: str) -> None:
    token = "{% $states.context.Task.Token %}"
    state = task(resource, QueryLanguage="JSONata", Arguments={"QueueUrl": "q", "MessageBody": token})

    assert answer(state, mock=mocked({}))["inspectionData"]["afterArguments"]["MessageBody"]


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"Execution": {}, "State": {}, "StateMachine": {}},
        {
            "Execution": {"Id": "i", "Input": [1], "Name": "n", "RoleArn": "r", "StartTime": "t", "RedriveCount": 1},
            "State": {"EnteredTime": "e", "Name": "s", "RetryCount": 3},
            "StateMachine": {"Id": "m", "Name": "mn"},
            "Task": {"Token": "secret"},
        },
    ],
)
def test_a_given_context_is_seen_as_it_is(context: JsonObject) -> None:
    state = task(**SHOWS_CONTEXT)

    assert answer(state, mock=mocked({}), texts={"context": json.dumps(context)})["output"] == context


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({"Map": {"Item": {}}}, "'Map' field is not supported when mocking a Context object"),
        ({"Elsewhere": {}}, "Field 'Elsewhere' is not allowed"),
        ({"State": {"Nmae": "x"}}, "Field 'Nmae' is not allowed"),
        ({"State": {"Name": 1}}, "State.Name must be a string"),
        ({"State": {"RetryCount": True}}, "State.RetryCount must be a number"),
        ({"Task": None}, "Task must be an object"),
        ([], "it must be a JSON object"),
    ],
)
def test_a_context_with_what_no_context_has_is_refused(context: JsonValue, reason: str) -> None:
    with pytest.raises(ValidationException) as refused:
        answer(task(), mock=mocked({}), texts={"context": json.dumps(context)})

    assert str(refused.value) == f"Invalid Context object provided: {reason}"


def test_a_context_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValidationException, match="it must be valid JSON"):
        answer(task(), mock=mocked({}), texts={"context": "{"})


def test_a_context_is_only_for_mocked_work() -> None:
    with pytest.raises(ValidationException, match="only be specified when a mock is specified"):
        answer(task(), roleArn=ROLE, texts={"context": "{}"})
