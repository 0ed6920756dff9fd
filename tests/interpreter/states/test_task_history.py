"""The history events of tasks, which differ between Lambda functions, activities and services."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.options import Options
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import ACTIVITY, CALLBACK, LAMBDA, QUEUE, only, retrier, task


def test_a_lambda_function_is_scheduled_and_started_at_once() -> None:
    run = Drive(only(task(TimeoutSeconds=9)), input={"n": 1}).succeed("Only", 2)

    assert [(event.type, event.details) for event in run.history[2:5]] == [
        ("LambdaFunctionScheduled", {"resource": LAMBDA, "input": {"n": 1}, "timeoutInSeconds": 9}),
        ("LambdaFunctionStarted", None),
        ("LambdaFunctionSucceeded", {"output": 2}),
    ]


def test_a_service_is_named_by_type_and_action() -> None:
    run = Drive(only(task(Resource=QUEUE, Parameters={"QueueUrl": "q"}))).succeed("Only", {"MessageId": "m"})

    named = {"resourceType": "sqs", "resource": "sendMessage"}
    assert [(event.type, event.details) for event in run.history[2:5]] == [
        ("TaskScheduled", {**named, "region": "us-east-1", "parameters": {"QueueUrl": "q"}}),
        ("TaskStarted", named),
        ("TaskSucceeded", {**named, "output": {"MessageId": "m"}}),
    ]


def test_the_pattern_of_a_resource_is_part_of_its_action() -> None:
    run = Drive(only(task(Resource=CALLBACK, HeartbeatSeconds=5))).submit("Only", {"MessageId": "m"})

    named = {"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken"}
    assert run.details("TaskScheduled")["heartbeatInSeconds"] == 5
    assert run.details("TaskSubmitted") == {**named, "output": {"MessageId": "m"}}


def test_an_activity_waits_for_its_worker() -> None:
    run = Drive(only(task(Resource=ACTIVITY)), input=1)

    assert run.event_types[2:] == ["ActivityScheduled"]
    assert run.details("ActivityScheduled") == {"resource": ACTIVITY, "input": 1}


def test_a_task_of_an_activity_that_is_missing_is_never_scheduled() -> None:
    """Nor is anything of the state's to retry or to catch it."""
    state = task(Resource=ACTIVITY, Retry=[retrier("States.ALL")])
    run = Drive(only(state), options=Options(missing_activities=frozenset({ACTIVITY})))

    assert run.event_types[1:] == ["TaskStateEntered", "ExecutionFailed"]
    assert run.details("ExecutionFailed") == {
        "error": "States.Runtime",
        "cause": "An error occurred while executing the state 'Only' (entered at the event id #2). "
        f"The activity {ACTIVITY} does not exist.",
    }


@pytest.mark.parametrize(
    ("resource", "prefix"), [(LAMBDA, "LambdaFunction"), (ACTIVITY, "Activity"), (CALLBACK, "Task")]
)
def test_failures_and_timeouts_are_named_after_what_failed(resource: str, prefix: str) -> None:
    failed = Drive(only(task(Resource=resource))).fail("Only", "E", "c")
    assert failed.history[-2].type == f"{prefix}Failed"
    assert {"error": "E", "cause": "c"}.items() <= (failed.history[-2].details or {}).items()

    timed_out = Drive(only(task(Resource=resource, TimeoutSeconds=1))).elapse(seconds=1)
    assert timed_out.history[-2].type == f"{prefix}TimedOut"
    assert (timed_out.history[-2].details or {})["error"] == "States.Timeout"


def test_a_retried_task_stays_in_one_entry() -> None:
    """Only scheduling, starting and failing are told again; the state was entered once."""
    run = Drive(only(task(Retry=[retrier(MaxAttempts=1)])))
    run.fail("Only", "E").elapse(seconds=1).succeed("Only")

    assert run.event_types == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert [event.previous_event_id for event in run.history] == [0, 0, 2, 3, 4, 5, 6, 7, 8, 9]
