"""What the commands about a deployment share: its directory, the definitions to deploy, and the archives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from asl_engine.cli import wiring
from asl_engine.errors import AslError

if TYPE_CHECKING:
    from asl_engine.deploy.wheels import Platform
    from asl_engine.json_value import JsonObject

DEFAULT_DIRECTORY: Final = Path("deployment")
_DEFINITION_SUFFIX: Final = ".asl.json"

directory = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    envvar="ASL_DEPLOYMENT",
    show_envvar=True,
    help="Where Terraform's configuration and state of the deployment are.",
)
architecture = click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    help="Processor of the functions, by default arm64, which costs a fifth less.",
)
python = click.option("--python", "python", metavar="VERSION", help="Python version of the functions, by default 3.13.")


def definition_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Definitions by their machines' names: files, and every *.asl.json below directories. Raises AslError."""
    found: dict[str, Path] = {}
    for file in (file for path in paths for file in _files_below(path)):
        name = wiring.machine_name(file)
        if name in found:
            raise AslError(f"{found[name]} and {file} would both be deployed as {name}: rename one of them")
        found[name] = file
    if not found:
        raise AslError(f"no definition was found at {', '.join(map(str, paths))}: names end in {_DEFINITION_SUFFIX}")
    return found


def _files_below(path: Path) -> list[Path]:
    return sorted(path.rglob(f"*{_DEFINITION_SUFFIX}")) if path.is_dir() else [path]


def load_definitions(paths: Sequence[Path]) -> dict[str, JsonObject]:
    """Definitions by their machines' names. Raises InvalidDefinition."""
    from asl_engine.cli.definitions import load_machine

    return {name: load_machine(file).definition for name, file in definition_files(paths).items()}


def build(output: Path, platform: Platform, definitions: Path | None) -> None:
    """Write the archives, and the manifest of the definitions; tell of each. Raises AslError."""
    from asl_engine.deploy.packaging import build_packages, mark_platform, source_root

    # Definitions first: they are checked in a moment, and archives take a while.
    services = _write_manifest(output, definitions) if definitions is not None else frozenset()
    with mark_platform(output, platform):
        for package in build_packages(source_root(), output, platform, more_sdk_services=services):
            sizes = f"{_megabytes(package.size.zipped)} zipped {_megabytes(package.size.unzipped)} unzipped"
            click.echo(f"{package.function:<12} {sizes}   {package.file}")


def _write_manifest(output: Path, directory: Path) -> frozenset[str]:
    """Returns the SDK services that the definitions call."""
    from asl_engine.cli.results import json_text
    from asl_engine.deploy.manifest import FILE_NAME, manifest, sdk_services

    files = definition_files([directory])
    document = manifest(directory, files)
    output.mkdir(parents=True, exist_ok=True)
    (output / FILE_NAME).write_text(json_text(document) + "\n", encoding="utf-8")
    click.echo(f"{'definitions':<12} {', '.join(files)}   {output / FILE_NAME}")
    return sdk_services(document)


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:5.1f} MB"
