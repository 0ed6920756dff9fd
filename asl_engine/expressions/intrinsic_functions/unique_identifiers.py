"""The intrinsic function for identifiers."""

from __future__ import annotations

from asl_engine.expressions.intrinsic_functions.registry import Result, intrinsic
from asl_engine.expressions.scope import Entropy
from asl_engine.json_value import JsonValue


@intrinsic("States.UUID", draws=True, result=Result.SMALL)
def uuid(entropy: Entropy) -> JsonValue:
    """A version 4 UUID."""
    return entropy.uuid()
