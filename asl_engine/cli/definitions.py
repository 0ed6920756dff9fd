"""Definition files that a command needs whole: what is wrong with one is told, not half of it used."""

from __future__ import annotations

from pathlib import Path

from asl_engine.errors import InvalidDefinition
from asl_engine.language.definition import StateMachine
from asl_engine.language.diagnostics import Severity
from asl_engine.language.parser import load_definition


def load_machine(file: Path) -> StateMachine:
    """The machine of a file. Raises InvalidDefinition with its errors, and AslError for a file that cannot be read."""
    parsed = load_definition(file)
    if parsed.machine is None:
        raise InvalidDefinition([one for one in parsed.diagnostics if one.severity is Severity.ERROR])
    return parsed.machine
