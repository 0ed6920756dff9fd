"""Terraform and CDK make the same engine: every property that matters is compared, in the words of neither."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asl_engine.store.dynamodb.table import continuous_backups, table_definition, time_to_live
from tests.architecture.source_tree import ROOT
from tests.infra.deployments import CHARGE, MODULE, SETTINGS, Planner, Sources, Template, account_endpoint, synthesized

VARIABLE = re.compile(r"\bASL_[A-Z_]+\b")
Facts = Any
Comparison = tuple[Callable[[Planner], Facts], Callable[[Template], Facts]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = account_endpoint()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> tuple[Planner, Template]:
    planner = Planner(Sources.written(tmp_path_factory.mktemp("terraform") / "sources"), endpoint)
    return planner, synthesized(Sources.written(tmp_path_factory.mktemp("cdk") / "sources"))


def functions_planned(planner: Planner) -> Facts:
    return {
        each["function_name"]: {
            "handler": each["handler"],
            "runtime": each["runtime"],
            "architecture": each["architectures"],
            "timeout": each["timeout"],
            "memory": each["memory_size"],
            "description": each["description"],
            "tracing": each["tracing_config"][0]["mode"],
            "log": each["logging_config"][0]["log_format"],
        }
        for each in planner.of_type("aws_lambda_function")
    }


def functions_synthesized(template: Template) -> Facts:
    return {
        each["FunctionName"]: {
            "handler": each["Handler"],
            "runtime": each["Runtime"],
            "architecture": each["Architectures"],
            "timeout": each["Timeout"],
            "memory": each["MemorySize"],
            "description": each["Description"],
            "tracing": each["TracingConfig"]["Mode"] if "TracingConfig" in each else "PassThrough",
            "log": each["LoggingConfig"]["LogFormat"],
        }
        for each in template.of_type("AWS::Lambda::Function")
    }


def variables_planned(_planner: Planner) -> Facts:
    """Their values are known only once it is applied; their names stand in the module."""
    return set(VARIABLE.findall((MODULE / "functions.tf").read_text()))


def variables_synthesized(template: Template) -> Facts:
    functions = template.of_type("AWS::Lambda::Function")
    return {name for each in functions for name in each["Environment"]["Variables"]}


def recursion_planned(planner: Planner) -> Facts:
    configurations = planner.of_type("aws_lambda_function_recursion_config")
    return {each["function_name"]: each["recursive_loop"] for each in configurations}


def recursion_synthesized(template: Template) -> Facts:
    return {each["FunctionName"]: each["RecursiveLoop"] for each in template.of_type("AWS::Lambda::Function")}


def table_planned(planner: Planner) -> Facts:
    (table,) = planner.of_type("aws_dynamodb_table")
    return {
        "name": table["name"],
        "billing": table["billing_mode"],
        "keys": [table["hash_key"], table["range_key"]],
        "attributes": {each["name"]: each["type"] for each in table["attribute"]},
        "indexes": {
            each["name"]: [each["hash_key"], each["range_key"], each["projection_type"]]
            for each in table["global_secondary_index"]
        },
        "expires": [table["ttl"][0]["attribute_name"], table["ttl"][0]["enabled"]],
        "recovery": table["point_in_time_recovery"][0]["enabled"],
        "encryption": table["server_side_encryption"][0]["enabled"],
        "protected": table["deletion_protection_enabled"],
    }


def table_synthesized(template: Template) -> Facts:
    (table,) = template.of_type("AWS::DynamoDB::Table")
    return {
        "name": table["TableName"],
        "billing": table["BillingMode"],
        "keys": keys(table),
        "attributes": {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]},
        "indexes": {
            each["IndexName"]: [*keys(each), each["Projection"]["ProjectionType"]]
            for each in table["GlobalSecondaryIndexes"]
        },
        "expires": [table["TimeToLiveSpecification"]["AttributeName"], table["TimeToLiveSpecification"]["Enabled"]],
        "recovery": table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        "encryption": table["SSESpecification"]["SSEEnabled"],
        "protected": table["DeletionProtectionEnabled"],
    }


def keys(schema: dict[str, Any]) -> list[str]:
    by_type = {each["KeyType"]: each["AttributeName"] for each in schema["KeySchema"]}
    return [by_type["HASH"], by_type["RANGE"]]


def queues_planned(planner: Planner) -> Facts:
    return {
        each["name"]: [
            each["visibility_timeout_seconds"],
            each["message_retention_seconds"],
            each["sqs_managed_sse_enabled"],
            each["max_message_size"],
        ]
        for each in planner.of_type("aws_sqs_queue")
    }


def queues_synthesized(template: Template) -> Facts:
    default_visibility = 30
    return {
        each["QueueName"]: [
            each.get("VisibilityTimeout", default_visibility),
            each["MessageRetentionPeriod"],
            each["SqsManagedSseEnabled"],
            each["MaximumMessageSize"],
        ]
        for each in template.of_type("AWS::SQS::Queue")
    }


def mapping_planned(planner: Planner) -> Facts:
    (mapping,) = planner.of_type("aws_lambda_event_source_mapping")
    return [
        mapping["batch_size"],
        mapping["function_response_types"],
        mapping["scaling_config"][0]["maximum_concurrency"],
    ]


def mapping_synthesized(template: Template) -> Facts:
    (mapping,) = template.of_type("AWS::Lambda::EventSourceMapping")
    return [mapping["BatchSize"], mapping["FunctionResponseTypes"], mapping["ScalingConfig"]["MaximumConcurrency"]]


def rules_planned(planner: Planner) -> Facts:
    targets: dict[str, list[Any]] = defaultdict(list)
    for each in planner.of_type("aws_cloudwatch_event_target"):
        targets[each["rule"]].append([each["target_id"], json.loads(each["input"] or "null")])
    return {
        each["name"]: [json.loads(each["event_pattern"] or "null"), each["schedule_expression"], targets[each["name"]]]
        for each in planner.of_type("aws_cloudwatch_event_rule")
    }


def rules_synthesized(template: Template) -> Facts:
    return {
        each["Name"]: [
            each.get("EventPattern"),
            each.get("ScheduleExpression"),
            [[target["Id"], json.loads(target.get("Input", "null"))] for target in each["Targets"]],
        ]
        for each in template.of_type("AWS::Events::Rule")
    }


def permissions_planned(planner: Planner) -> Facts:
    return Counter((each["function_name"], each["principal"]) for each in planner.of_type("aws_lambda_permission"))


def permissions_synthesized(template: Template) -> Facts:
    names = {name: each["Properties"].get("FunctionName") for name, each in template.resources.items()}
    return Counter(
        (names[each["FunctionName"]["Fn::GetAtt"][0]], each["Principal"])
        for each in template.of_type("AWS::Lambda::Permission")
    )


def routes_planned(planner: Planner) -> Facts:
    names = {each["name"]: each["protocol_type"] for each in planner.of_type("aws_apigatewayv2_api")}
    routes = planner.of_type("aws_apigatewayv2_route")
    return names, sorted([each["route_key"], each["authorization_type"]] for each in routes)


def routes_synthesized(template: Template) -> Facts:
    names = {each["Name"]: each["ProtocolType"] for each in template.of_type("AWS::ApiGatewayV2::Api")}
    routes = template.of_type("AWS::ApiGatewayV2::Route")
    return names, sorted([each["RouteKey"], each["AuthorizationType"]] for each in routes)


def alarms_planned(planner: Planner) -> Facts:
    return {
        each["alarm_name"]: [
            each["alarm_description"],
            each["namespace"],
            each["metric_name"],
            each["statistic"],
            each["dimensions"] or {},
            each["period"],
            each["evaluation_periods"],
            each["comparison_operator"],
            each["threshold"],
            each["treat_missing_data"],
        ]
        for each in planner.of_type("aws_cloudwatch_metric_alarm")
    }


def alarms_synthesized(template: Template) -> Facts:
    return {
        each["AlarmName"]: [
            each["AlarmDescription"],
            each["Namespace"],
            each["MetricName"],
            each["Statistic"],
            {dimension["Name"]: dimension["Value"] for dimension in each["Dimensions"]},
            each["Period"],
            each["EvaluationPeriods"],
            each["ComparisonOperator"],
            each["Threshold"],
            each["TreatMissingData"],
        ]
        for each in template.of_type("AWS::CloudWatch::Alarm")
    }


def logs_planned(planner: Planner) -> Facts:
    return {each["name"]: each["retention_in_days"] for each in planner.of_type("aws_cloudwatch_log_group")}


def logs_synthesized(template: Template) -> Facts:
    return {each["LogGroupName"]: each["RetentionInDays"] for each in template.of_type("AWS::Logs::LogGroup")}


def secrets_planned(planner: Planner) -> Facts:
    return {each["name"]: each["description"] for each in planner.of_type("aws_secretsmanager_secret")}


def secrets_synthesized(template: Template) -> Facts:
    return {each["Name"]: each["Description"] for each in template.of_type("AWS::SecretsManager::Secret")}


def bucket_planned(planner: Planner) -> Facts:
    (access,) = planner.of_type("aws_s3_bucket_public_access_block")
    (encryption,) = planner.of_type("aws_s3_bucket_server_side_encryption_configuration")
    (lifecycle,) = planner.of_type("aws_s3_bucket_lifecycle_configuration")
    return {
        "blocked": [
            access[name]
            for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
        ],
        "encryption": encryption["rule"][0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"],
        "lifecycle": {
            rule["id"]: [upload["days_after_initiation"] for upload in rule["abort_incomplete_multipart_upload"]]
            for rule in lifecycle["rule"]
        },
    }


def bucket_synthesized(template: Template) -> Facts:
    (bucket,) = template.of_type("AWS::S3::Bucket")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    access = bucket["PublicAccessBlockConfiguration"]
    return {
        "blocked": [
            access[name]
            for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        ],
        "encryption": encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
        "lifecycle": {
            rule["Id"]: [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]]
            for rule in bucket["LifecycleConfiguration"]["Rules"]
        },
    }


def roles_planned(planner: Planner) -> Facts:
    return sorted(each["name"] for each in planner.of_type("aws_iam_role"))


def roles_synthesized(template: Template) -> Facts:
    return sorted(each["RoleName"] for each in template.of_type("AWS::IAM::Role"))


def policies_planned(planner: Planner) -> Facts:
    own = [
        (address.partition('["')[2].partition('"]')[0].partition("-"))
        for address in planner.planned
        if address.startswith(('aws_iam_role_policy.own["', 'aws_iam_role_policy.optional["'))
    ]
    return sorted((f"asl-engine-{function.replace('_', '-')}", optional or "own") for function, _, optional in own)


def policies_synthesized(template: Template) -> Facts:
    return sorted(
        (each["RoleName"], policy["PolicyName"])
        for each in template.of_type("AWS::IAM::Role")
        if each["RoleName"] != "asl-engine-scheduler"
        for policy in each["Policies"]
    )


COMPARISONS: dict[str, Comparison] = {
    "alarms": (alarms_planned, alarms_synthesized),
    "bucket": (bucket_planned, bucket_synthesized),
    "functions": (functions_planned, functions_synthesized),
    "logs": (logs_planned, logs_synthesized),
    "mapping": (mapping_planned, mapping_synthesized),
    "permissions": (permissions_planned, permissions_synthesized),
    "policies": (policies_planned, policies_synthesized),
    "queues": (queues_planned, queues_synthesized),
    "recursion": (recursion_planned, recursion_synthesized),
    "roles": (roles_planned, roles_synthesized),
    "routes": (routes_planned, routes_synthesized),
    "rules": (rules_planned, rules_synthesized),
    "secrets": (secrets_planned, secrets_synthesized),
    "table": (table_planned, table_synthesized),
    "variables": (variables_planned, variables_synthesized),
}


@pytest.mark.parametrize("what", COMPARISONS)
def test_both_make_the_same(what: str, deployments: tuple[Planner, Template]) -> None:
    of_terraform, of_cdk = COMPARISONS[what]

    planned = of_terraform(deployments[0])

    assert planned
    assert planned == of_cdk(deployments[1])


def test_with_a_key_of_ones_own_the_scheduler_may_use_it(
    deployments: tuple[Planner, Template], tmp_path: Path, endpoint: str
) -> None:
    """The queue is encrypted with it, so a timer that is sent without it is lost."""
    sources = Sources.written(tmp_path / "sources")
    settings = {**SETTINGS, "kms_key_arn": "arn:aws:kms:eu-central-1:123456789012:key/mine"}

    planned = Planner(sources, endpoint, settings).planned["aws_iam_role_policy.scheduler_encryption[0]"]["policy"]
    roles = {each["RoleName"]: each for each in synthesized(sources, settings).of_type("AWS::IAM::Role")}

    policies = {each["PolicyName"]: each["PolicyDocument"] for each in roles["asl-engine-scheduler"]["Policies"]}
    assert resources_by_sid(json.loads(planned)) == {"UseTheKey": [settings["kms_key_arn"]]}
    assert resources_by_sid(policies["encryption"]) == {"UseTheKey": settings["kms_key_arn"]}


def test_the_documentation_counts_the_alarms_and_their_price(deployments: tuple[Planner, Template]) -> None:
    count = len(deployments[0].of_type("aws_cloudwatch_metric_alarm"))
    documented = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")

    assert f"| {count} alarms, " in documented
    assert f"| alarms | {count} \N{MULTIPLICATION SIGN} $0.10 | {count / 10:.2f} |" in documented


def test_the_documentation_counts_the_runs_of_each_schedule(deployments: tuple[Planner, Template]) -> None:
    """A month of 30 days is 43,200 minutes."""
    documented = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    rates = {
        each["name"].removeprefix("asl-engine-"): int(re.findall(r"\d+", each["schedule_expression"])[0])
        for each in deployments[0].of_type("aws_cloudwatch_event_rule")
        if each["schedule_expression"]
    }
    functions = {"sweep": "sweeper", "deliver": "notifier"}

    assert rates.keys() == functions.keys()
    for rule, minutes in rates.items():
        assert f"| {functions[rule]} | {43_200 // minutes:,} runs \N{MULTIPLICATION SIGN} " in documented


def test_what_is_due_of_approvals_is_sent_every_minute(deployments: tuple[Planner, Template]) -> None:
    due = rules_planned(deployments[0])["asl-engine-deliver"]

    assert due == [None, "rate(1 minute)", [["notifier", {"action": "deliver"}]]]


def test_the_table_is_the_one_that_the_store_expects(deployments: tuple[Planner, Template]) -> None:
    (table,) = deployments[1].of_type("AWS::DynamoDB::Table")
    expected = table_definition("asl-engine") | time_to_live("asl-engine") | continuous_backups("asl-engine")

    assert in_any_order(expected) == in_any_order({name: table[name] for name in expected})


def in_any_order(table: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in table.items()}


def test_cfn_lint_finds_nothing(deployments: tuple[Planner, Template]) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    # W3005: CDK makes a function wait for its role twice over.
    command = [str(lint), "--ignore-checks", "W3005", "--template", str(deployments[1].file)]

    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


def test_the_module_is_valid_and_formatted(deployments: tuple[Planner, Template]) -> None:
    planner, _ = deployments

    assert planner("validate").returncode == 0
    assert planner("fmt", "-check", "-recursive", str(MODULE)).stdout == ""


def test_the_only_other_policies_are_those_of_the_tasks(deployments: tuple[Planner, Template]) -> None:
    planner, template = deployments
    planned = {
        address.partition('["')[2].removesuffix('"]'): resources_by_sid(json.loads(values["policy"]))
        for address, values in planner.planned.items()
        if address.startswith("aws_iam_role_policy.tasks[")
    }
    policies = template.of_type("AWS::IAM::Policy")
    synthesized = sorted(len(each["PolicyDocument"]["Statement"]) for each in policies)

    assert planned["engine"] == planned["api"]
    assert planned["engine"]["LambdaInvokeFunction"] == [CHARGE]
    assert planned["engine"]["BatchSubmitJob"] == [
        "arn:aws:batch:eu-central-1:123456789012:job-definition/train:3",
        "arn:aws:batch:eu-central-1:123456789012:job-queue/gpu",
    ]
    assert planned["job_events"] == {"BatchDescribeJobs": ["*"]}
    assert {policy["PolicyName"] for policy in policies} == {"tasks-orders"}
    assert synthesized == sorted(len(statements) for statements in planned.values())
    for policy in policies:
        assert resources_by_sid(policy["PolicyDocument"]).keys() == planned[role_of(template, policy)].keys()


def resources_by_sid(policy: dict[str, Any]) -> dict[str, Any]:
    return {each["Sid"]: each["Resource"] for each in policy["Statement"]}


def role_of(template: Template, policy: dict[str, Any]) -> str:
    """The function whose role has the policy."""
    (role,) = policy["Roles"]
    name: str = template.resources[role["Ref"]]["Properties"]["RoleName"]
    return name.removeprefix("asl-engine-").replace("-", "_")
