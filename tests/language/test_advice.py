from typing import Any

import pytest

from tests.language.definitions import END, SHIP, diagnostics, errors, machine_of, warnings

CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
TASK = {"Type": "Task", "Resource": SHIP, "TimeoutSeconds": 60}
TOKEN = {"MessageBody": {"token.$": "$$.Task.Token"}}


def advice_on(state: dict[str, Any], **top: Any) -> list[str]:
    return [warning.removeprefix("/States/A") for warning in warnings(machine_of(state, END, **top))]


def test_a_plain_machine_needs_no_advice() -> None:
    assert advice_on(TASK) == []


def test_a_callback_that_may_never_come_needs_a_timeout() -> None:
    task = {"Type": "Task", "Resource": CALLBACK, "Parameters": TOKEN}

    assert advice_on(task) == [": CALLBACK_WITHOUT_TIMEOUT"]
    assert advice_on({**task, "TimeoutSeconds": 60}) == []
    assert advice_on({**task, "HeartbeatSecondsPath": "$.beat"}) == []


def test_a_callback_must_hand_its_token_out() -> None:
    task = {"Type": "Task", "Resource": CALLBACK, "Parameters": {"MessageBody": "hello"}, "TimeoutSeconds": 9}

    assert advice_on(task) == ["/Parameters: CALLBACK_WITHOUT_TOKEN"]


@pytest.mark.parametrize(
    "resource",
    [
        SHIP,
        "arn:aws:states:::lambda:invoke",
        "arn:aws:states:::http:invoke",
        "arn:aws:states:::aws-sdk:s3:getObject",
        "arn:aws:states:::batch:submitJob.sync",
        "arn:aws:states:eu-west-1:111122223333:activity:pack",
    ],
)
def test_every_task_needs_a_bound(resource: str) -> None:
    task = {"Type": "Task", "Resource": resource}

    assert advice_on(task) == [": TASK_WITHOUT_TIMEOUT"]
    for bound in ({"TimeoutSeconds": 60}, {"TimeoutSecondsPath": "$.limit"}, {"HeartbeatSeconds": 5}):
        assert advice_on(task | bound) == []


def test_a_task_without_a_timeout_is_told_what_ends_it() -> None:
    (found,) = diagnostics(machine_of({"Type": "Task", "Resource": SHIP}, END))

    assert "for ever" in found.message
    assert "default_task_timeout_seconds, a day unless it is set" in found.message


INVOKE = {**TASK, "Resource": "arn:aws:states:::lambda:invoke"}


@pytest.mark.parametrize(
    ("state", "location"),
    [
        ({**TASK, "Resource": "arn:aws:lambda:eu-west-1:12:function:ship"}, "/Resource"),
        ({**TASK, "Resource": "arn:aws:lambda:::function:ship"}, "/Resource"),
        ({**TASK, "Resource": "arn:aws:states:eu-west-1:12:activity:pack"}, "/Resource"),
        ({**INVOKE, "Parameters": {"FunctionName": "arn:aws:lambda:eu-west-1:12:function:ship"}}, "/FunctionName"),
        ({**INVOKE, "Parameters": {"FunctionName": "arn:aws:lambda:eu-west-1:111122223333:ship"}}, "/FunctionName"),
        ({**TASK, "Credentials": {"RoleArn": "deployer"}}, "/Credentials/RoleArn"),
        ({**TASK, "Credentials": {"RoleArn": "arn:aws:iam::12:role/deployer"}}, "/Credentials/RoleArn"),
        ({**TASK, "Credentials": {"RoleArn": "arn:aws:iam::111122223333:user/ada"}}, "/Credentials/RoleArn"),
        ({**TASK, "Credentials": {"RoleArn": 7}}, "/Credentials/RoleArn"),
    ],
)
def test_an_arn_that_nothing_can_have_is_pointed_out(state: dict[str, Any], location: str) -> None:
    (found,) = advice_on(state)

    assert found.endswith(f"{location}: MALFORMED_ARN")


def test_a_resource_that_is_refused_is_not_advised_too() -> None:
    assert advice_on({**TASK, "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:a b"}) == []


