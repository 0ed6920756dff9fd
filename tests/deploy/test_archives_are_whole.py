"""A function finds in its archive all that it imports, and the model of every service that its code names.

The archives are built as they are deployed, from the distributions of this environment in place of wheels for Lambda:
they have the versions that are packed. A process that sees nothing but an archive and the standard library then
imports the handler and every module of the engine that can be reached from it, however late that is imported.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from asl_engine.deploy import packaging
from asl_engine.deploy.archive import ArchiveSize
from asl_engine.deploy.functions import FUNCTIONS
from asl_engine.deploy.packaging import build_packages
from asl_engine.deploy.wheels import Platform
from tests.architecture.source_tree import ROOT
from tests.aws.test_settings import ENVIRONMENT

SETTINGS = ENVIRONMENT | {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "ASL_API_FUNCTION": "asl-engine-api",
    "ASL_APPROVALS_URL": "https://abc123.execute-api.eu-west-1.amazonaws.com/approvals",
    "ASL_MAIL_FROM": "approvals@example.com",
    "ASL_SIGNING_KEYS": f"k1:{'0f' * 32}",
    "ASL_STORE": "dynamodb:executions",
}
MODELS = {service for code in FUNCTIONS.values() for service in code.sdk_services}
# Definitions may be YAML in files, which only the command line reads: the API of Step Functions takes JSON.
ONLY_FOR_FILES = {"asl_engine.language.yaml_source: No module named 'yaml'"}
REPORT = Path(__file__).with_name("archive_report.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list for each function, of what its archive would hold."""
    root = tmp_path_factory.mktemp("archives")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packaging, "install_wheels", install_from_here)
        patched.setattr(packaging, "write_archive", listed)
        list(build_packages(ROOT, root, Platform()))
    return root


def install_from_here(requirements: Iterable[str], _platform: Platform, directory: Path) -> None:
    """The distributions, and those that they require, as pip would install them from wheels."""
    for name in required(requirements, set()):
        for file, place in files_of(name):
            linked(directory / file, place)


@cache
def files_of(distribution: str) -> list[tuple[PurePath, Path]]:
    """Its files, by their names below site-packages, and where they are; not the models that no archive keeps."""
    files = importlib.metadata.distribution(distribution).files or ()
    return [(file, Path(str(file.locate()))) for file in files if not is_left_out(file)]


def is_left_out(file: PurePath) -> bool:
    is_model = file.parts[:2] == ("botocore", "data") and len(file.parts) > 3
    return ".." in file.parts or file.suffix == ".pyc" or (is_model and file.parts[2] not in MODELS)


def linked(file: Path, target: Path) -> None:
    try:
        file.symlink_to(target)
    except FileNotFoundError:
        file.parent.mkdir(parents=True)
        file.symlink_to(target)


def required(requirements: Iterable[str], found: set[str]) -> set[str]:
    for each in map(Requirement, requirements):
        name = canonicalize_name(each.name)
        if name not in found and (each.marker is None or each.marker.evaluate({"extra": ""})):
            found.add(name)
            required(importlib.metadata.requires(name) or (), found)
    return found


def listed(target: Path, files: Mapping[str, Path]) -> ArchiveSize:
    """In place of a zip file: where each of its files is. To unpack seven takes many seconds."""
    places = {name: str(source.readlink() if source.is_symlink() else source) for name, source in files.items()}
    target.with_suffix(".json").write_text(json.dumps(places), encoding="utf-8")
    return ArchiveSize(0, 0)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_needs_nothing_beside_its_archive(function: str, archives: Path) -> None:
    command = [sys.executable, "-I", "-S", "-B", "-c", REPORT, str(archives / f"{function}.json"), function]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASL_", "AWS_"))}
    ended = subprocess.run(command, env=kept | SETTINGS, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    assert report["reached"] > 5
    assert set(report["missing"]) <= ONLY_FOR_FILES
    assert report["models"] or function == "definitions"
