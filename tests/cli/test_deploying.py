"""The commands about a deployment, as they are typed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from asl_engine.cli import deploying
from asl_engine.cli.main import main
from asl_engine.deploy.archive import ArchiveSize
from asl_engine.deploy.packaging import Package
from tests.integrations.lambda_service import Invocation, Reply, lambda_service

CHARGE = "arn:aws:lambda:eu-central-1:123456789012:function:charge"
DEFINITION = {
    "StartAt": "Charge",
    "States": {
        "Charge": {"Type": "Task", "Resource": CHARGE, "TimeoutSeconds": 60, "Next": "Tell"},
        "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl.$": "$.queue", "MessageBody": "done"},
            "TimeoutSeconds": 60,
            "End": True,
        },
    },
}
ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:orders:live"


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    directory = tmp_path / "definitions"
    directory.mkdir()
    (directory / "orders.asl.json").write_text(json.dumps(DEFINITION), encoding="utf-8")
    return directory


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Archives without wheels: pip has tests of its own. Gives what was asked to be built."""
    asked: list[dict[str, Any]] = []

    def build(root: Path, directory: Path, platform: object, *, more_sdk_services: Any = ()) -> Iterator[Package]:
        asked.append({"platform": str(platform), "services": sorted(more_sdk_services)})
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "engine.zip"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("handler.py", "")
        yield Package(function="engine", file=file, size=ArchiveSize(7_200_000, 23_400_000))

    monkeypatch.setattr("asl_engine.deploy.packaging.build_packages", build)
    return asked


def asl(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], prog_name="asl")


def terraform_saying(
    directory: Path, outputs: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, code: int = 0
) -> Path:
    """A command `terraform` that notes how it was called and answers `output`."""
    directory.mkdir()
    answer, noted = directory / "outputs.json", directory / "noted"
    answer.write_text(json.dumps({"asl_engine": {"value": outputs}}))
    command = directory / "terraform"
    command.write_text(f'#!/bin/sh\necho "$2 $3" >> {noted}\n[ "$2" = output ] && exec cat {answer}\nexit {code}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return noted


def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: Mapping[str, Any]) -> Path:
    """A directory that something was deployed from."""
    terraform_saying(tmp_path / "bin", outputs, monkeypatch)
    directory = tmp_path / "deployment"
    directory.mkdir()
    (directory / "main.tf").touch()
    return directory


def test_permissions_prints_a_policy_that_can_be_piped_and_the_reasons_beside_it(definitions: Path) -> None:
    shown = asl("permissions", definitions, "--region", "eu-central-1", "--account", "123456789012")

    policy = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert [each["Resource"] for each in policy["Statement"]] == [
        [CHARGE],
        ["arn:aws:sqs:eu-central-1:123456789012:*"],
    ]
    assert shown.stderr.splitlines() == [
        "LambdaInvokeFunction  used by orders/Charge",
        "SqsSendMessage        used by orders/Tell",
    ]


def test_permissions_as_json_has_the_reasons_and_leaves_what_it_was_not_told(definitions: Path) -> None:
    document = json.loads(asl("permissions", definitions / "orders.asl.json", "--json").stdout)

    assert set(document) == {"policy", "reasons"}
    assert document["policy"]["Statement"][1]["Resource"] == ["arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:*"]
    assert set(document["reasons"]) == {each["Sid"] for each in document["policy"]["Statement"]}


def test_permissions_of_a_definition_that_calls_nobody(tmp_path: Path) -> None:
    (tmp_path / "quiet.asl.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')

    shown = asl("permissions", tmp_path)

    assert json.loads(shown.stdout)["Statement"] == []
    assert shown.stderr == "The definitions call nothing outside the engine.\n"


def test_two_files_for_one_machine_are_refused(definitions: Path) -> None:
    (definitions / "old").mkdir()
    (definitions / "old" / "orders.asl.json").write_text(json.dumps(DEFINITION), encoding="utf-8")

    refused = asl("permissions", definitions)

    assert refused.exit_code == 2
    assert "would both be deployed as orders: rename one of them" in refused.output


def test_package_validates_first_and_tells_the_sizes(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]]
) -> None:
    shown = asl("package", "--output", tmp_path / "out", "--definitions", definitions, "--architecture", "x86_64")

    assert shown.exit_code == 0
    assert "engine         7.2 MB zipped  23.4 MB unzipped" in shown.output
    assert list(json.loads((tmp_path / "out" / "definitions.json").read_text())["definitions"]) == ["orders"]
    assert no_wheels == [{"platform": "python3.13-x86_64", "services": ["lambda", "sqs"]}]
    built_for = json.loads((tmp_path / "out" / "platform.json").read_text())
    assert built_for == {"architecture": "x86_64", "runtime": "python3.13"}


def test_package_builds_nothing_for_an_invalid_definition(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]]
) -> None:
    (definitions / "broken.asl.json").write_text('{"StartAt": "Gone", "States": {"A": {"Type": "Succeed"}}}')

    refused = asl("package", "--output", tmp_path / "out", "--definitions", definitions)

    assert (refused.exit_code, no_wheels) == (2, [])
    assert "Gone" in refused.output


