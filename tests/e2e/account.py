"""What is in the emulators' account: what the engine's roles may do, and that nothing of it is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.e2e.emulators import Cloud
from tests.e2e.functions import NAMES


def check_empty(cloud: Cloud) -> None:
    """Nothing of the engine is left in the account. Raises AssertionError with what is."""
    left: dict[str, Any] = {
        "tables": cloud.client("dynamodb").list_tables()["TableNames"],
        "buckets": [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "functions": [
            each["FunctionName"]
            for each in cloud.client("lambda").list_functions()["Functions"]
            if each["FunctionName"] not in NAMES
        ],
        "roles": [
            each["RoleName"]
            for each in cloud.client("iam").list_roles()["Roles"]
            if each["RoleName"].startswith("asl-engine")
        ],
        "rules": [each["Name"] for each in cloud.client("events").list_rules()["Rules"]],
        "apis": [each["Name"] for each in cloud.client("apigatewayv2").get_apis()["Items"]],
        "secrets": [each["Name"] for each in cloud.client("secretsmanager").list_secrets()["SecretList"]],
        "topics": cloud.client("sns").list_topics()["Topics"],
        "logs": [
            each["logGroupName"]
            for each in cloud.client("logs").describe_log_groups()["logGroups"]
            if each["logGroupName"].rpartition("/")[2] not in NAMES
        ],
        "event source mappings": cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "schedule groups": [
            each["Name"]
            for each in cloud.client("scheduler").list_schedule_groups()["ScheduleGroups"]
            if each["Name"] != "default"
        ],
        "schedules": cloud.client("scheduler").list_schedules()["Schedules"],
        "alarms": cloud.client("cloudwatch", cloud.moto).describe_alarms()["MetricAlarms"],
        "dashboards": cloud.client("cloudwatch", cloud.moto).list_dashboards()["DashboardEntries"],
    }
    assert not any(left.values()), json.dumps({what: found for what, found in left.items() if found}, default=str)


def granted(cloud: Cloud) -> dict[str, set[str]]:
    """What each role of the engine may do: every action on every resource, however statements put them together."""
    iam = cloud.client("iam")
    roles = [each["RoleName"] for each in iam.list_roles()["Roles"] if each["RoleName"].startswith("asl-engine")]
    return {role: set(_grants(iam, role)) for role in roles}


def _grants(iam: Any, role: str) -> Iterator[str]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            actions, resources = _list(statement["Action"]), _list(statement["Resource"])
            condition = json.dumps(statement.get("Condition", {}), sort_keys=True)
            for action, resource in product(actions, map(_masked, resources)):
                yield f"{statement['Effect']} {action} on {resource} if {condition}"


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _masked(name: str) -> str:
    """Without what AWS makes up. What ministack takes for the ARN of a stack's secret is its name."""
    name = re.sub(r"(:execute-api:[\w-]+:\d+:)\w+", r"\1API", name)
    return re.sub(r"^arn:aws:secretsmanager:[\w-]+:\d+:secret:(.+)-\w{6}$", r"\1", name)
