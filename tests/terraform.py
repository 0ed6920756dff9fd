"""Terraform as found on this machine, with the AWS provider beside it: nothing is fetched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.needs import leave_out

_SECONDS_MAX = 300
_PROVIDER = "registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
_PLUGIN_ROOTS = ("/opt", "/usr/share", "/usr/local/share", "~/.terraform.d")


class Terraform:
    """A working directory with a configuration, initialised. Variables go in as TF_VAR_…"""

    def __init__(self, configuration: Path, directory: Path, variables: Mapping[str, str]) -> None:
        command, plugins = require_terraform()
        self._command = command
        self._directory = shutil.copytree(configuration, directory / configuration.name)
        self._environ = {
            **os.environ,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            **{f"TF_VAR_{name}": value for name, value in variables.items()},
        }
        self("init", f"-plugin-dir={plugins}")

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,), **variables: str) -> tuple[int, str]:
        """Run a subcommand; returns its exit code and what it printed. Fails for a code that is not expected."""
        done = subprocess.run(
            [self._command, arguments[0], "-no-color", *arguments[1:]],
            cwd=self._directory,
            env={**self._environ, **{f"TF_VAR_{name}": value for name, value in variables.items()}},
            capture_output=True,
            text=True,
            timeout=_SECONDS_MAX,
            check=False,
        )
        assert done.returncode in codes, done.stdout + done.stderr
        return done.returncode, done.stdout

    def has_nothing_to_do(self, **variables: str) -> bool:
        """Whether a plan is empty."""
        code, _text = self("plan", "-detailed-exitcode", "-input=false", codes=(0, 2), **variables)
        return code == 0

    def outputs(self) -> dict[str, Any]:
        """The outputs of the last apply."""
        return {name: output["value"] for name, output in json.loads(self("output", "-json")[1]).items()}


def require_terraform() -> tuple[str, Path]:
    """The command and the directory of its providers; skips the test where either is missing."""
    command, plugins = shutil.which("terraform"), _plugin_directory()
    if command is None or plugins is None:
        missing = "the terraform command" if command is None else "the provider hashicorp/aws (set TF_PLUGIN_DIR)"
        leave_out(f"{missing} is not on this machine")
    return command, plugins


@cache
def _plugin_directory() -> Path | None:
    found = [path for root in _roots() for path in root.glob(_PROVIDER)]
    return found[0].parents[5] if found else None


def _roots() -> Iterator[Path]:
    if "TF_PLUGIN_DIR" in os.environ:
        yield Path(os.environ["TF_PLUGIN_DIR"])
    for root in _PLUGIN_ROOTS:
        directory = Path(root).expanduser()
        yield directory
        if directory.is_dir():
            yield from (inner for inner in sorted(directory.iterdir()) if inner.is_dir() and os.access(inner, os.R_OK))