def test_deploy_writes_a_configuration_applies_it_and_names_what_to_do_next(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = terraform_saying(tmp_path / "bin", {"state_machine_arns": {"orders": ARN}}, monkeypatch)
    directory = tmp_path / "deployment"

    shown = asl("deploy", definitions, "--directory", directory, "--region", "eu-north-1", "--name", "team", "--yes")

    assert shown.exit_code == 0, shown.output
    assert noted.read_text().splitlines() == ["init -input=false", "apply -auto-approve", "output -json"]
    assert 'region = "eu-north-1"' in (directory / "main.tf").read_text()
    assert (directory / "asl-engine" / "functions.tf").is_file()
    assert f"orders is deployed: {ARN}" in shown.output


def test_a_second_deploy_builds_for_what_the_configuration_says(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform_saying(tmp_path / "bin", {"state_machine_arns": {}}, monkeypatch)
    deploy = ("deploy", definitions, "--directory", tmp_path / "deployment")

    asl(*deploy, "--architecture", "x86_64", "--python", "3.12", "--mail-from", "approvals@example.com")
    again = asl(*deploy)
    refused = asl(*deploy, "--architecture", "arm64")

    assert (again.exit_code, refused.exit_code) == (0, 2)
    assert [each["platform"] for each in no_wheels] == ["python3.12-x86_64"] * 2
    assert 'says architecture = "x86_64"' in refused.output
    assert 'mail_from             = "approvals@example.com"' in (tmp_path / "deployment" / "main.tf").read_text()


def test_nothing_is_built_without_terraform(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    refused = asl("deploy", definitions, "--directory", tmp_path / "deployment")

    assert (refused.exit_code, no_wheels) == (2, [])
    assert "Terraform is not on the PATH" in refused.output


def test_a_plan_changes_nothing(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = terraform_saying(tmp_path / "bin", {}, monkeypatch)

    assert asl("deploy", definitions, "--directory", tmp_path / "deployment", "--plan").exit_code == 0
    assert noted.read_text().splitlines() == ["init -input=false", "plan "]


def test_a_terraform_that_fails_ends_the_deployment(
    definitions: Path, tmp_path: Path, no_wheels: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = terraform_saying(tmp_path / "bin", {}, monkeypatch, code=1)

    assert asl("deploy", definitions, "--directory", tmp_path / "deployment").exit_code == 1
    assert noted.read_text().splitlines() == ["init -input=false"]


def test_start_starts_the_version_that_the_alias_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "input.json").write_text('{"order": 7}')
    started = json.dumps({"executionArn": "arn:execution", "startDate": 1_700_000_000}).encode()
    with lambda_service(lambda _: Reply(body=started)) as service:
        outputs = {"step_functions_endpoint": service.url, "state_machine_arns": {"orders": ARN}}
        directory = deployed(tmp_path, monkeypatch, outputs)
        shown = asl("start", "orders", "--input", f"@{tmp_path}/input.json", "--name", "o-7", "--directory", directory)

    (request,) = service.invocations
    assert (shown.exit_code, shown.output) == (0, "arn:execution\n")
    assert json.loads(request.body) == {"stateMachineArn": ARN, "input": '{"order": 7}', "name": "o-7"}
    assert request.headers["X-Amz-Target"] == "AWSStepFunctions.StartExecution"


def test_start_tells_what_is_deployed_and_what_the_engine_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Reply(status=400, body=b'{"__type": "InvalidExecutionInput", "message": "no JSON"}')
    with lambda_service(lambda _: refusal) as service:
        outputs = {"step_functions_endpoint": service.url, "state_machine_arns": {"orders": ARN}}
        directory = deployed(tmp_path, monkeypatch, outputs)
        unknown = asl("start", "order", "--directory", directory)
        refused = asl("start", "orders", "--input", "{", "--directory", directory)

    assert (unknown.exit_code, refused.exit_code) == (2, 2)
    assert '"order" is not deployed; these are: orders' in unknown.output
    assert "the execution was not started" in refused.output
    assert "no JSON" in refused.output


def logs_answering(invocation: Invocation) -> Reply:
    """Two pages, the later event first."""
    request = json.loads(invocation.body)
    late, early = {"eventId": "2", "timestamp": 2_000, "message": "late\n"}, {"eventId": "1", "timestamp": 1_000}
    page: dict[str, Any] = {"events": [late], "nextToken": "more"}
    if "nextToken" in request:
        page = {"events": [{**early, "message": "early"}]}
    return Reply(body=json.dumps(page).encode())


def test_logs_shows_what_a_function_wrote_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {
        "alerts_topic_arn": "arn:aws:sns:eu-central-1:123456789012:asl-engine-alerts",
        "log_group_names": {"engine": "/aws/lambda/asl-engine-engine"},
    }
    directory = deployed(tmp_path, monkeypatch, outputs)
    with lambda_service(logs_answering) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", service.url)
        shown = asl("logs", "--filter", "ERROR", "--directory", directory)
        unknown = asl("logs", "engin", "--directory", directory)

    assert shown.output == "1970-01-01T00:00:01.000+00:00 early\n1970-01-01T00:00:02.000+00:00 late\n"
    request = json.loads(service.invocations[0].body)
    assert (request["logGroupName"], request["filterPattern"]) == ("/aws/lambda/asl-engine-engine", "ERROR")
    assert (unknown.exit_code, 'there is no function "engin": the functions are engine' in unknown.output) == (2, True)


def test_destroy_destroys_and_refuses_where_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = deployed(tmp_path, monkeypatch, {})

    assert asl("destroy", "--directory", directory, "--yes").exit_code == 0
    assert (tmp_path / "bin" / "noted").read_text() == "destroy -auto-approve\n"
    assert asl("destroy", "--directory", tmp_path).exit_code == 2


def test_definitions_are_named_as_everywhere(tmp_path: Path) -> None:
    for name in ("orders.asl.json", "refunds/definition.asl.json", "notes.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert set(deploying.definition_files([tmp_path])) == {"orders", "refunds"}
