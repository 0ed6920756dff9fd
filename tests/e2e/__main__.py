"""`make e2e`: package, deploy to emulators on this machine, run a pipeline with an approval, and take all down again.

Each step says what it saw. The first that is not as it should be ends it with a traceback.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any

from _pytest.outcomes import Skipped

from tests.approvals.chromium import require_chromium
from tests.architecture.source_tree import ROOT
from tests.e2e.deployed_cdk import DeployedCdk, granted
from tests.e2e.deployed_terraform import SENDER, DeployedTerraform
from tests.e2e.emulators import Cloud, kill_function, running_cloud, wait_until
from tests.e2e.functions import NAMES, PYTHON, create_functions, host_architecture
from tests.e2e.gate import Gate, standing_gate
from tests.e2e.pipeline import PipelineRun, local_history
from tests.terraform import require_terraform

WORK = ROOT / "build" / "e2e"
DEPLOYMENT = WORK / "deployment"
DEFINITIONS = ROOT / "state_machines"
# The provider waits for many resources to settle, half a minute for each queue: for all of them together, then.
ALL_AT_ONCE = ("-auto-approve", "-parallelism=50")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"{what} …", flush=True)
    begun = time.monotonic()
    yield
    print(f"  ok, {time.monotonic() - begun:.0f} s", flush=True)


def main() -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the emulators end with it
    try:
        _, plugins = require_terraform()
        require_chromium()
    except Skipped as missing:
        print(f"The end-to-end run was skipped: {missing}")
        return 0
    shutil.rmtree(DEPLOYMENT, ignore_errors=True)
    with step("asl package, for this machine"):
        package()
    with running_cloud(WORK) as cloud, standing_gate() as gate:
        create_functions(cloud, DEPLOYMENT / "packages" / "api.zip", gate)
        cloud.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        run(cloud, plugins, gate)
    return 0


def package() -> None:
    """Build the archives as users do."""
    command = [str(Path(sys.executable).with_name("asl")), "package", "--definitions", str(DEFINITIONS)]
    command += ["--output", str(DEPLOYMENT / "packages"), "--python", PYTHON, "--architecture", host_architecture()]
    subprocess.run(command, check=True)


def run(cloud: Cloud, plugins: Path, gate: Gate) -> None:
    """Deploy, use, and destroy."""
    terraform = DeployedTerraform(DEPLOYMENT, DEFINITIONS, plugins, cloud)
    with step("terraform apply"):
        terraform("apply", *ALL_AT_ONCE)
    alias_arn = terraform.outputs()["state_machine_arns"]["ml-training"]
    killed, other = PipelineRun(cloud, alias_arn), PipelineRun(cloud, alias_arn)
    with step("the ML training pipeline, started through the API; the engine is killed while it deploys the model"):
        killed.start()
        kill_while_it_deploys(killed, cloud, gate)
    with step("the same pipeline meanwhile"):
        complete(other)
    with step("terraform plan finds nothing to do"):
        terraform("plan", "-detailed-exitcode")
    with step("what the killed engine was at is delivered again"):
        finish(killed)
        assert gate.passed["deploy-model"] == 3, f"the model was deployed by {gate.passed['deploy-model']} calls"
    of_terraform = granted(cloud)
    with step("terraform destroy leaves nothing of the engine"):
        terraform("destroy", *ALL_AT_ONCE)
        check_empty(cloud)
    if find_spec("aws_cdk") is None:
        print('CDK was skipped: it takes pip install -e ".[cdk]" and node')
        return
    cdk = DeployedCdk(WORK / "cdk.out", DEFINITIONS, DEPLOYMENT / "packages", cloud, SENDER)
    with step("the stack of CDK's template"):
        alias_arn = cdk.create()
    with step("every role may do what Terraform's may"):
        of_cdk = granted(cloud)
        assert of_cdk.keys() == of_terraform.keys()
        differing = {role: sorted(of_cdk[role] ^ of_terraform[role]) for role in of_cdk}
        assert not any(differing.values()), json.dumps(differing, indent=1)
    with step("the same pipeline on it"):
        complete(PipelineRun(cloud, alias_arn))
    with step("deleting the stack leaves nothing of the engine"):
        cdk.delete()
        check_empty(cloud)


def kill_while_it_deploys(pipeline: PipelineRun, cloud: Cloud, gate: Gate) -> None:
    """Kill the engine when it is known to work: it has called a function, and waits for the answer."""
    with gate.holding("deploy-model") as is_called:
        pipeline.approve()
        wait_until(is_called.is_set, "the model is deployed")
        print(f"  killed: {kill_function(cloud, 'asl-engine-engine')}")


def complete(pipeline: PipelineRun) -> None:
    """Start, approve, and see the end."""
    pipeline.start()
    pipeline.approve()
    finish(pipeline)


def finish(pipeline: PipelineRun) -> None:
    """See the end: nothing is lost, and the history is that of a run on a laptop."""
    described = pipeline.ended()
    print(f"  {described['status']}: {described.get('output')}")
    assert described["status"] == "SUCCEEDED", pipeline.told()
    expected, found = local_history(), pipeline.history()
    differing = [pair for pair in zip_longest(found, expected) if pair[0] != pair[1]]
    assert not differing, json.dumps(differing, indent=1)
    print(f"  its {len(expected)} history events are those of a local run, with all inputs and outputs")


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


if __name__ == "__main__":
    sys.exit(main())
