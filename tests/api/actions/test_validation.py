from __future__ import annotations

import json

from tests.api.services import Caller, asking, passing, story


@story
async def test_a_definition_that_runs_has_no_diagnostics(call: Caller) -> None:
    answer = await call("ValidateStateMachineDefinition", definition=json.dumps(passing()))
    assert answer == {"result": "OK", "diagnostics": [], "truncated": False}


@story
async def test_every_problem_is_told_with_its_place(call: Caller) -> None:
    definition = {"StartAt": "Nowhere", "States": {"A": {"Type": "Pass", "Next": "B"}}}
    answer = await call("ValidateStateMachineDefinition", definition=json.dumps(definition))

    assert answer["result"] == "FAIL"
    assert {diagnostic["severity"] for diagnostic in answer["diagnostics"]} == {"ERROR"}
    assert {diagnostic["location"] for diagnostic in answer["diagnostics"]} >= {"/StartAt", "/States/A/Next"}


@story
async def test_what_is_too_much_is_cut_off_and_said(call: Caller) -> None:
    definition = {"StartAt": "Nowhere", "States": {"A": {"Type": "Pass", "Next": "B"}}}
    answer = await call("ValidateStateMachineDefinition", definition=json.dumps(definition), maxResults=1)

    assert (len(answer["diagnostics"]), answer["truncated"]) == (1, True)


@story
async def test_warnings_are_told_to_those_who_ask(call: Caller) -> None:
    definition = json.dumps(asking("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl": "q"}))
    silent = await call("ValidateStateMachineDefinition", definition=definition)
    told = await call("ValidateStateMachineDefinition", definition=definition, severity="WARNING")

    assert silent["diagnostics"] == []
    assert told["result"] == "OK"
    assert {diagnostic["severity"] for diagnostic in told["diagnostics"]} == {"WARNING"}


@story
async def test_the_rules_of_express_workflows_are_those_of_their_type(call: Caller) -> None:
    definition = json.dumps(asking("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl": "q"}))
    standard = await call("ValidateStateMachineDefinition", definition=definition)
    express = await call("ValidateStateMachineDefinition", definition=definition, type="EXPRESS")

    assert (standard["result"], express["result"]) == ("OK", "FAIL")


@story
async def test_a_text_that_is_no_json_is_an_answer_and_no_error(call: Caller) -> None:
    answer = await call("ValidateStateMachineDefinition", definition='{"a": nil}')
    place = '[Source: (String)"{"a": nil}"; line: 1, column: 10]'
    (diagnostic,) = answer["diagnostics"]

    assert (answer["result"], diagnostic["code"]) == ("FAIL", "INVALID_JSON_DESCRIPTION")
    assert diagnostic["location"] == place
    assert diagnostic["message"].startswith("Unrecognized token 'nil': was expecting (JSON String, ")
    assert diagnostic["message"].endswith(f"\n at {place}")


@story
async def test_a_number_that_json_does_not_have_is_all_that_aws_tells(call: Caller) -> None:
    answer = await call("ValidateStateMachineDefinition", definition='{"Seconds": NaN, "Beyond": -Infinity}')
    (diagnostic,) = answer["diagnostics"]

    assert diagnostic["location"].endswith("line: 1, column: 16]")
    assert diagnostic["message"].startswith("Non-standard token 'NaN'")


@story
async def test_a_single_state_can_be_tried(call: Caller) -> None:
    state = json.dumps({"Type": "Pass", "Result": 7, "End": True})
    answer = await call("TestState", definition=state, roleArn="arn:aws:iam::123456789012:role/r")
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "7")