def test_an_arn_that_something_may_have_is_right() -> None:
    for name in (f"{SHIP}:$LATEST", f"{SHIP}:live", "ship", "111122223333:function:ship", "arn:${Partition}:${Ship}"):
        assert [one for one in advice_on({**INVOKE, "Parameters": {"FunctionName": name}}) if "ARN" in one] == []
    for role in ("arn:aws-us-gov:iam::111122223333:role/path/to/deployer+1", "{% $states.input.role %}"):
        state = {**TASK, "QueryLanguage": "JSONata", "Credentials": {"RoleArn": role}}
        assert advice_on(state) == []
    assert advice_on({**TASK, "Credentials": {"RoleArn.$": "$.role"}}) == []


def test_a_map_needs_a_bound() -> None:
    processor = {"StartAt": "In", "States": {"In": END}}

    assert advice_on({"Type": "Map", "ItemProcessor": processor}) == [": UNBOUNDED_MAP"]
    assert advice_on({"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 0}) == [": UNBOUNDED_MAP"]
    assert advice_on({"Type": "Map", "Iterator": processor, "MaxConcurrencyPath": "$.n"}) == []


def test_the_fields_of_a_distributed_map_do_nothing_in_an_inline_one() -> None:
    processor = {"StartAt": "In", "States": {"In": END}}
    reader = {"Resource": "arn:aws:states:::s3:getObject"}
    state = {"Type": "Map", "ItemProcessor": processor, "ItemReader": reader, "MaxConcurrency": 2}

    assert advice_on(state) == ["/ItemReader: FIELD_HAS_NO_EFFECT"]
    distributed = {**processor, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    assert advice_on({**state, "ItemProcessor": distributed}) == []


def test_a_choice_needs_a_default() -> None:
    assert advice_on({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}]}) == [
        ": CHOICE_WITHOUT_DEFAULT"
    ]


def test_permanent_errors_are_not_worth_a_retry() -> None:
    everything = {"ErrorEquals": ["States.ALL"]}
    permanent = {"ErrorEquals": ["States.Permissions", "Invalid"], "MaxAttempts": 0}

    assert advice_on({**TASK, "Retry": [everything]}) == ["/Retry/0: BLIND_RETRY"]
    assert advice_on({**TASK, "Retry": [permanent, everything]}) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("States.TaskFail", 'did you mean "States.TaskFailed"?'),
        ("States.Timeouts", 'did you mean "States.Timeout"?'),
        (" States.ALL", 'did you mean "States.ALL"?'),
        ("states.all", 'did you mean "States.ALL"?'),
        ("States.Runtime", "mend those"),
    ],
)
def test_an_error_that_never_matches_is_pointed_out(name: str, hint: str) -> None:
    (found,) = diagnostics(machine_of({**TASK, "Catch": [{"ErrorEquals": [name], "Next": "B"}]}, END))

    assert found.location == "/States/A/Catch/0/ErrorEquals/0"
    assert hint in found.hint


def test_an_error_of_the_authors_own_may_have_any_name() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Fail", "Error": "States.Quorum"}}}
    catch = [{"ErrorEquals": ["States.Quorum"], "Next": "B"}, {"ErrorEquals": ["StatesOfMind"], "Next": "B"}]

    assert advice_on({"Type": "Parallel", "Branches": [inner], "Catch": catch}) == []


def never_matching(*rules: list[str], **fields: Any) -> list[str]:
    """Where names stand that can never match, in the Catch and in the Retry of a Task."""
    retry = [{"ErrorEquals": names, "MaxAttempts": 0} for names in rules]
    catch = [{"ErrorEquals": names, "Next": "B"} for names in rules]
    task = {**TASK, **fields}
    caught, retried = (advice_on({**task, field: found}) for field, found in (("Catch", catch), ("Retry", retry)))
    assert retried == [one.replace("/Catch", "/Retry") for one in caught]
    return [one.removesuffix(": ERROR_NEVER_MATCHES").removeprefix("/Catch/") for one in caught]


def test_a_name_that_an_earlier_rule_takes_never_matches() -> None:
    assert never_matching(["A", "B"], ["C", "A"]) == ["1/ErrorEquals/1"]
    assert never_matching(["States.TaskFailed"], ["A"], ["States.Timeout"], ["States.ALL"]) == ["1/ErrorEquals/0"]
    assert never_matching(["States.Timeout"], ["States.HeartbeatTimeout"], HeartbeatSeconds=5) == ["1/ErrorEquals/0"]
    assert never_matching(["States.HeartbeatTimeout"], ["States.Timeout"], HeartbeatSeconds=5) == []
    assert never_matching(["A"], ["States.TaskFailed"], ["States.ALL"]) == []


