"""Every module is used, and importing the package costs next to nothing.

What may import what is the layer contract in pyproject.toml.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT, module_name, name_of, python_files, text, tree

# Standard library modules that cost a millisecond or more; nobody who imports the engine has asked for them yet.
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "email",
    "http",
    "multiprocessing",
    "sqlite3",
    "ssl",
    "unittest",
    "urllib.request",
}
# What a call of the command may need, and most do not.
COSTLY = {"aiobotocore", "aiohttp", "boto3", "botocore", "jlens", "jsonpath_ng", "rich", "yaml"}


def mentions(path: Path) -> Iterator[str]:
    """Every module that a file imports, or names in a string to import it later."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Constant(value=str(value)):
                yield value.partition(":")[0]
            case ast.JoinedStr(values=[ast.Constant(value=str(package)), ast.FormattedValue()]):
                yield from (package + name for name in constants(path))


def constants(path: Path) -> Iterator[str]:
    """Every string that a file contains."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def entry_points() -> set[str]:
    """The modules that are started from outside: declared in pyproject.toml, or programs of their own (`python -m`)."""
    programs = {module_name(path) for path in python_files("asl_engine") if "if __name__ ==" in text(path)}
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    declared = [project["scripts"], *project["entry-points"].values()]
    return programs | {target.partition(":")[0] for group in declared for target in group.values()}


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement and did not have before it."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(shown.stdout.split())


def test_every_module_is_imported_by_another() -> None:
    files = python_files("asl_engine")
    mentioned = {(name, path) for path in (*files, *python_files("lambdas")) for name in mentions(path)}
    used = entry_points() | {name for name, path in mentioned if name != module_name(path)}
    modules = {module_name(path): path for path in files if path.name not in {"__init__.py", "__main__.py"}}

    assert [name_of(path) for module, path in modules.items() if module not in used] == []


@pytest.mark.parametrize("module", ["asl_engine", "asl_engine.interpreter", "asl_engine.language"])
def test_importing_the_engine_imports_nothing_heavy(module: str) -> None:
    """The import is paid at every cold start of a function and every call of the command."""
    imported = imported_by(f"import {module}")
    foreign = {name for name in imported if name.partition(".")[0] not in {*sys.stdlib_module_names, "asl_engine"}}

    assert foreign == set()
    assert imported & HEAVY == set()


def test_the_command_starts_without_what_only_some_calls_need() -> None:
    """Help, a listing or a mistyped name should not wait for the AWS client or the expression engines."""
    assert imported_by("import asl_engine.cli.main") & COSTLY == set()
