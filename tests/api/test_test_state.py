"""TestState without mocks: which state is run, what its data becomes, what the answer tells."""

from __future__ import annotations

import asyncio

import pytest

from asl_engine.errors import InvalidArn, InvalidExecutionInput, InvalidStateMachineDefinition, ValidationException
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult
from tests.api.state_trials import ROLE, answer, each, mocked, parallel, task

INPUT: JsonObject = {"order": {"id": 7, "lines": [1, 2]}, "note": "x"}


class Performer:
    """Answers every call with the same result, and keeps the calls."""

    def __init__(self, result: TaskResult | Exception) -> None:
        self.result = result
        self.calls: list[TaskCall] = []

    def handles(self, call: TaskCall) -> bool:
        return call.is_lambda_invoke

    async def perform(self, call: TaskCall) -> TaskResult:
        self.calls.append(call)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def close(self) -> None:
        """Nothing to let go of."""


class Endless(Performer):
    """Never answers, on an event loop whose clock jumps as soon as it is asked."""

    async def perform(self, call: TaskCall) -> TaskResult:
        loop = asyncio.get_running_loop()
        before = loop.time
        loop.time = lambda: before() + 1_000  # type: ignore[method-assign]
        never: asyncio.Future[TaskResult] = loop.create_future()
        return await never


def machine(**states: JsonValue) -> JsonObject:
    """A state machine that starts with the first of these states."""
    return {"StartAt": next(iter(states)), "States": states}


# Which state


def test_a_lone_state_may_lead_to_a_state_that_does_not_exist() -> None:
    given = answer({"Type": "Pass", "Next": "Elsewhere"}, input=INPUT, inspectionLevel="INFO")

    assert given == {"status": "SUCCEEDED", "output": INPUT, "nextState": "Elsewhere"}


def test_a_state_may_lead_to_itself_and_is_run_once() -> None:
    rule: JsonObject = {"Variable": "$.order.id", "NumericEquals": 7, "Next": "StateName"}

    assert answer({"Type": "Choice", "Choices": [rule]}, input=INPUT)["nextState"] == "StateName"


@pytest.mark.parametrize("name", ["First", "Second", "Row"])
def test_a_state_is_found_by_name_at_any_depth(name: str) -> None:
    second: JsonObject = {"Type": "Pass", "End": True, "Parameters": {"at": "Second"}}
    definition = machine(First=each(Next="Second") | {"End": False}, Second=second)
    mock = mocked([]) if name == "First" else None

    assert answer(definition, stateName=name, input={"rows": []}, mock=mock)["status"] == "SUCCEEDED"


def test_a_name_that_the_definition_does_not_have_is_refused() -> None:
    with pytest.raises(ValidationException, match=r"^State not found in definition$"):
        answer(machine(Only={"Type": "Succeed"}), stateName="Other")


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"Type": "Pass"}, "exactly one of these fields is required: [Next, End] at /States/StateName"),
        ([], "expected an object but found an array at /States/StateName"),
        ({"Type": "Nap", "End": True}, "Parallel, Map] at /States/StateName/Type"),
    ],
)
def test_what_is_wrong_with_a_lone_state_is_told_as_for_a_state_machine(definition: JsonValue, problem: str) -> None:
    with pytest.raises(InvalidStateMachineDefinition) as refused:
        answer(definition)

    assert str(refused.value).startswith("Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: ")
    assert problem in str(refused.value)


def test_the_whole_definition_is_checked_for_the_sake_of_one_state() -> None:
    definition = machine(Good={"Type": "Succeed"}, Bad={"Type": "Nap"})

    with pytest.raises(InvalidStateMachineDefinition, match="/States/Bad/Type"):
        answer(definition, stateName="Good")


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ({"definition": "{"}, InvalidStateMachineDefinition, "INVALID_JSON_DESCRIPTION"),
        ({"definition": "x"}, InvalidStateMachineDefinition, r'at \[Source: \(String\)"x"; line: 1, column: 2\]'),
        ({"input": "{"}, InvalidExecutionInput, "Invalid State Machine Execution Input: 'Unexpected end-of-input: "),
        ({"variables": "x"}, ValidationException, "Invalid variables provided: Unrecognized token 'x': was"),
        ({"variables": "[]"}, ValidationException, "they must be a JSON object"),
    ],
)
def test_a_text_that_is_not_the_json_it_should_be_is_refused(
    texts: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        answer({"Type": "Succeed"}, texts=texts)


def test_a_role_is_the_arn_of_one() -> None:
    with pytest.raises(InvalidArn, match=r"^Invalid Role Arn: 'zzz'$"):
        answer({"Type": "Succeed"}, roleArn="zzz")


@pytest.mark.parametrize("state", [each(), parallel("Left")])
def test_a_map_or_parallel_runs_only_with_a_mock(state: JsonObject) -> None:
    with pytest.raises(
        InvalidStateMachineDefinition, match=r"^TestState API does not support Map or Parallel states\."
    ):
        answer(state, roleArn=ROLE)


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:eu-west-1:123456789012:activity:paint",
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync:2",
    ],
)
def test_work_that_is_answered_later_runs_only_with_a_mock(resource: str) -> None:
    with pytest.raises(InvalidStateMachineDefinition, match="only when a mock is specified"):
        answer(task(resource), roleArn=ROLE)


def test_a_task_without_a_mock_needs_a_role() -> None:
    with pytest.raises(ValidationException, match=r"^RoleArn must be specified when testing a Task state$"):
        answer(task())


