"""Peers: installed by their own package managers into a directory that git ignores, each once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.engines import Unavailable

NODE_PACKAGE: Final = "aws-local-stepfunctions@3.0.0"
MINISTACK_PACKAGE: Final = "ministack==1.5.33"

_DIRECTORY: Final = Path(__file__).with_name(".peers")
_INSTALL_SECONDS_MAX: Final = 300


def node_directory() -> Path:
    """Where node finds the npm peer. Raises Unavailable."""
    directory = _DIRECTORY / "node"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Unavailable(f"{NODE_PACKAGE} needs node and npm")
    if not (directory / "node_modules" / "aws-local-stepfunctions").is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        _install(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), NODE_PACKAGE])
    return directory


def ministack() -> Path:
    """The ministack executable, in a virtual environment of its own. Raises Unavailable."""
    directory = _DIRECTORY / "ministack"
    executable = directory / "bin" / "ministack"
    if not executable.exists():
        _install([sys.executable, "-m", "venv", str(directory)])
        pip = str(directory / "bin" / "python")
        _install([pip, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MINISTACK_PACKAGE])
    return executable


def _install(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS_MAX)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise Unavailable(f"`{' '.join(command)}` failed: {said.strip().splitlines()[-1]}") from error
