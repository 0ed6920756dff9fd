"""A policy allows what definitions name, and says for whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.deploy.permissions import Statement, job_event_permissions, policy_document, task_permissions
from asl_engine.json_value import JsonObject
from tests.architecture.source_tree import ROOT

HERE = "${AWS::Region}:${AWS::AccountId}"


def task(resource: str, arguments: dict[str, Any] | None = None, **fields: Any) -> JsonObject:
    return {"Type": "Task", "Resource": resource, "Parameters": arguments or {}, "End": True, **fields}


def machine(*states: JsonObject) -> JsonObject:
    return {"StartAt": "S0", "States": {f"S{number}": state for number, state in enumerate(states)}}


def statements(*states: JsonObject) -> dict[str, Statement]:
    return {each.sid: each for each in task_permissions({"orders": machine(*states)})}


def resources(*states: JsonObject) -> set[str]:
    return {resource for each in statements(*states).values() for resource in each.resources}


def test_functions_are_named_one_by_one_with_the_states_that_call_them() -> None:
    charge, ship = (f"arn:aws:lambda:eu-central-1:123456789012:function:{name}" for name in ("charge", "ship:live"))

    (statement,) = task_permissions({"orders": machine(task(charge), task(ship)), "refunds": machine(task(charge))})

    assert statement.document() == {
        "Sid": "LambdaInvokeFunction",
        "Effect": "Allow",
        "Action": ["lambda:InvokeFunction"],
        "Resource": [charge, ship],
    }
    assert statement.reason == "used by orders/S0, orders/S1, refunds/S0"


@pytest.mark.parametrize(
    ("arguments", "resource"),
    [
        ({"FunctionName": "charge"}, f"arn:${{AWS::Partition}}:lambda:{HERE}:function:charge"),
        ({"FunctionName": "charge", "Qualifier": "7"}, f"arn:${{AWS::Partition}}:lambda:{HERE}:function:charge:7"),
        ({"FunctionName": "charge", "Qualifier.$": "$.q"}, f"arn:${{AWS::Partition}}:lambda:{HERE}:function:charge:*"),
        ({"FunctionName.$": "$.name"}, f"arn:${{AWS::Partition}}:lambda:{HERE}:function:*"),
        ({"FunctionName": "{% $name %}"}, f"arn:${{AWS::Partition}}:lambda:{HERE}:function:*"),
        ({"FunctionName": "${Charge}"}, "${Charge}"),
    ],
)
def test_an_invoked_function_is_named_as_exactly_as_the_definition_does(
    arguments: dict[str, Any], resource: str
) -> None:
    assert resources(task("arn:aws:states:::lambda:invoke", arguments)) == {resource}


@pytest.mark.parametrize(
    ("resource", "arguments", "action", "expected"),
    [
        ("sns:publish", {"TopicArn": "arn:aws:sns:eu-west-1:1:t"}, "sns:Publish", "arn:aws:sns:eu-west-1:1:t"),
        ("sns:publish", {"PhoneNumber.$": "$.phone"}, "sns:Publish", "*"),
        (
            "sqs:sendMessage",
            {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo"},
            "sqs:SendMessage",
            "arn:${AWS::Partition}:sqs:eu-west-1:123456789012:jobs.fifo",
        ),
        ("sqs:sendMessage", {"QueueUrl.$": "$.url"}, "sqs:SendMessage", f"arn:${{AWS::Partition}}:sqs:{HERE}:*"),
        (
            "dynamodb:putItem",
            {"TableName": "orders"},
            "dynamodb:PutItem",
            f"arn:${{AWS::Partition}}:dynamodb:{HERE}:table/orders",
        ),
        (
            "events:putEvents",
            {"Entries": [{"EventBusName": "own"}]},
            "events:PutEvents",
            f"arn:${{AWS::Partition}}:events:{HERE}:event-bus/own",
        ),
        (
            "events:putEvents",
            {"Entries": [{"Source": "orders"}]},
            "events:PutEvents",
            f"arn:${{AWS::Partition}}:events:{HERE}:event-bus/default",
        ),
        (
            "aws-sdk:s3:getObject",
            {"Bucket": "data", "Key": "a.json"},
            "s3:GetObject",
            "arn:${AWS::Partition}:s3:::data/a.json",
        ),
        ("aws-sdk:s3:listObjectsV2", {"Bucket": "data"}, "s3:ListBucket", "arn:${AWS::Partition}:s3:::data"),
        (
            "aws-sdk:sfn:describeExecution",
            {"ExecutionArn": "arn:aws:states:eu-west-1:1:execution:m:e"},
            "states:DescribeExecution",
            "arn:aws:states:eu-west-1:1:execution:m:e",
        ),
        ("aws-sdk:rekognition:detectLabels", {"Image": {}}, "rekognition:DetectLabels", "*"),
        (
            "apigateway:invoke",
            {"ApiEndpoint": "abc.execute-api.eu-west-1.amazonaws.com", "Method": "GET", "Path": "/orders"},
            "execute-api:Invoke",
            f"arn:${{AWS::Partition}}:execute-api:{HERE}:abc/*/GET/orders",
        ),
        (
            "http:invoke",
            {"Authentication": {"ConnectionArn": "arn:aws:events:eu-west-1:1:connection/shop/1"}},
            "events:RetrieveConnectionCredentials",
            "arn:aws:events:eu-west-1:1:connection/shop/1",
        ),
        (
            "sagemaker:createEndpointConfig",
            {"EndpointConfigName": "Churn-7"},
            "sagemaker:CreateEndpointConfig",
            f"arn:${{AWS::Partition}}:sagemaker:{HERE}:endpoint-config/churn-7",
        ),
    ],
)
def test_a_service_call_takes_its_action_on_what_it_names(
    resource: str, arguments: dict[str, Any], action: str, expected: str
) -> None:
    (statement,) = statements(task(f"arn:aws:states:::{resource}", arguments)).values()

    assert action in statement.actions
    assert statement.resources == (expected,)


def test_a_batch_job_is_submitted_watched_and_stopped() -> None:
    arguments = {"JobName": "train", "JobQueue": "gpu", "JobDefinition": "train"}

    found = statements(task("arn:aws:states:::batch:submitJob.sync", arguments))

    batch = f"arn:${{AWS::Partition}}:batch:{HERE}"
    assert {sid: each.resources for sid, each in found.items()} == {
        "BatchSubmitJob": (
            f"{batch}:job-definition/train",
            f"{batch}:job-definition/train:*",
            f"{batch}:job-queue/gpu",
        ),
        "BatchTagResource2": (f"{batch}:job/*",),
        "BatchDescribeJobs": ("*",),
        "BatchListJobs": ("*",),
    }
    assert "IAM knows no resources" in found["BatchListJobs"].reason


def test_a_training_job_passes_its_role_to_sagemaker_alone() -> None:
    role = "arn:aws:iam::123456789012:role/training"
    arguments = {"TrainingJobName.$": "$.name", "RoleArn": role}

    found = statements(task("arn:aws:states:::sagemaker:createTrainingJob.sync", arguments))

    passing = found["IamPassRoleSagemaker"].document()
    assert (passing["Resource"], passing["Condition"]) == (
        [role],
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )
    assert found["SagemakerCreateTrainingJob4"].resources == (
        f"arn:${{AWS::Partition}}:sagemaker:{HERE}:training-job/*",
    )


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("createModel", {"CreateModel", "DescribeModel", "AddTags", "ListTags"}),
        ("createEndpointConfig", {"CreateEndpointConfig", "DescribeEndpointConfig", "AddTags", "ListTags"}),
        ("createEndpoint", {"CreateEndpoint", "DescribeEndpoint", "AddTags", "ListTags"}),
        ("updateEndpoint", {"UpdateEndpoint", "DescribeEndpoint"}),
        ("addTags", {"AddTags"}),
    ],
)
def test_what_an_attempt_made_before_can_be_adopted(action: str, expected: set[str]) -> None:
    found = statements(task(f"arn:aws:states:::sagemaker:{action}"))

    actions = {each for statement in found.values() for each in statement.actions} - {"iam:PassRole"}
    assert actions == {f"sagemaker:{name}" for name in expected}


def test_what_hears_of_the_end_of_jobs_may_only_describe_them() -> None:
    needed = task_permissions(
        {
            "m": machine(
                task("arn:aws:states:::batch:submitJob.sync"),
                task("arn:aws:states:::sagemaker:createTrainingJob.sync"),
                task("arn:aws:states:::sagemaker:createEndpoint"),
                task("arn:aws:states:::athena:startQueryExecution.sync"),
                task("arn:aws:states:::lambda:invoke"),
            )
        }
    )

    assert [each.actions for each in job_event_permissions(needed)] == [
        ("athena:GetQueryExecution",),
        ("batch:DescribeJobs",),
        ("sagemaker:DescribeTrainingJob",),
    ]


def test_tasks_in_branches_and_iterations_count_and_so_does_what_a_map_reads_and_writes() -> None:
    inner: JsonObject = {
        "StartAt": "Inner",
        "States": {"Inner": task("arn:aws:states:::sns:publish", {"TopicArn": "arn:a"})},
    }
    reader: JsonObject = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "in", "Key": "items.csv"},
    }
    writer: JsonObject = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "out", "Prefix": "results"},
    }
    each: JsonObject = {"Type": "Map", "ItemReader": reader, "ResultWriter": writer, "ItemProcessor": inner}
    both: JsonObject = {"Type": "Parallel", "Branches": [inner, machine(each)]}

    found = statements(both)

    assert found["SnsPublish"].reason == "used by orders/Inner"
    assert found["S3GetObject"].resources == ("arn:${AWS::Partition}:s3:::in/items.csv",)
    assert found["S3PutObject"].resources == ("arn:${AWS::Partition}:s3:::out/*",)


def test_another_role_is_assumed_by_name_and_makes_the_call_itself() -> None:
    role = "arn:aws:iam::210987654321:role/theirs"

    found = statements(task("arn:aws:states:::sns:publish", {}, Credentials={"RoleArn": role}))

    assert {sid: each.resources for sid, each in found.items()} == {"StsAssumeRole": (role,)}


def test_what_the_engine_does_itself_takes_no_permission() -> None:
    activity = "arn:aws:states:eu-central-1:123456789012:activity:weigh"

    assert statements(task("arn:aws:states:::states:startExecution.sync:2"), task(activity), {"Type": "Pass"}) == {}


def test_the_policy_never_allows_all_actions_and_every_sid_is_its_own() -> None:
    names = ("batch:submitJob", "glue:startJobRun", "ecs:runTask", "athena:startQueryExecution", "bedrock:invokeModel")
    calls = [task(f"arn:aws:states:::{name}") for name in names]
    jobs = ("TrainingJob", "TransformJob", "ProcessingJob", "HyperParameterTuningJob", "Model", "Endpoint")
    calls += [task(f"arn:aws:states:::sagemaker:create{job}") for job in jobs]

    document = policy_document(task_permissions({"all": machine(*calls)}))

    found: Any = document["Statement"]
    assert "*" not in json.dumps([each["Action"] for each in found])
    assert len({each["Sid"] for each in found}) == len(found)
    assert all(each["Sid"].isalnum() for each in found)


def test_what_the_shipped_definitions_call_is_in_the_deployments_own_account() -> None:
    """A function that is named needs no account, so the same file runs here, on the engine and on AWS."""
    files = sorted((ROOT / "state_machines").rglob("*.asl.json"))
    definitions = {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}

    called = {arn for statement in task_permissions(definitions) for arn in statement.resources}

    prefix = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
    assert all(arn.startswith(prefix) for arn in called)
    assert f"{prefix}asl-engine-notifier" in called
