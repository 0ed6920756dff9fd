"""What the `asl` fixture offers, used as a user's test uses it."""

import json
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import InvalidJson, TaskDoesNotExist, TasksFileError
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing import Asl

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
NOTIFY = "arn:aws:states:::sns:publish.waitForTaskToken"


def machine(**states: JsonValue) -> JsonObject:
    return {"StartAt": next(iter(states)), "States": dict(states)}


def approval() -> JsonObject:
    ask: JsonObject = {
        "Type": "Task",
        "Resource": NOTIFY,
        "TimeoutSeconds": 86_400,
        "HeartbeatSeconds": 3_600,
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Expired"}],
        "Next": "Deploy",
    }
    return machine(
        Ask=ask,
        Deploy={"Type": "Task", "Resource": LAMBDA + "deploy", "End": True},
        Expired={"Type": "Fail", "Error": "ApprovalExpired"},
    )


def test_attempts_are_scripted_one_by_one_and_the_last_repeats(asl: Asl) -> None:
    order = asl.machine(
        machine(
            Charge={
                "Type": "Task",
                "Resource": LAMBDA + "charge",
                "Retry": [{"ErrorEquals": ["Card.Busy"], "IntervalSeconds": 10, "MaxAttempts": 3}],
                "End": True,
            }
        )
    )
    order.script("Charge", asl.throws("Card.Busy"), asl.throws("Card.Busy"), asl.returns({"paid": True}))
    execution = order.run({"amount": 3})
    execution.assert_succeeded({"paid": True})
    assert execution.attempts("Charge") == 3
    assert execution.elapsed_seconds == 10 + 20


def test_mocks_answer_what_no_script_does(asl: Asl, tmp_path: Path) -> None:
    file = tmp_path / "MockConfigFile.json"
    config = {
        "StateMachines": {"order": {"TestCases": {"Happy": {"Charge": "Good", "Ship": "Good"}}}, "other": {}},
        "MockedResponses": {"Good": {"0": {"Return": "good"}}},
    }
    file.write_text(json.dumps(config), encoding="utf-8")
    order = asl.machine(
        machine(
            Charge={"Type": "Task", "Resource": LAMBDA + "charge", "ResultPath": "$.charge", "Next": "Ship"},
            Ship={"Type": "Task", "Resource": LAMBDA + "ship", "ResultPath": "$.ship", "End": True},
        )
    )
    order.mocks(file, mock_state_machine="order", mock_test_case="Happy")
    order.script("Ship", asl.returns("scripted"))

    order.run().assert_succeeded({"charge": "good", "ship": "scripted"})
    with pytest.raises(TasksFileError, match="no test case is named"):
        order.mocks(file, mock_state_machine="order", mock_test_case="Sad")


