"""`make e2e`: package, deploy to emulators on this machine, run a pipeline with an approval, and take all down again.

Each step says what it saw. The first that is not as it should be ends it with a traceback.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from _pytest.outcomes import Skipped

from tests.approvals.chromium import require_chromium
from tests.architecture.source_tree import ROOT
from tests.e2e.deployed_cdk import DeployedCdk
from tests.e2e.deployed_terraform import SENDER, DeployedTerraform
from tests.e2e.emulators import Cloud, running_cloud
from tests.e2e.functions import PYTHON, create_functions, host_architecture
from tests.e2e.gate import Gate, standing_gate
from tests.e2e.jobs import HeldJobs, job_services
from tests.e2e.leg import run_leg, step
from tests.terraform import require_terraform

WORK = ROOT / "build" / "e2e"
DEPLOYMENT = WORK / "deployment"
DEFINITIONS = WORK / "state_machines"


def main() -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the emulators end with it
    try:
        _, plugins = require_terraform()
        require_chromium()
    except Skipped as missing:
        print(f"The end-to-end run was skipped: {missing}")
        return 0
    for directory in (DEPLOYMENT, DEFINITIONS):
        shutil.rmtree(directory, ignore_errors=True)
    with step("asl package, for this machine"):
        package()
    with running_cloud(WORK) as cloud, standing_gate() as gate, job_services(cloud) as jobs:
        create_functions(cloud, DEPLOYMENT / "packages" / "api.zip", gate)
        cloud.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        run(cloud, plugins, gate, jobs)
    return 0


def package() -> None:
    """Build the archives as users do, for the definitions that the project ships and those of this test."""
    for definitions in (ROOT / "state_machines", ROOT / "tests" / "e2e" / "state_machines"):
        shutil.copytree(definitions, DEFINITIONS, dirs_exist_ok=True)
    command = [str(Path(sys.executable).with_name("asl")), "package", "--definitions", str(DEFINITIONS)]
    command += ["--output", str(DEPLOYMENT / "packages"), "--python", PYTHON, "--architecture", host_architecture()]
    subprocess.run(command, check=True)


def run(cloud: Cloud, plugins: Path, gate: Gate, jobs: HeldJobs) -> None:
    """The same with both tools."""
    terraform = DeployedTerraform(DEPLOYMENT, DEFINITIONS, plugins, cloud)
    of_terraform = run_leg(terraform, cloud, gate, jobs)
    if find_spec("aws_cdk") is None:
        print('CDK was skipped: it takes pip install -e ".[cdk]" and node')
        return
    cdk = DeployedCdk(WORK / "cdk.out", DEFINITIONS, DEPLOYMENT / "packages", cloud, SENDER)
    of_cdk = run_leg(cdk, cloud, gate, jobs)
    with step("every role might do with CDK what it might with Terraform"):
        assert of_cdk.keys() == of_terraform.keys()
        differing = {role: sorted(of_cdk[role] ^ of_terraform[role]) for role in of_cdk}
        assert not any(differing.values()), json.dumps(differing, indent=1)


if __name__ == "__main__":
    sys.exit(main())
