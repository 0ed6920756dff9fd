"""Load the file in which a user keeps the Python functions of a workflow's tasks.

The file is ordinary Python that defines `TASKS`. Whatever is wrong with it is told as file, line, reason and way out;
a traceback would show the engine's own frames.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Final

from asl_engine.errors import TasksFileError
from asl_engine.runtime.callables import PythonTasks, TaskFunction
from asl_engine.runtime.clock import Clock

_EXAMPLE: Final = 'define TASKS = {"NameOfState": function}, each function taking (event, context) or (event)'
_numbers = itertools.count(1)


def load_tasks_file(path: str | Path, clock: Clock) -> PythonTasks:
    """The tasks of a Python file: its `TASKS` maps names (see `TaskCall.names`) to functions.

    The file is imported anew each time, under a name of its own, with its directory first on the import path while
    that lasts. Raises TasksFileError.
    """
    file = Path(path)
    tasks = _tasks(file, _import(file))
    try:
        return PythonTasks(tasks, clock)
    except TypeError as error:
        raise TasksFileError(f"{file}: TASKS: {error}") from None


def _import(file: Path) -> ModuleType:
    if not file.is_file():
        what = "is a directory" if file.is_dir() else "does not exist"
        raise TasksFileError(f"{file}: the tasks file {what}; give the path of a Python file that defines TASKS")
    name = f"asl_tasks_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise TasksFileError(f"{file}: the tasks file is no Python file; give a file whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    directory = str(file.resolve().parent)
    sys.modules[name] = module  # dataclasses and pickle look their module up
    sys.path.insert(0, directory)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise TasksFileError(_explain(file, error)) from error
    finally:
        with contextlib.suppress(ValueError):  # the file may have tidied the path itself
            sys.path.remove(directory)
    return module


def _explain(file: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        where = file if error.filename == str(file.resolve()) else error.filename
        return f"{where}, line {error.lineno}: {error.msg}; mend the syntax and run again"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file.resolve())]
    line = f", line {frames[-1].lineno}" if frames else ""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, ImportError):
        return f"{file}{line}: {what}; install the module, or put it beside the tasks file"
    return f"{file}{line}: importing the file raised {what}; the file must import without running a workflow"


def _tasks(file: Path, module: ModuleType) -> dict[str, TaskFunction]:
    if not hasattr(module, "TASKS"):
        raise TasksFileError(f"{file}: the file has no TASKS; {_EXAMPLE}")
    tasks = module.TASKS
    if not isinstance(tasks, dict):
        raise TasksFileError(f"{file}: TASKS is {type(tasks).__name__}, not a dict; {_EXAMPLE}")
    for name in tasks:
        if not isinstance(name, str) or not name:
            raise TasksFileError(f"{file}: TASKS has the key {name!r}, which is no name; {_EXAMPLE}")
    return tasks