def test_a_task_without_heartbeats_misses_none_and_chooses_nothing() -> None:
    assert never_matching(["States.HeartbeatTimeout"]) == ["0/ErrorEquals/0"]
    assert never_matching(["States.NoChoiceMatched"]) == ["0/ErrorEquals/0"]
    assert never_matching(["States.HeartbeatTimeout"], HeartbeatSecondsPath="$.beat") == []


def test_a_parallel_has_the_errors_of_its_branches() -> None:
    names = ["States.HeartbeatTimeout", "States.NoChoiceMatched"]
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "B"}, {"ErrorEquals": [*names, "A"], "Next": "B"}]

    assert advice_on({"Type": "Parallel", "Branches": [{"StartAt": "In", "States": {"In": END}}], "Catch": catch}) == []


def test_a_placeholder_left_in_is_pointed_out_wherever_it_is() -> None:
    task = {**TASK, "Resource": "${ShipArn}", "Parameters": {"bucket": ["in-${Stage}"]}}

    assert advice_on(task) == ["/Resource: UNRESOLVED_PLACEHOLDER", "/Parameters/bucket/0: UNRESOLVED_PLACEHOLDER"]
    assert errors(machine_of(task)) == []


def test_a_placeholder_where_a_number_belongs_says_how_to_fill_it_in() -> None:
    found = diagnostics(machine_of({"Type": "Wait", "Seconds": "${Delay}"}))

    assert found[0].message == 'expected an integer but found "${Delay}"'
    assert "without its quotes" in found[0].hint


@pytest.mark.parametrize("text", ["$.order.id", "$$.Execution.Id", "States.UUID()"])
def test_a_path_without_its_dollar_is_plain_text(text: str) -> None:
    state = {"Type": "Pass", "Parameters": {"order": {"id": text}}}

    assert advice_on(state) == ["/Parameters/order/id: NO_DOLLAR"]
    assert advice_on({"Type": "Wait", "Seconds": 1, "Assign": {"id": text}}) == ["/Assign/id: NO_DOLLAR"]


def test_a_price_in_dollars_is_no_path() -> None:
    assert advice_on({"Type": "Pass", "Parameters": {"price": "$5.00", "note": "States differ"}}) == []


def test_a_result_is_never_evaluated() -> None:
    assert advice_on({"Type": "Pass", "Result": {"id.$": "$.order.id"}}) == ["/Result: PASS_RESULT_IS_STATIC"]
    assert advice_on({"Type": "Pass", "Result": {"id": "plain"}}) == []


def test_jsonata_in_a_jsonpath_state_is_pointed_out() -> None:
    state = {"Type": "Pass", "Parameters": {"n": "{% $now() %}"}}

    assert advice_on(state) == ["/Parameters/n: WRONG_QUERY_LANGUAGE"]
    assert advice_on({"Type": "Pass", "Output": {"n": "{% $now() %}"}}, QueryLanguage="JSONata") == []


@pytest.mark.parametrize("member", [{"n.$": "$.n"}, {"n": "$.n"}, {"n": "$$.Execution.Id"}, {"n": "States.UUID()"}])
def test_jsonpath_in_a_jsonata_state_is_pointed_out(member: dict[str, str]) -> None:
    (name,) = member

    assert advice_on({"Type": "Pass", "Output": {"a": [member]}}, QueryLanguage="JSONata") == [
        f"/Output/a/0/{name}: WRONG_QUERY_LANGUAGE"
    ]


def test_states_inside_of_states_are_advised_too() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Task", "Resource": CALLBACK, "End": True}}}

    assert advice_on({"Type": "Parallel", "Branches": [inner]}) == [
        "/Branches/0/States/In: CALLBACK_WITHOUT_TIMEOUT",
    ]


def test_a_definition_with_errors_is_advised_too() -> None:
    definition = machine_of({"Type": "Task", "Resource": CALLBACK, "Nxt": 1})

    assert warnings(definition) == ["/States/A: CALLBACK_WITHOUT_TIMEOUT"]
    assert len(errors(definition)) == 1
