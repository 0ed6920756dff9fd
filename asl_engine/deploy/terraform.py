"""A directory that Terraform deploys an engine from: the module, the archives, and a configuration that is yours."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asl_engine.errors import AslError

CONFIGURATION: Final = "main.tf"
PACKAGES: Final = "packages"
_MODULE: Final = "asl-engine"
_OUTPUT: Final = "asl_engine"

_MAIN: Final = """\
# Yours from here on: `asl deploy` writes this file once and never again. Add a backend to share the state.

provider "aws" {{
  region = "{region}"
}}

module "asl_engine" {{
  source                = "./{module}"
  name                  = "{name}"
  packages_directory    = "${{path.root}}/{packages}"
  architecture          = "{architecture}"
  runtime               = "python{python}"
  definitions_directory = "{definitions}"
}}

output "{output}" {{
  value = module.asl_engine
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeployment:
    """What a configuration says when it is written for the first time."""

    name: str
    region: str
    architecture: str
    python: str
    definitions: Path


@dataclass(frozen=True, slots=True)
class TerraformDirectory:
    """Runs Terraform in a directory. What it prints goes to the terminal."""

    directory: Path

    @property
    def packages(self) -> Path:
        """Where the archives lie."""
        return self.directory / PACKAGES

    def write(self, module: Path, new: NewDeployment) -> None:
        """Copy the module as it is now; write the configuration where there is none."""
        shutil.rmtree(self.directory / _MODULE, ignore_errors=True)
        shutil.copytree(module, self.directory / _MODULE, ignore=shutil.ignore_patterns(".terraform*", "examples"))
        configuration = self.directory / CONFIGURATION
        if not configuration.exists():
            configuration.write_text(
                _MAIN.format(
                    region=new.region,
                    name=new.name,
                    architecture=new.architecture,
                    python=new.python,
                    definitions=new.definitions.resolve().as_posix(),
                    module=_MODULE,
                    packages=PACKAGES,
                    output=_OUTPUT,
                ),
                encoding="utf-8",
            )

    def run(self, *arguments: str) -> int:
        """The exit code of a Terraform command. Raises AslError: no Terraform, or nothing was deployed from here."""
        return subprocess.run(self._command(arguments), check=False).returncode  # noqa: S603 - no shell

    def outputs(self) -> dict[str, Any]:
        """What the deployment tells of itself: see infra/terraform/outputs.tf. Raises AslError."""
        command = self._command(("output", "-json"))
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
        outputs = json.loads(ended.stdout) if ended.returncode == 0 else {}
        if _OUTPUT not in outputs:
            raise AslError(
                f"{self.directory} holds no finished deployment: run `asl deploy`, or name another with --directory"
                + (f"\n{ended.stderr.strip()}" if ended.stderr.strip() else "")
            )
        found: dict[str, Any] = outputs[_OUTPUT]["value"]
        return found

    def _command(self, arguments: Sequence[str]) -> list[str]:
        terraform = shutil.which("terraform")
        if terraform is None:
            raise AslError("Terraform is not on the PATH: https://developer.hashicorp.com/terraform/install")
        if not (self.directory / CONFIGURATION).is_file():
            raise AslError(f"nothing was deployed from {self.directory}: run `asl deploy`, or name it with --directory")
        return [terraform, f"-chdir={self.directory}", *arguments]
