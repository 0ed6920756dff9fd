"""Archives hold what a function needs, are the same for the same sources, and are bounded."""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from asl_engine.deploy import packaging
from asl_engine.deploy.archive import write_archive
from asl_engine.deploy.functions import FUNCTIONS
from asl_engine.deploy.packaging import build_packages
from asl_engine.deploy.wheels import CONSTRAINTS, Platform, files_used
from asl_engine.errors import AslError
from tests.architecture.source_tree import ROOT

BUILT = ("definitions", "engine", "api")
PLATFORM = Platform(architecture="arm64", python="3.13")


def pinned() -> dict[str, str]:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def write_wheel(
    directory: Path, name: str, files: Mapping[str, str], tag: str = "py3-none-any", requires: str = "six"
) -> None:
    """A wheel as pip takes it, made of nothing but text."""
    version = pinned()[name]
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: {requires}\n"
    every = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    with zipfile.ZipFile(directory / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for path, text in every.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*every, f"{info}/RECORD"]))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of wheels that pip takes for the registry."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    for name, text in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", str(directory)), ("PIP_CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(name, text)
    data = {f"botocore/data/{service}/1/service-2.json.gz": "{}" for service in ("lambda", "dynamodb", "ec2")}
    shared = {"botocore/__init__.py": "", "botocore/data/endpoints.json": "{}", "botocore/stubs.pyi": ""}
    write_wheel(directory, "six", {"six.py": ""}, requires="six")
    write_wheel(directory, "botocore", {**shared, **data})
    write_wheel(directory, "aiobotocore", {"aiobotocore/__init__.py": ""}, requires="botocore")
    write_wheel(directory, "jlens", {"jlens/_jlens.abi3.so": "arm"}, "cp310-abi3-manylinux_2_28_aarch64")
    # Two functions that differ in everything; pip runs once for each set of requirements.
    monkeypatch.setattr(packaging, "FUNCTIONS", {name: FUNCTIONS[name] for name in BUILT})
    return directory


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A checkout: the engine, its command, and the handlers."""
    root = tmp_path / "sources"
    files = {"asl_engine/__init__.py": "", "asl_engine/cli/main.py": "", "asl_engine/store/x.pyc": ""}
    for name, text in {**files, **{f"lambdas/{each}/handler.py": each for each in FUNCTIONS}}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def names_in(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_an_archive_holds_the_handler_the_engine_and_the_wheels_that_it_imports(
    wheels: Path, sources: Path, tmp_path: Path
) -> None:
    built = {each.function: each.file for each in build_packages(sources, tmp_path / "out", PLATFORM)}

    assert tuple(built) == BUILT
    definitions = names_in(built["definitions"])
    assert {"lambdas/definitions/handler.py", "asl_engine/__init__.py", "botocore/__init__.py"} <= definitions
    assert "botocore/data/lambda/1/service-2.json.gz" in definitions
    unwanted = ("ec2", "dynamodb", "cli", "jlens", "lambdas/engine", ".pyi", ".pyc", "RECORD", "INSTALLER")
    assert [name for name in definitions for part in unwanted if part in name] == []
    assert {"jlens/_jlens.abi3.so", "botocore/data/dynamodb/1/service-2.json.gz"} <= names_in(built["engine"])


def test_services_that_definitions_call_are_added_to_what_performs_tasks(
    wheels: Path, sources: Path, tmp_path: Path
) -> None:
    packages = build_packages(sources, tmp_path / "out", PLATFORM, more_sdk_services=["ec2"])

    with_ec2 = [each.function for each in packages if "botocore/data/ec2/1/service-2.json.gz" in names_in(each.file)]
    assert with_ec2 == ["engine", "api"]


def test_the_same_sources_give_the_same_bytes(wheels: Path, sources: Path, tmp_path: Path) -> None:
    first = [each.file.read_bytes() for each in build_packages(sources, tmp_path / "first", PLATFORM)]
    for path in sources.rglob("*.py"):
        path.touch(mode=0o600)
    second = [each.file.read_bytes() for each in build_packages(sources, tmp_path / "second", PLATFORM)]

    assert first == second


def test_an_archive_that_grew_too_large_is_refused_with_its_largest_files(
    wheels: Path, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "asl_engine" / "large.py").write_text("#" * 5_000, encoding="utf-8")
    monkeypatch.setattr(packaging, "UNZIPPED_BYTES_MAX", 5_000)

    with pytest.raises(
        AslError, match=r"definitions takes .* more than 5,000; its largest files: asl_engine/large\.py"
    ):
        list(build_packages(sources, tmp_path / "out", PLATFORM))


def test_a_platform_without_wheels_is_named(wheels: Path, sources: Path, tmp_path: Path) -> None:
    with pytest.raises(AslError, match=r"no wheels of aiobotocore, jlens for python3\.13-x86_64"):
        list(build_packages(sources, tmp_path / "out", Platform(architecture="x86_64")))


def test_a_function_without_a_handler_is_named(wheels: Path, sources: Path, tmp_path: Path) -> None:
    (sources / "lambdas" / "definitions" / "handler.py").unlink()

    with pytest.raises(AslError, match=r"the function definitions has no handler: .*handler\.py is missing"):
        list(build_packages(sources, tmp_path / "out", PLATFORM))


def test_entries_are_sorted_and_have_one_time_and_mode(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name, encoding="utf-8")

    size = write_archive(tmp_path / "archive.zip", {name: tmp_path / name for name in ("b", "a")})

    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        entries = [(each.filename, each.date_time, each.external_attr >> 16) for each in archive.infolist()]
    assert entries == [("a", (1980, 1, 1, 0, 0, 0), 0o100644), ("b", (1980, 1, 1, 0, 0, 0), 0o100644)]
    assert size.unzipped == 2


def test_what_only_compilers_and_installers_read_is_left_out(tmp_path: Path) -> None:
    names = ("wheel/module.py", "wheel/module.c", "wheel/tests/test_module.py", "bin/tool", "x-1.dist-info/METADATA")
    for name in (*names, "x-1.dist-info/RECORD"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert set(files_used(tmp_path, ())) == {"wheel/module.py", "x-1.dist-info/METADATA"}


def test_what_is_packed_is_what_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["aws"]]
    versions = dict(requirement.split("==") for requirement in required)

    assert {name: version for name, version in pinned().items() if name in versions} == {
        name: version for name, version in versions.items() if name in pinned()
    }
    assert {name for code in FUNCTIONS.values() for name in code.requirements} <= set(pinned()) & set(versions)


def test_every_function_has_a_handler_that_lambda_finds() -> None:
    handlers = {path.parent.name: path.read_text(encoding="utf-8") for path in ROOT.glob("lambdas/*/handler.py")}

    assert set(handlers) == set(FUNCTIONS)
    assert [function for function, text in handlers.items() if "\ndef handle(" not in text] == []