CHARGE = machine(
    Charge={"Type": "Task", "Resource": LAMBDA + "charge", "Next": "Pause"},
    Pause={"Type": "Wait", "Seconds": 5, "End": True},
)


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (lambda asl, order: order.script("Charge", lambda _event: 1), r'give a function to task\("Charge", …\)'),
        (lambda asl, order: order.script("Charge", {"paid": True}), r"wrap it: asl.returns\(…\)"),
        (lambda asl, order: order.script("Charge"), "give at least one answer"),
        (lambda asl, order: order.task("Charge", asl.returns(1)), r'answers of a script go to script\("Charge", …\)'),
        (lambda asl, order: asl.throws(ValueError), "an error has a name and a cause"),
        (lambda asl, order: asl.load(CHARGE), "asl.machine takes a document"),
        (lambda asl, order: asl.machine(5), "a definition is a parsed document, a JSON text, .* not int"),
    ],
)
def test_what_is_mixed_up_is_told_with_the_way_out(asl: Asl, mistake: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        mistake(asl, asl.machine(CHARGE))


def test_what_is_no_json_is_refused_where_it_is_given(asl: Asl) -> None:
    order = asl.machine(CHARGE)
    no_json: Any = {1}
    for mistake in (lambda: asl.returns(no_json), lambda: order.start(no_json), lambda: order.run(no_json)):
        with pytest.raises(InvalidJson):
            mistake()


def test_a_failed_assertion_says_where_the_execution_waits(asl: Asl) -> None:
    order = asl.machine(CHARGE)
    order.script("Charge", asl.returns({}))
    execution = order.start()

    with pytest.raises(AssertionError, match=r"RUNNING \(waiting at \['Pause'\]; advance\(\) or run_on\(\) lets"):
        execution.assert_succeeded()


def test_scripts_may_depend_on_the_arguments(asl: Asl) -> None:
    train = machine(Train={"Type": "Task", "Resource": LAMBDA + "train", "End": True})
    fan_out = asl.machine(machine(Each={"Type": "Map", "ItemProcessor": train, "End": True}))
    fan_out.script("Train", asl.returns(0.9), when={"model": "tree"})
    fan_out.script("Train", asl.returns(0.5))
    fan_out.run([{"model": "tree"}, {"model": "line"}]).assert_succeeded([0.9, 0.5])


def test_a_callback_comes_in_when_the_test_says_so(asl: Asl) -> None:
    pipeline = asl.machine(approval())
    pipeline.task("Deploy", lambda event: {"deployed": event})
    execution = pipeline.start()
    assert (execution.status, execution.waiting, execution.path) == ("RUNNING", ["Ask"], ["Ask"])

    execution.advance(minutes=50)
    execution.send_task_success("Ask", {"by": "reviewer"})
    execution.assert_succeeded({"deployed": {"by": "reviewer"}})
    assert execution.path == ["Ask", "Deploy"]


def test_heartbeats_hold_the_heartbeat_timeout_off(asl: Asl) -> None:
    execution = asl.machine(approval()).start()
    for _ in range(3):
        execution.advance(minutes=59)
        execution.send_task_heartbeat("Ask")
    assert execution.status == "RUNNING"
    execution.advance(hours=1)
    execution.assert_failed("ApprovalExpired")


def test_a_callback_that_never_comes_times_out_in_virtual_time(asl: Asl) -> None:
    execution = asl.machine(approval()).run()
    execution.assert_failed("ApprovalExpired")
    assert execution.elapsed_seconds == 3_600


def test_a_token_can_be_failed_and_an_execution_stopped(asl: Asl) -> None:
    failed = asl.machine(approval()).start()
    failed.send_task_failure("Ask", "Rejected", "too risky")
    failed.assert_failed("Rejected")
    assert failed.cause == "too risky"

    stopped = asl.machine(approval()).start()
    stopped.stop("Enough", "changed my mind")
    assert (stopped.status, stopped.error) == ("ABORTED", "Enough")


def test_answering_a_state_that_does_not_wait_says_which_do(asl: Asl) -> None:
    with pytest.raises(TaskDoesNotExist, match=r"waiting: \['Ask'\]"):
        asl.machine(approval()).start().send_task_success("Deploy", {})


def test_a_failed_assertion_tells_the_path_and_the_error(asl: Asl) -> None:
    execution = asl.machine(machine(Boom={"Type": "Fail", "Error": "Boom", "Cause": "here"})).run()
    with pytest.raises(AssertionError, match="FAILED \\(Boom: here\\); path: Boom"):
        execution.assert_succeeded()


def test_a_script_that_never_answers_lets_the_timeout_come(asl: Asl) -> None:
    slow = asl.machine(machine(Work={"Type": "Task", "Resource": LAMBDA + "w", "TimeoutSeconds": 60, "End": True}))
    slow.script("Work", asl.never())
    execution = slow.run()
    execution.assert_failed("States.Timeout")
    assert execution.elapsed_seconds == 60


def test_a_script_for_a_task_that_the_machine_does_not_have_is_refused(asl: Asl) -> None:
    """A misspelled name would otherwise answer nothing, and the test would look for the mistake elsewhere."""
    with pytest.raises(ValueError, match='no task "Aks": did you mean "Ask"'):
        asl.machine(approval()).script("Aks", asl.never())
