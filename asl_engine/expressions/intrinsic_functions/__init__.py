"""Intrinsic functions: `States.Format('Hello {}', $.name)`. One file per family of AWS's documentation.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from asl_engine.expressions.intrinsic_functions import (
    arrays,
    encoding,
    hashing,
    json_manipulation,
    math_operations,
    strings,
    unique_identifiers,
)
from asl_engine.expressions.intrinsic_functions.compiler import Intrinsic, compile_intrinsic
from asl_engine.expressions.intrinsic_functions.registry import INTRINSIC_FUNCTIONS

FAMILIES = (arrays, encoding, hashing, json_manipulation, math_operations, strings, unique_identifiers)
"""Importing a family enters its functions into the table."""

__all__ = ["FAMILIES", "INTRINSIC_FUNCTIONS", "Intrinsic", "compile_intrinsic"]
