"""What tests of state machines hold: scripted tasks, a clock to move, an execution to look at.

A name is imported when it is first used: pytest loads this package's plugin in every session, and few need more of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asl_engine.testing.drive import Drive as Drive
    from asl_engine.testing.driven_execution import DrivenExecution as DrivenExecution
    from asl_engine.testing.scripted_machine import Asl as Asl
    from asl_engine.testing.scripted_machine import ScriptedMachine as ScriptedMachine
    from asl_engine.testing.scripted_machine import never as never
    from asl_engine.testing.scripted_machine import returns as returns
    from asl_engine.testing.scripted_machine import throws as throws

_HOMES = {
    "Asl": "scripted_machine",
    "Drive": "drive",
    "DrivenExecution": "driven_execution",
    "ScriptedMachine": "scripted_machine",
    "never": "scripted_machine",
    "returns": "scripted_machine",
    "throws": "scripted_machine",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'asl_engine.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"asl_engine.testing.{_HOMES[name]}"), name)
