"""Loading a tasks file: what it may hold, and what is said of one that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from asl_engine.errors import TasksFileError
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.tasks import Succeeded
from asl_engine.runtime.tasks_file import load_tasks_file
from tests.runtime.task_calls import NOON, perform, task_call


def refusal(path: Path) -> str:
    with pytest.raises(TasksFileError) as raised:
        load_tasks_file(path, VirtualClock(NOON))
    return str(raised.value)


def written(directory: Path, text: str) -> Path:
    file = directory / "tasks.py"
    file.write_text(text)
    return file


def test_the_functions_of_a_file_perform_its_tasks(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    tasks = load_tasks_file(written(tmp_path, "TASKS = {'Charge': lambda event: event + 1}"), clock)
    assert perform(tasks, task_call(arguments=1), clock) == Succeeded(2)


def test_a_file_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_tasks.py").write_text("def charge(event, context):\n    return 'paid'\n")
    path_before = list(sys.path)
    clock = VirtualClock(NOON)
    file = written(tmp_path, "from neighbour_of_tasks import charge\nTASKS = {'Charge': charge}")
    assert perform(load_tasks_file(file, clock), task_call(), clock) == Succeeded("paid")
    assert sys.path == path_before


def test_a_file_may_define_dataclasses(tmp_path: Path) -> None:
    """They look their module up, so it must be known under its name."""
    text = "from __future__ import annotations\nimport dataclasses as d\n@d.dataclass\nclass A:\n    b: int\nTASKS = {}"
    load_tasks_file(written(tmp_path, text), VirtualClock(NOON))


def test_a_file_that_was_changed_is_loaded_anew(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    load_tasks_file(written(tmp_path, "TASKS = {'Charge': lambda event: 'first'}"), clock)
    second = load_tasks_file(written(tmp_path, "TASKS = {'Charge': lambda event: 'second one'}"), clock)
    assert perform(second, task_call(), clock) == Succeeded("second one")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tasks.py"
    assert refusal(file) == (
        f"{file}: the tasks file does not exist; give the path of a Python file that defines TASKS"
    )


def test_a_directory_is_no_tasks_file(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)


def test_a_file_without_the_suffix_of_python_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tasks.txt"
    file.write_text("TASKS = {}")
    assert "give a file whose name ends in .py" in refusal(file)


def test_a_syntax_error_is_placed(tmp_path: Path) -> None:
    file = written(tmp_path, "TASKS = {}\ndef charge(:\n    pass\n")
    assert refusal(file) == f"{file}, line 2: invalid syntax; mend the syntax and run again"


def test_a_missing_module_is_named_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, "\n\nimport no_such_module_anywhere\n")
    assert refusal(file) == (
        f"{file}, line 3: ModuleNotFoundError: No module named 'no_such_module_anywhere'; "
        "install the module, or put it beside the tasks file"
    )


@pytest.mark.parametrize("statement", ["{}['x']", "raise SystemExit(2)", "exit()"])
def test_a_file_that_raises_is_told_with_its_line(tmp_path: Path, statement: str) -> None:
    message = refusal(written(tmp_path, f"TASKS = {{}}\n{statement}\n"))
    assert "tasks.py, line 2: importing the file raised " in message
    assert "must import without running a workflow" in message


def test_a_failed_import_leaves_nothing_behind(tmp_path: Path) -> None:
    modules, path = set(sys.modules), list(sys.path)
    refusal(written(tmp_path, "1 / 0"))
    assert (set(sys.modules), sys.path) == (modules, path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tasks = {}", "the file has no TASKS; define TASKS = "),
        ("TASKS = ['Charge']", "TASKS is list, not a dict; define TASKS = "),
        ("TASKS = {1: print}", "TASKS has the key 1, which is no name"),
        ("TASKS = {'': print}", "TASKS has the key '', which is no name"),
        ("TASKS = {'Charge': 5}", 'TASKS: the task "Charge" is no function but int'),
        ("TASKS = {'Charge': lambda: 1}", 'the task "Charge" must be a function of (event, context) or (event)'),
    ],
)
def test_tasks_of_a_wrong_shape_are_told(tmp_path: Path, text: str, problem: str) -> None:
    file = written(tmp_path, text)
    assert refusal(file).startswith(f"{file}: ")
    assert problem in refusal(file)
