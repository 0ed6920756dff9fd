"""What a function lacks, told by a process that sees its archive and the standard library alone.

Run with a list of the archive's files and where they are (JSON), and the function's name; prints JSON.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, all_suffixes
from pathlib import Path

# A client that is asked for by name, a model that is read, the service of a kind of job.
SERVICE = re.compile(
    r'(?:client\(|load_service_model\(|service_model\(|^    service = )\s*"([a-z0-9-]+)"', re.MULTILINE
)

ARCHIVE: dict[str, str] = {}


def main(archive: Path, function: str) -> None:
    """Print what was reached and what is missing."""
    ARCHIVE.update(json.loads(archive.read_text(encoding="utf-8")))
    sys.meta_path.append(ArchiveFinder())
    reached: dict[str, str] = {}
    missing: list[str] = []
    waiting = [f"lambdas.{function}.handler"]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
            reached[name] = ""
            continue
        text = reached[name] = Path(str(module.__file__)).read_text(encoding="utf-8")
        for imported in imports(ast.parse(text)):
            if is_own(imported):
                waiting.append(imported)
            elif importlib.util.find_spec(imported.partition(".")[0]) is None:
                missing.append(f"{name}: {imported}")
    services = {service for text in reached.values() for service in SERVICE.findall(text)}
    missing += [f"the model of {service}" for service in sorted(services) if not has_model(service)]
    print(json.dumps({"reached": len(reached), "missing": missing, "models": sorted(services)}))  # noqa: T201 - what the test reads


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules that a module imports when it runs, at the top or later."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for other in node.orelse:
                    yield from imports(other)
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{each.name}" for each in names if is_own(f"{module}.{each.name}"))
            case _:
                yield from imports(node)


def is_own(name: str) -> bool:
    """Whether it is a module of the engine, and not a name in one."""
    if name.partition(".")[0] not in {"asl_engine", "lambdas"}:
        return False
    path = name.replace(".", "/")
    return f"{path}.py" in ARCHIVE or f"{path}/__init__.py" in ARCHIVE or path == "lambdas"


def has_model(service: str) -> bool:
    """Whether the archive holds its model."""
    return any(re.fullmatch(rf"botocore/data/{service}/[^/]+/service-2\.json(\.gz)?", name) for name in ARCHIVE)


class ArchiveFinder(MetaPathFinder):
    """Finds modules in the archive, and packages that are directories without a file of their own."""

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """See MetaPathFinder. Modules are found by their full names, so a package needs no place to look in."""
        name = fullname.replace(".", "/")
        if (package := ARCHIVE.get(f"{name}/__init__.py")) is not None:
            return importlib.util.spec_from_file_location(fullname, package, submodule_search_locations=[])
        for suffix in all_suffixes():
            if (file := ARCHIVE.get(name + suffix)) is not None:
                return importlib.util.spec_from_file_location(fullname, file)
        if any(each.startswith(f"{name}/") for each in ARCHIVE):
            namespace = ModuleSpec(fullname, None, is_package=True)
            namespace.submodule_search_locations = []
            return namespace
        return None


main(Path(sys.argv[1]), sys.argv[2])
