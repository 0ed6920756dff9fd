"""The functions' archives: the engine, the function's own handler, and the wheels that it imports.

Built from a checkout, for either architecture, without Docker. Two builds give the same bytes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asl_engine.deploy.archive import ArchiveSize, write_archive
from asl_engine.deploy.functions import FUNCTIONS, NOT_DEPLOYED, PERFORM_TASKS
from asl_engine.deploy.wheels import Platform, files_used, install_wheels
from asl_engine.errors import AslError

# Terraform and CDK compare it with what the functions are going to be.
PLATFORM_FILE_NAME: Final = "platform.json"
UNZIPPED_BYTES_MAX: Final = 30_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One function's archive."""

    function: str
    file: Path
    size: ArchiveSize


def source_root() -> Path:
    """The checkout that holds `asl_engine/` and `lambdas/`. Raises AslError."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "lambdas").is_dir():
        raise AslError(
            f"the functions' handlers (lambdas/) are not beside {root / 'asl_engine'}: run this from a checkout of "
            "asl-engine that is installed with pip install -e"
        )
    return root


def build_packages(
    root: Path, directory: Path, platform: Platform, *, more_sdk_services: Iterable[str] = ()
) -> Iterator[Package]:
    """Write `<function>.zip` for each function, one by one. Raises AslError: no wheel, or it grew too large."""
    more = tuple(more_sdk_services)
    with tempfile.TemporaryDirectory(prefix="asl-package-") as scratch:
        installed: dict[tuple[str, ...], Path] = {}
        for function, code in FUNCTIONS.items():
            if code.requirements not in installed:
                wheels = installed[code.requirements] = Path(scratch, str(len(installed)))
                install_wheels(code.requirements, platform, wheels)
            services = (*code.sdk_services, *more) if function in PERFORM_TASKS else code.sdk_services
            files = files_used(installed[code.requirements], services)
            files |= _engine_files(root) | _handler_files(root, function)
            target = directory / f"{function}.zip"
            yield _bounded(Package(function=function, file=target, size=write_archive(target, files)), files)


@contextmanager
def mark_platform(directory: Path, platform: Platform) -> Iterator[None]:
    """Note what the archives were built for, once all of them are: a deployment for anything else is refused."""
    note = directory / PLATFORM_FILE_NAME
    note.unlink(missing_ok=True)
    yield
    directory.mkdir(parents=True, exist_ok=True)
    built_for = {"architecture": platform.architecture, "runtime": platform.runtime}
    note.write_text(json.dumps(built_for) + "\n", encoding="utf-8")


def _engine_files(root: Path) -> dict[str, Path]:
    package = root / "asl_engine"
    files = {path.relative_to(package): path for path in package.rglob("*") if path.is_file()}
    return {
        f"asl_engine/{name.as_posix()}": path
        for name, path in files.items()
        if name.parts[0] not in NOT_DEPLOYED and path.suffix != ".pyc"
    }


def _handler_files(root: Path, function: str) -> dict[str, Path]:
    handler = root / "lambdas" / function / "handler.py"
    if not handler.is_file():
        raise AslError(f"the function {function} has no handler: {handler} is missing")
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted(handler.parent.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def _bounded(package: Package, files: Mapping[str, Path]) -> Package:
    if package.size.unzipped > UNZIPPED_BYTES_MAX:
        largest = sorted(files.items(), key=lambda each: each[1].stat().st_size, reverse=True)[:5]
        raise AslError(
            f"{package.function} takes {package.size.unzipped:,} bytes unzipped, more than {UNZIPPED_BYTES_MAX:,}; "
            f"its largest files: {', '.join(name for name, _ in largest)}"
        )
    return package
