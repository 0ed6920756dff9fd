"""What the architecture tests look at: the project's own files, read once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("asl_engine", "lambdas", "infra", "state_machines", "benchmarks", "tests")
DOCUMENTS = ("*.md", "docs/**/*.md", "state_machines/**/*.md")


@cache
def text(path: Path) -> str:
    """The content of a file."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(path), filename=str(path))


def python_files(*directories: str) -> list[Path]:
    """Every Python file below these directories of the project, in order; hidden directories hold none of its own."""
    found = (path for directory in directories for path in (ROOT / directory).rglob("*.py"))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def documents() -> list[Path]:
    """Every Markdown file of the project, in order."""
    return sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)})


def name_of(path: Path) -> str:
    """A file as messages name it: its path from the project's root."""
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """The dotted name under which a Python file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a file: its name with the class around it, and its length in lines."""
    yield from _functions_in(tree(path), "")


def _functions_in(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield prefix + child.name, (child.end_lineno or child.lineno) - child.lineno + 1
                yield from _functions_in(child, f"{prefix}{child.name}.")
            case ast.ClassDef():
                yield from _functions_in(child, f"{prefix}{child.name}.")
            case _:
                yield from _functions_in(child, prefix)
