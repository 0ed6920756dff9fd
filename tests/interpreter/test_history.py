"""History events as GetExecutionHistory spells them."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.history import HistoryEvent, details_member, render
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import NOON, jsonata, only, pass_, task


@pytest.mark.parametrize(
    ("event_type", "member"),
    [
        ("ExecutionStarted", "executionStartedEventDetails"),
        ("TaskStateEntered", "stateEnteredEventDetails"),
        ("MapStateExited", "stateExitedEventDetails"),
        ("MapStateStarted", "mapStateStartedEventDetails"),
        ("MapIterationFailed", "mapIterationFailedEventDetails"),
        ("LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails"),
        ("EvaluationFailed", "evaluationFailedEventDetails"),
    ],
)
def test_details_are_a_member_named_after_the_type(event_type: str, member: str) -> None:
    assert details_member(event_type) == member


def test_payloads_are_json_text_and_say_that_they_are_whole() -> None:
    run = Drive(only(pass_()), input={"name": "Zoë", "n": 1.0}, at=NOON + 1)
    text = '{"name":"Zoë","n":1.0}'

    assert [render(event) for event in run.history] == [
        {
            "timestamp": (NOON + 1) / 1000,
            "type": "ExecutionStarted",
            "id": 1,
            "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": text,
                "inputDetails": {"truncated": False},
                "roleArn": "arn:aws:iam::123456789012:role/story",
            },
        },
        {
            "timestamp": (NOON + 1) / 1000,
            "type": "PassStateEntered",
            "id": 2,
            "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "Only", "input": text, "inputDetails": {"truncated": False}},
        },
        {
            "timestamp": (NOON + 1) / 1000,
            "type": "PassStateExited",
            "id": 3,
            "previousEventId": 2,
            "stateExitedEventDetails": {"name": "Only", "output": text, "outputDetails": {"truncated": False}},
        },
        {
            "timestamp": (NOON + 1) / 1000,
            "type": "ExecutionSucceeded",
            "id": 4,
            "previousEventId": 3,
            "executionSucceededEventDetails": {"output": text, "outputDetails": {"truncated": False}},
        },
    ]


def test_each_assigned_variable_is_json_text_of_its_own() -> None:
    run = Drive(jsonata(pass_(Assign={"a": "text", "b": [1]})))

    exited = render(run.of_type("PassStateExited")[0])["stateExitedEventDetails"]
    assert isinstance(exited, dict)
    assert exited["assignedVariables"] == {"a": '"text"', "b": "[1]"}
    assert exited["assignedVariablesDetails"] == {"truncated": False}


def test_the_parameters_of_a_service_are_text_without_more() -> None:
    run = Drive(only(task(Resource="arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": "q"})))

    assert render(run.of_type("TaskScheduled")[0])["taskScheduledEventDetails"] == {
        "resourceType": "sqs",
        "resource": "sendMessage",
        "region": "us-east-1",
        "parameters": '{"QueueUrl":"q"}',
    }


def test_an_event_without_details_has_no_member_and_one_with_empty_details_has() -> None:
    assert list(render(HistoryEvent(3, 2, "LambdaFunctionStarted", 0, None))) == [
        "timestamp",
        "type",
        "id",
        "previousEventId",
    ]
    assert render(HistoryEvent(3, 2, "ExecutionFailed", 0, {}))["executionFailedEventDetails"] == {}


def test_lengths_and_names_stay_values() -> None:
    shown = render(HistoryEvent(3, 2, "MapStateStarted", 0, {"length": 5}))

    assert shown["mapStateStartedEventDetails"] == {"length": 5}
