"""Wheels for another machine: pip installs them for a Linux and a Python that need not be the ones it runs on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from asl_engine.errors import AslError

Architecture = Literal["arm64", "x86_64"]

CONSTRAINTS: Final = Path(__file__).with_name("constraints.txt")
_MACHINES: Final[Mapping[Architecture, str]] = {"arm64": "aarch64", "x86_64": "x86_64"}
# Lambda's python3.12 and later run on Amazon Linux 2023, which has glibc 2.34.
_MANYLINUX: Final = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
# Beside what a function imports a wheel brings what only compilers, type checkers and installers read.
_UNUSED_SUFFIXES: Final = frozenset({".c", ".h", ".pxd", ".pyc", ".pyi", ".pyx"})
_UNUSED_DIRECTORIES: Final = frozenset({"__pycache__", "bin", "test", "tests"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What a function runs on."""

    architecture: Architecture = "arm64"
    python: str = "3.13"

    @classmethod
    def of(cls, architecture: str, runtime: str) -> Platform:
        """As Terraform's variables give it. Raises AslError."""
        known = next((each for each in _MACHINES if each == architecture), None)
        if known is None or not runtime.startswith("python"):
            raise AslError(
                f"functions run on {' or '.join(_MACHINES)} and on python3.…, not on {architecture}, {runtime}"
            )
        return cls(architecture=known, python=runtime.removeprefix("python"))

    @property
    def runtime(self) -> str:
        """As Lambda names it."""
        return f"python{self.python}"

    def __str__(self) -> str:
        return f"{self.runtime}-{self.architecture}"


def install_wheels(requirements: Iterable[str], platform: Platform, directory: Path) -> None:
    """Install distributions, of the versions in constraints.txt, into a directory. Raises AslError with what pip says.

    Only wheels are taken: nothing is compiled, so no container and no other machine is needed.
    """
    machine = _MACHINES[platform.architecture]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--target", str(directory), "--constraint", str(CONSTRAINTS)),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", platform.python),
        *(part for name in _MANYLINUX for part in ("--platform", f"{name}_{machine}")),
        *sorted(requirements),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, own arguments
    if ended.returncode != 0:
        raise AslError(
            f"pip found no wheels of {', '.join(sorted(requirements))} for {platform}:\n{ended.stderr.strip()}\n"
            "Every requirement needs a wheel for that platform: see asl_engine/deploy/constraints.txt"
        )


def files_used(directory: Path, sdk_services: Iterable[str]) -> dict[str, Path]:
    """Installed files by their names in an archive, without what no function reads."""
    services = frozenset(sdk_services)
    files = {path.relative_to(directory): path for path in directory.rglob("*") if path.is_file()}
    return {name.as_posix(): path for name, path in files.items() if _is_used(name, services)}


def _is_used(name: Path, services: frozenset[str]) -> bool:
    if name.suffix in _UNUSED_SUFFIXES or not _UNUSED_DIRECTORIES.isdisjoint(name.parts):
        return False
    if name.parts[0].endswith(".dist-info"):
        return name.name == "METADATA"
    if name.parts[:2] == ("botocore", "data") and len(name.parts) > 3:
        return name.parts[2] in services and not name.name.startswith(("examples-", "completions-"))
    return True
