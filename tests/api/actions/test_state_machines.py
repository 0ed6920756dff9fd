from __future__ import annotations

import asyncio
import json

import pytest

from asl_engine.errors import (
    InvalidArn,
    InvalidEncryptionConfiguration,
    InvalidLoggingConfiguration,
    InvalidName,
    InvalidStateMachineDefinition,
    MissingRequiredParameter,
    StateMachineAlreadyExists,
    StateMachineDeleting,
    StateMachineDoesNotExist,
    ValidationException,
)
from tests.api.services import MACHINE, NOON, ROLE, Caller, asking, passing, story

OTHER_ROLE = "arn:aws:iam::123456789012:role/other"


@story
async def test_what_was_created_is_described_with_all_that_aws_adds(call: Caller) -> None:
    text = json.dumps(passing(Comment="As it was  written"), indent=3)
    answer = await call("CreateStateMachine", name="orders", definition=text, roleArn=ROLE)

    assert answer == {"stateMachineArn": MACHINE, "creationDate": NOON / 1000}
    assert await call("DescribeStateMachine", stateMachineArn=MACHINE) == {
        "stateMachineArn": MACHINE,
        "name": "orders",
        "status": "ACTIVE",
        "type": "STANDARD",
        "creationDate": NOON / 1000,
        "definition": text,
        "roleArn": ROLE,
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }


@story
async def test_metadata_comes_without_the_definition(call: Caller) -> None:
    await call.create()
    shown = await call("DescribeStateMachine", stateMachineArn=MACHINE, includedData="METADATA_ONLY")
    assert shown["definition"] == "{}"


@story
async def test_creating_the_same_again_gives_what_is_there(call: Caller) -> None:
    first = await call("CreateStateMachine", name="orders", definition=json.dumps(passing()), roleArn=ROLE)
    again = await call("CreateStateMachine", name="orders", definition=json.dumps(passing()), roleArn=OTHER_ROLE)

    assert again == first
    assert (await call("DescribeStateMachine", stateMachineArn=MACHINE))["roleArn"] == ROLE


@pytest.mark.parametrize(
    "other",
    [
        {"definition": json.dumps(passing(Comment="other"))},
        {"definition": json.dumps(passing(), indent=1)},
        {"type": "EXPRESS"},
        {"tracingConfiguration": {"enabled": True}},
        {"publish": True},
        {"publish": True, "versionDescription": "first"},
        {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/key"}},
    ],
)
def test_the_name_of_another_machine_is_taken(other: dict[str, object]) -> None:
    @story
    async def tell(call: Caller) -> None:
        await call.create()
        with pytest.raises(StateMachineAlreadyExists, match=f"^State Machine Already Exists: '{MACHINE}'$"):
            await call.create(**{"definition": json.dumps(passing()), **other})  # type: ignore[arg-type]

    tell()


@story
async def test_a_definition_that_cannot_run_is_refused_with_place_and_reason(call: Caller) -> None:
    with pytest.raises(InvalidStateMachineDefinition) as refused:
        await call.create({"StartAt": "Pass"})

    assert refused.value.code == "InvalidDefinition"
    assert str(refused.value).startswith("Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: ")
    assert str(refused.value).endswith(" at /'")
    assert (await call("ListStateMachines"))["stateMachines"] == []


@story
async def test_an_express_workflow_has_no_callbacks(call: Caller) -> None:
    callback = asking("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl": "q", "M": 1})
    with pytest.raises(InvalidStateMachineDefinition, match="Express state machine does not support"):
        await call.create(callback, type="EXPRESS")


