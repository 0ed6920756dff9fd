"""The engine, deployed to the emulators with the Terraform module."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from asl_engine.deploy.configuration import NewDeployment
from asl_engine.deploy.terraform import TerraformDirectory
from asl_engine.deploy.wheels import Platform
from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import ENGINE_TIMEOUT_SECONDS, REGION, Cloud
from tests.e2e.functions import PYTHON, host_architecture

SENDER = "asl@example.com"
# The provider waits for many resources to settle, half a minute for each queue: for all of them together, then.
_ALL_AT_ONCE = ("-auto-approve", "-parallelism=50")
_PROVIDER_REGION = f'region = "{REGION}"'


class DeployedTerraform:
    """A directory as `asl deploy` prepares it, with what an emulator needs besides."""

    tool = "Terraform"

    def __init__(self, directory: Path, definitions: Path, plugins: Path, cloud: Cloud) -> None:
        self._directory = TerraformDirectory(directory)
        self._environ = {
            **cloud.environ,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": "/dev/null",
        }
        self._environ.pop("AWS_PROFILE", None)
        new = NewDeployment(
            name="asl-engine",
            region=REGION,
            platform=Platform(architecture=host_architecture(), python=PYTHON),
            definitions=definitions,
        )
        self._directory.write(ROOT / "infra" / "terraform", new)
        main = directory / "main.tf"
        text = main.read_text().replace(_PROVIDER_REGION, f"{_PROVIDER_REGION}\n  s3_use_path_style = true")
        settings: dict[str, Any] = {
            "deletion_protection": False,
            "bucket_force_destroy": True,
            "mail_from": SENDER,
            "queue_message_bytes_max": 262_144,  # what the provider of this machine accepts
            "endpoints": {**cloud.endpoints, **cloud.settings},
            "engine_timeout_seconds": ENGINE_TIMEOUT_SECONDS,
        }
        given = "".join(f"  {name} = {json.dumps(value)}\n" for name, value in settings.items())
        main.write_text(text.replace("  definitions_directory", f"{given}  definitions_directory"))
        self._run("init", "-input=false", f"-plugin-dir={plugins}")

    def create(self) -> None:
        """See Deployment."""
        self._run("apply", *_ALL_AT_ONCE)

    def state_machine_arn(self, name: str) -> str:
        """See Deployment."""
        outputs = json.loads(self._run("output", "-json"))
        return str(outputs["asl_engine"]["value"]["state_machine_arns"][name])

    def check_unchanged(self) -> None:
        """See Deployment."""
        self._run("plan", "-detailed-exitcode")

    def destroy(self) -> None:
        """See Deployment."""
        self._run("destroy", *_ALL_AT_ONCE)

    def _run(self, *arguments: str) -> str:
        """What a command printed. Raises RuntimeError with it for another exit code than 0."""
        ended = subprocess.run(
            ["terraform", f"-chdir={self._directory.directory}", arguments[0], "-no-color", *arguments[1:]],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"terraform {' '.join(arguments)}\n{ended.stdout[-6000:]}\n{ended.stderr}")
        return ended.stdout
