"""asl-engine: a serverless interpreter for Amazon States Language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asl_engine.embedded import ExecutionResult as ExecutionResult
    from asl_engine.embedded import run as run
    from asl_engine.errors import AslError as AslError
    from asl_engine.errors import TaskError as TaskError

__version__ = "0.1.0"
_HOMES = {"run": "embedded", "ExecutionResult": "embedded", "AslError": "errors", "TaskError": "errors"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the import of the package itself stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'asl_engine' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"asl_engine.{_HOMES[name]}"), name)
