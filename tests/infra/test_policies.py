"""Least privilege: every function has a policy of its own, and none allows what nobody could list."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asl_engine.approvals.approval import KIND
from asl_engine.approvals.desk import DUE
from asl_engine.deploy.functions import FUNCTIONS
from tests.architecture.source_tree import ROOT

POLICIES = ROOT / "infra" / "terraform" / "policies"
# IAM knows no resources for these: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
WITHOUT_RESOURCES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
FILES = [*sorted(POLICIES.glob("*.json")), *sorted(POLICIES.glob("optional/*.json"))]
OPERATION = re.compile(r'"((?:Batch|Delete|Get|Put|Query|Scan|Update)\w*)"(?!:)')
# The command line lists what functions only ask for by name, and sets a table up in an emulator.
ONLY_BY_HAND = {"dynamodb:Scan", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "dynamodb:GetObject"}
ONLY_BY_HAND |= {"dynamodb:PutObject"}  # which are S3's
BYTES_OF_ALL_MAX = 10_240


def statements(file: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads(file.read_text(encoding="utf-8"))["Statement"]


def test_every_function_has_a_policy_and_every_policy_a_function() -> None:
    assert {file.stem for file in POLICIES.glob("*.json")} == {*FUNCTIONS, "scheduler"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_names_what_it_allows(file: Path) -> None:
    found = list(statements(file))

    assert len({statement["Sid"] for statement in found}) == len(found)
    for statement in found:
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= WITHOUT_RESOURCES


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reaches_only_its_own_log(function: str) -> None:
    logs = [each for each in statements(POLICIES / f"{function}.json") if each["Sid"] == "WriteOwnLogs"]

    assert [each["Resource"] for each in logs] == [["${log_group_arn}:*"]]


def test_only_the_engine_hands_a_role_on() -> None:
    passing = {file.stem for file in FILES for each in statements(file) if "iam:PassRole" in each["Action"]}

    assert passing == {"engine"}


@pytest.mark.parametrize("function", ["api", "engine", "sweeper"])
def test_a_function_may_do_with_the_table_what_the_store_does(function: str) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "asl_engine/store/dynamodb").glob("*.py"))
    called = {f"dynamodb:{name}" for name in OPERATION.findall(sources)} - ONLY_BY_HAND
    allowed = {action for each in statements(POLICIES / f"{function}.json") for action in each["Action"]}

    assert called
    assert called <= allowed


def test_the_sweeper_may_ask_whether_the_queue_is_behind() -> None:
    (actions,) = (
        each["Action"] for each in statements(POLICIES / "sweeper.json") if each["Resource"] == ["${queue_arn}"]
    )

    assert actions == ["sqs:GetQueueAttributes", "sqs:SendMessage"]


@pytest.mark.parametrize("role", ["engine", "scheduler"])
def test_what_could_not_be_delivered_may_be_kept(role: str) -> None:
    sending = [
        each["Resource"] for each in statements(POLICIES / f"{role}.json") if "sqs:SendMessage" in each["Action"]
    ]

    assert sorted(itertools.chain.from_iterable(sending)) == ["${dead_letters_queue_arn}", "${queue_arn}"]


@pytest.mark.parametrize("function", ["approvals", "notifier"])
def test_those_who_deal_with_people_reach_approvals_and_no_execution(function: str) -> None:
    of_the_table = [
        each
        for each in statements(POLICIES / f"{function}.json")
        if any(action.startswith("dynamodb:") for action in each["Action"])
    ]

    assert [each["Resource"] for each in of_the_table] == [["${table_arn}"]]
    assert [each["Action"] for each in of_the_table] == [
        ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
    ]
    assert [each["Condition"] for each in of_the_table] == [
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"resource#{KIND}", f"resource#{DUE}"]}}
    ]


@pytest.mark.parametrize("function", ["api", "approvals", "engine", "notifier", "sweeper"])
def test_whoever_writes_documents_may_keep_large_ones(function: str) -> None:
    """More than 12 KB, compressed, goes into the bucket: a request with many details, say."""
    of_the_bucket = [
        each["Action"]
        for each in statements(POLICIES / f"{function}.json")
        if any(action.startswith("s3:") for action in each["Action"])
    ]

    assert of_the_bucket == [["s3:GetObject", "s3:PutObject"]]


def test_a_role_s_policies_together_fit_iam() -> None:
    optional = sum(len(file.read_text()) for file in POLICIES.glob("optional/*.json"))

    assert max(len(file.read_text()) for file in POLICIES.glob("*.json")) + optional < BYTES_OF_ALL_MAX / 2


def test_those_who_deal_with_people_answer_tasks_through_the_api_alone() -> None:
    for function in ("approvals", "notifier"):
        found = list(statements(POLICIES / f"{function}.json"))
        actions = {action for each in found for action in each["Action"]}

        assert [each["Resource"] for each in found if "execute-api:Invoke" in each["Action"]] == [
            ["${step_functions_api_arn}/*/POST/"]
        ]
        assert not actions & {"sqs:SendMessage", "lambda:InvokeFunction"}