@pytest.mark.parametrize("name", ["a b", "a/b", "a*b", "a\x1fb", "a\ud800b", "a:b"])
def test_a_name_with_forbidden_characters_is_refused(name: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        with pytest.raises(InvalidName) as refused:
            await call.create(name=name)
        assert str(refused.value) == f"Invalid Name: '{name}'"

    tell()


@pytest.mark.parametrize(
    "configuration",
    [
        {"level": "ALL"},
        {"level": "ERROR", "destinations": []},
        {"destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:a:1:log-group:x:*"}}] * 2},
    ],
)
def test_a_log_needs_exactly_one_destination(configuration: dict[str, object]) -> None:
    @story
    async def tell(call: Caller) -> None:
        with pytest.raises(InvalidLoggingConfiguration, match="Must specify exactly one Log Destination"):
            await call.create(loggingConfiguration=configuration)

    tell()


@story
async def test_a_destination_that_is_no_log_group_is_not_found(call: Caller) -> None:
    group = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:orders"}}
    with pytest.raises(InvalidLoggingConfiguration, match="Log Destination not found"):
        await call.create(loggingConfiguration={"level": "ALL", "destinations": [group]})


@story
async def test_an_update_changes_what_it_names_and_makes_a_revision(call: Caller) -> None:
    await call.create()
    updated = await call("UpdateStateMachine", stateMachineArn=MACHINE, roleArn=OTHER_ROLE)
    shown = await call("DescribeStateMachine", stateMachineArn=MACHINE)

    assert (shown["roleArn"], shown["definition"]) == (OTHER_ROLE, json.dumps(passing()))
    assert shown["revisionId"] == updated["revisionId"]

    again = await call("UpdateStateMachine", stateMachineArn=MACHINE, tracingConfiguration={"enabled": True})

    assert again["revisionId"] != updated["revisionId"]
    assert (await call("DescribeStateMachine", stateMachineArn=MACHINE))["tracingConfiguration"] == {"enabled": True}


@story
async def test_an_update_of_nothing_is_refused(call: Caller) -> None:
    await call.create()
    with pytest.raises(MissingRequiredParameter, match=r"^Either the definition, the role ARN"):
        await call("UpdateStateMachine", stateMachineArn=MACHINE)


@story
async def test_an_update_to_a_wrong_definition_leaves_the_machine_as_it_was(call: Caller) -> None:
    await call.create()
    before = await call("DescribeStateMachine", stateMachineArn=MACHINE)
    with pytest.raises(InvalidStateMachineDefinition):
        await call("UpdateStateMachine", stateMachineArn=MACHINE, definition="{}", roleArn=OTHER_ROLE)

    assert await call("DescribeStateMachine", stateMachineArn=MACHINE) == before


@story
async def test_a_version_description_needs_publish(call: Caller) -> None:
    with pytest.raises(ValidationException, match=r"^Version description can only be set when publish is true$"):
        await call.create(versionDescription="first")


@pytest.mark.parametrize("operation", ["DescribeStateMachine", "UpdateStateMachine", "StartExecution"])
def test_what_does_not_exist_is_told_with_its_arn(operation: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        given = {"roleArn": ROLE} if operation == "UpdateStateMachine" else {}
        with pytest.raises(StateMachineDoesNotExist, match=f"^State Machine Does Not Exist: '{MACHINE}'$"):
            await call(operation, stateMachineArn=MACHINE, **given)

    tell()


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("orders", "Invalid Arn: 'Invalid ARN prefix: orders'"),
        ("arn:aws:states:eu-west-1:1:activity:a", "Invalid Arn: 'Resource type not valid in this context: activity'"),
        ("arn:aws:states:eu-west-1:1", "Invalid Arn: 'Invalid ARN: arn:aws:states:eu-west-1:1'"),
        ("arn:aws:lambda:eu-west-1:1:function:f", "Invalid Arn: 'Service name not valid in this context: lambda'"),
    ],
)
def test_what_is_no_arn_of_a_state_machine_is_refused(arn: str, message: str) -> None:
    @story
    async def tell(call: Caller) -> None:
        with pytest.raises(InvalidArn) as refused:
            await call("DescribeStateMachine", stateMachineArn=arn)
        assert str(refused.value) == message

    tell()


