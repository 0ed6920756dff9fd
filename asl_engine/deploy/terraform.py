"""A directory that Terraform deploys an engine from: the module, the archives, and a configuration that is yours."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asl_engine.deploy.configuration import CONFIGURATION, MODULE, OUTPUT, PACKAGES, NewDeployment
from asl_engine.errors import AslError


@dataclass(frozen=True, slots=True)
class TerraformDirectory:
    """Runs Terraform in a directory. What it prints goes to the terminal."""

    directory: Path

    @property
    def packages(self) -> Path:
        """Where the archives lie."""
        return self.directory / PACKAGES

    @property
    def configuration(self) -> Path:
        """What belongs to the person who deploys."""
        return self.directory / CONFIGURATION

    def write(self, module: Path, new: NewDeployment) -> None:
        """Copy the module as it is now; write the configuration where there is none."""
        shutil.rmtree(self.directory / MODULE, ignore_errors=True)
        shutil.copytree(module, self.directory / MODULE, ignore=shutil.ignore_patterns(".terraform*", "examples"))
        if not self.configuration.exists():
            self.configuration.write_text(new.text(self.directory), encoding="utf-8")

    def run(self, *arguments: str) -> int:
        """The exit code of a Terraform command. Raises AslError: no Terraform, or nothing was deployed from here."""
        return subprocess.run(self._command(arguments), check=False).returncode  # noqa: S603 - no shell

    def outputs(self) -> dict[str, Any]:
        """What the deployment tells of itself: see infra/terraform/outputs.tf. Raises AslError."""
        command = self._command(("output", "-json"))
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
        outputs = json.loads(ended.stdout) if ended.returncode == 0 else {}
        if OUTPUT not in outputs:
            raise AslError(
                f"{self.directory} holds no finished deployment: run `asl deploy`, or name another with --directory"
                + (f"\n{ended.stderr.strip()}" if ended.stderr.strip() else "")
            )
        found: dict[str, Any] = outputs[OUTPUT]["value"]
        return found

    def _command(self, arguments: Sequence[str]) -> list[str]:
        terraform = require_terraform()
        if not self.configuration.is_file():
            raise AslError(f"nothing was deployed from {self.directory}: run `asl deploy`, or name it with --directory")
        return [terraform, f"-chdir={self.directory}", *arguments]


def require_terraform() -> str:
    """The command. Raises AslError where there is none."""
    terraform = shutil.which("terraform")
    if terraform is None:
        raise AslError("Terraform is not on the PATH: https://developer.hashicorp.com/terraform/install")
    return terraform
