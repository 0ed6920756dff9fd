from __future__ import annotations

from dataclasses import fields, replace

from asl_engine.interpreter.execution import EXECUTION_FIELDS, Execution
from tests.store.journals import started


def test_a_changed_execution_is_what_replace_would_make_of_it() -> None:
    execution = started().execution
    changes = {"sequence": 7, "output": {"total": 1}, "ready": ("0",)}
    assert execution.changed(changes) == replace(execution, sequence=7, output={"total": 1}, ready=("0",))
    assert execution.sequence == 0
    assert tuple(field.name for field in fields(Execution)) == EXECUTION_FIELDS