@story
async def test_a_machine_that_was_deleted_is_gone_with_its_versions_and_aliases(call: Caller) -> None:
    await call.create(publish=True)
    route = {"stateMachineVersionArn": f"{MACHINE}:1", "weight": 100}
    await call("CreateStateMachineAlias", name="live", routingConfiguration=[route])

    assert await call("DeleteStateMachine", stateMachineArn=MACHINE) == {}

    for arn in (MACHINE, f"{MACHINE}:1", f"{MACHINE}:live"):
        with pytest.raises(StateMachineDoesNotExist):
            await call("StartExecution", stateMachineArn=arn)
    assert await call("DeleteStateMachine", stateMachineArn=MACHINE) == {}
    await call.create()
    assert (await call("ListStateMachineVersions", stateMachineArn=MACHINE))["stateMachineVersions"] == []


@story
async def test_a_machine_that_runs_is_being_deleted_until_its_last_execution_has_ended(call: Caller) -> None:
    activity = (await call("CreateActivity", name="review"))["activityArn"]
    await call.create(asking(activity), publish=True)
    route = [{"stateMachineVersionArn": f"{MACHINE}:1", "weight": 100}]
    await call("CreateStateMachineAlias", name="live", routingConfiguration=route)
    arn = (await call("StartExecution", stateMachineArn=MACHINE))["executionArn"]

    await call("DeleteStateMachine", stateMachineArn=MACHINE)

    assert (await call("DescribeStateMachine", stateMachineArn=MACHINE))["status"] == "DELETING"
    for refused in (
        call("StartExecution", stateMachineArn=MACHINE),
        call("UpdateStateMachine", stateMachineArn=MACHINE, roleArn=ROLE),
        call.create(asking(activity)),
        call("PublishStateMachineVersion", stateMachineArn=MACHINE),
        call("ListStateMachineAliases", stateMachineArn=MACHINE),
        call("CreateStateMachineAlias", name="new", routingConfiguration=route),
        call("UpdateStateMachineAlias", stateMachineAliasArn=f"{MACHINE}:live", routingConfiguration=route),
    ):
        with pytest.raises(StateMachineDeleting):
            await refused
    assert len((await call("ListStateMachines"))["stateMachines"]) == 1
    await call("StopExecution", executionArn=arn)
    assert (await call("ListStateMachines"))["stateMachines"] == []
    with pytest.raises(StateMachineDoesNotExist):
        await call("DescribeStateMachine", stateMachineArn=MACHINE)
    assert (await call("DescribeStateMachineForExecution", executionArn=arn))["name"] == "orders"


@story
async def test_machines_are_listed_page_by_page(call: Caller) -> None:
    for number in range(5):
        await call.create(name=f"machine-{number}")
    names: list[str] = []
    token: dict[str, object] = {}
    for size in (2, 2, 1):
        page = await call("ListStateMachines", maxResults=2, **token)
        assert len(page["stateMachines"]) == size
        names += [item["name"] for item in page["stateMachines"]]
        token = {"nextToken": page.get("nextToken")}

    assert names == [f"machine-{number}" for number in range(5)]
    assert token == {"nextToken": None}


@story
async def test_of_many_who_create_a_machine_at_once_all_get_the_one_machine(call: Caller) -> None:
    arns = await asyncio.gather(*(call.create() for _ in range(10)))
    assert set(arns) == {MACHINE}
    assert len((await call("ListStateMachines"))["stateMachines"]) == 1


@pytest.mark.parametrize(
    "encryption",
    [
        {"type": "CUSTOMER_MANAGED_KMS_KEY"},
        {"type": "AWS_OWNED_KEY", "kmsKeyId": "alias/key"},
        {"type": "AWS_OWNED_KEY", "kmsDataKeyReusePeriodSeconds": 300},
    ],
)
def test_an_encryption_that_contradicts_itself_is_refused(encryption: dict[str, object]) -> None:
    @story
    async def tell(call: Caller) -> None:
        with pytest.raises(InvalidEncryptionConfiguration):
            await call.create(encryptionConfiguration=encryption)

    tell()