# What becomes of the data


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({"Type": "Succeed", "InputPath": "$.order"}, {"afterInputPath": INPUT["order"]}),
        ({"Type": "Wait", "Seconds": 3600, "End": True}, {"afterInputPath": INPUT}),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$.note", "IsNull": True, "Next": "A"}], "Default": "B"},
            {"afterInputPath": INPUT},
        ),
        ({"Type": "Fail", "Error": "Nope"}, {}),
        ({"Type": "Pass", "QueryLanguage": "JSONata", "End": True}, {}),
        (
            {
                "Type": "Pass",
                "InputPath": "$.order",
                "Parameters": {"id.$": "$.id"},
                "ResultPath": "$.note",
                "OutputPath": "$.note",
                "End": True,
            },
            {
                "afterInputPath": INPUT["order"],
                "afterParameters": {"id": 7},
                "afterResultSelector": {"id": 7},
                "afterResultPath": {**INPUT, "note": {"id": 7}},
            },
        ),
        (
            {"Type": "Pass", "InputPath": "$.order", "Result": [1], "ResultPath": "$.note", "End": True},
            {"result": [1], "afterResultSelector": [1], "afterResultPath": {**INPUT, "note": [1]}},
        ),
    ],
)
def test_each_type_of_state_shows_its_own_stages(state: JsonObject, shown: JsonObject) -> None:
    """A Pass with a Result shows nothing of its input: AWS was recorded not to."""
    assert answer(state, input=INPUT)["inspectionData"] == {"input": INPUT, **shown}


def test_the_level_info_shows_no_stage() -> None:
    assert "inspectionData" not in answer({"Type": "Succeed"}, inspectionLevel="INFO")


def test_without_an_input_a_state_gets_an_empty_object() -> None:
    assert answer({"Type": "Succeed"})["output"] == {}


def test_variables_are_shown_as_the_state_leaves_them() -> None:
    state: JsonObject = {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($a, 1)"}, "End": True}
    given = answer({**state, "Assign": {"b.$": "$.sum"}}, texts={"variables": '{"a": 4}'})

    assert given["output"] == {"sum": 5}
    assert given["inspectionData"]["variables"] == {"a": 4, "b": 5}


def test_variables_are_not_shown_where_there_are_none() -> None:
    assert "variables" not in answer({"Type": "Succeed"}, texts={"variables": "{}"})["inspectionData"]


def test_an_expression_that_fails_ends_what_is_shown() -> None:
    state = task(Parameters={"FunctionName.$": "$.nothing"})
    given = answer(state, input=INPUT, roleArn=ROLE)

    assert (given["status"], given["error"]) == ("FAILED", "States.Runtime")
    assert given["cause"].startswith(
        "An error occurred while executing the state 'StateName' (entered at the event id #2). "
    )
    assert given["inspectionData"] == {"input": INPUT, "afterInputPath": INPUT}


def test_a_fail_state_may_have_neither_error_nor_cause() -> None:
    assert answer({"Type": "Fail"}, inspectionLevel="INFO") == {"status": "FAILED"}


# Real work


def test_a_task_is_performed_where_nothing_is_mocked() -> None:
    performer = Performer(Succeeded({"StatusCode": 200, "Payload": "done"}))
    state = task(Parameters={"FunctionName": "paint"}, ResultSelector={"said.$": "$.Payload"}, ResultPath="$.note")
    given = answer(state, input=INPUT, roleArn=ROLE, performer=performer)

    (call,) = performer.calls
    assert (call.function_name, call.attempt.arguments) == ("paint", {"FunctionName": "paint"})
    assert given["output"] == {**INPUT, "note": {"said": "done"}}
    assert given["inspectionData"] == {
        "input": INPUT,
        "afterInputPath": INPUT,
        "afterParameters": {"FunctionName": "paint"},
        "result": {"StatusCode": 200, "Payload": "done"},
        "afterResultSelector": {"said": "done"},
        "afterResultPath": {**INPUT, "note": {"said": "done"}},
    }


def test_in_jsonata_a_task_shows_its_arguments_and_its_result() -> None:
    state = task(
        QueryLanguage="JSONata", Arguments={"FunctionName": "{% 'pai' & 'nt' %}"}, Output="{% $states.result %}"
    )
    given = answer(state, input=INPUT, roleArn=ROLE, performer=Performer(Succeeded(3)))

    assert given["output"] == 3
    assert given["inspectionData"] == {"input": INPUT, "afterArguments": {"FunctionName": "paint"}, "result": 3}


@pytest.mark.parametrize(
    ("result", "error"),
    [(Failed("Boom", "loud"), "Boom"), (ValueError("a bug"), "States.Runtime")],
)
def test_work_that_fails_fails_the_state(result: TaskResult | Exception, error: str) -> None:
    given = answer(task(Parameters={"FunctionName": "paint"}), roleArn=ROLE, performer=Performer(result))

    assert (given["status"], given["error"]) == ("FAILED", error)
    assert "result" not in given["inspectionData"]


def test_work_that_nobody_can_do_fails_the_state_and_says_so() -> None:
    given = answer(task("arn:aws:states:::sns:publish"), roleArn=ROLE, performer=Performer(Succeeded(1)))

    assert given["error"] == "States.Runtime"
    assert "arn:aws:states:::sns:publish" in given["cause"]


def test_a_performer_that_answers_later_than_asked_is_a_defect() -> None:
    given = answer(task(Parameters={"FunctionName": "f"}), roleArn=ROLE, performer=Performer(Submitted(1)))

    assert "AssertionError" in given["cause"]


@pytest.mark.parametrize("fields", [{}, {"TimeoutSeconds": 9}])
def test_work_that_takes_too_long_times_out(fields: JsonObject) -> None:
    """After TimeoutSeconds, and after five minutes at the latest."""
    state = task(Parameters={"FunctionName": "paint"}, **fields)

    assert answer(state, roleArn=ROLE, performer=Endless(Succeeded(1)))["error"] == "States.Timeout"
