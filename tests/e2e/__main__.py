"""`make e2e`: package, deploy to emulators on this machine, run a pipeline with an approval, and take all down again.

Each step says what it saw. The first that is not as it should be ends it with a traceback.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _pytest.outcomes import Skipped

from tests.architecture.source_tree import ROOT
from tests.e2e.deployed_cdk import DeployedCdk, granted
from tests.e2e.deployed_terraform import SENDER, DeployedTerraform
from tests.e2e.emulators import Cloud, kill_function, running_cloud, wait_until
from tests.e2e.functions import NAMES, PYTHON, create_functions, host_architecture
from tests.e2e.pipeline import PipelineRun, local_history, write_definitions
from tests.terraform import require_terraform

WORK = ROOT / "build" / "e2e"
DEPLOYMENT = WORK / "deployment"
DEFINITIONS = WORK / "definitions"


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"{what} …", flush=True)
    begun = time.monotonic()
    yield
    print(f"  ok, {time.monotonic() - begun:.0f} s", flush=True)


def main() -> int:
    """Returns the exit code."""
    try:
        _, plugins = require_terraform()
    except Skipped as missing:
        print(f"The end-to-end run was skipped: {missing}")
        return 0
    shutil.rmtree(DEPLOYMENT, ignore_errors=True)
    shutil.rmtree(DEFINITIONS, ignore_errors=True)
    write_definitions(DEFINITIONS)
    with step("asl package, for this machine"):
        package()
    with running_cloud(WORK) as cloud:
        create_functions(cloud, DEPLOYMENT / "packages" / "api.zip")
        cloud.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        run(cloud, plugins)
    return 0


def package() -> None:
    """Build the archives as users do."""
    command = [str(Path(sys.executable).with_name("asl")), "package", "--definitions", str(DEFINITIONS)]
    command += ["--output", str(DEPLOYMENT / "packages"), "--python", PYTHON, "--architecture", host_architecture()]
    subprocess.run(command, check=True)


def run(cloud: Cloud, plugins: Path) -> None:
    """Deploy, use, and destroy."""
    terraform = DeployedTerraform(DEPLOYMENT, DEFINITIONS, plugins, cloud, {})
    with step("terraform apply"):
        terraform("apply", "-auto-approve")
    with step("terraform plan finds nothing to do"):
        terraform("plan", "-detailed-exitcode")
    alias_arn = terraform.outputs()["state_machine_arns"]["ml-training"]
    with step("the ML training pipeline, started through the API"):
        complete(PipelineRun(cloud, alias_arn))
    with step("the same once more, while the engine's processes are killed"):
        killed = PipelineRun(cloud, alias_arn)
        killed.start()
        wait_until(killed.is_training, "the pipeline trains")
        print(f"  killed: {kill_function(cloud, 'asl-engine-engine')}")
        finish(killed)
    of_terraform = granted(cloud)
    with step("terraform destroy leaves nothing of the engine"):
        terraform("destroy", "-auto-approve")
        check_empty(cloud)
    if find_spec("aws_cdk") is None:
        print('CDK was skipped: it takes pip install -e ".[cdk]" and node')
        return
    cdk = DeployedCdk(WORK / "cdk.out", DEFINITIONS / "ml-training.asl.json", DEPLOYMENT / "packages", cloud, SENDER)
    with step("the stack of CDK's template"):
        alias_arn = cdk.create()
    with step("every role may do what Terraform's may"):
        of_cdk = granted(cloud)
        differing = [role for role in {*of_cdk, *of_terraform} if of_cdk.get(role) != of_terraform.get(role)]
        assert not differing, json.dumps([(of_cdk.get(role), of_terraform.get(role)) for role in differing], indent=1)
    with step("the same pipeline on it"):
        complete(PipelineRun(cloud, alias_arn))
    with step("deleting the stack leaves nothing of the engine"):
        cdk.delete()
        check_empty(cloud)


def complete(pipeline: PipelineRun) -> None:
    """Start, approve, and see the end."""
    pipeline.start()
    finish(pipeline)


def finish(pipeline: PipelineRun) -> None:
    """Approve, and see the end: nothing is lost, and the history is that of a run on a laptop."""
    pipeline.approve()
    described = pipeline.ended()
    print(f"  {described['status']}: {described.get('output')}")
    assert described["status"] == "SUCCEEDED", pipeline.told()
    expected = local_history(DEFINITIONS / "ml-training.asl.json")
    assert pipeline.history() == expected, json.dumps([pipeline.history(), expected], indent=1)
    print(f"  its {len(expected)} history events are those of a local run")


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
        "alarms": cloud.client("cloudwatch", cloud.moto).describe_alarms()["MetricAlarms"],
    }
    assert not any(left.values()), json.dumps({what: found for what, found in left.items() if found}, default=str)


if __name__ == "__main__":
    sys.exit(main())
