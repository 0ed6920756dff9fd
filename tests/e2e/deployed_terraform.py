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
from tests.e2e.emulators import REGION, Cloud
from tests.e2e.functions import PYTHON, host_architecture

SENDER = "asl@example.com"
_PROVIDER_REGION = f'region = "{REGION}"'


class DeployedTerraform:
    """A directory as `asl deploy` prepares it, with what an emulator needs besides."""

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
            "endpoints": {**cloud.endpoints, **cloud.urls},
            "engine_timeout_seconds": 60,  # also how long a message of an engine that dies in its cold start is gone
        }
        given = "".join(f"  {name} = {json.dumps(value)}\n" for name, value in settings.items())
        main.write_text(text.replace("  definitions_directory", f"{given}  definitions_directory"))
        self("init", "-input=false", f"-plugin-dir={plugins}")

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command; returns what it printed. Raises RuntimeError with it for another exit code."""
        ended = subprocess.run(
            ["terraform", f"-chdir={self._directory.directory}", arguments[0], "-no-color", *arguments[1:]],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode not in codes:
            raise RuntimeError(f"terraform {' '.join(arguments)}\n{ended.stdout[-6000:]}\n{ended.stderr}")
        return ended.stdout

    def outputs(self) -> dict[str, Any]:
        """What the module tells of the deployment."""
        found: dict[str, Any] = json.loads(self("output", "-json"))["asl_engine"]["value"]
        return found
