"""Names that callers choose. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""

from __future__ import annotations

import re
from typing import Final

from asl_engine.errors import InvalidName
from asl_engine.limits import EXECUTION_NAME_LENGTH_MAX

FORBIDDEN_IN_NAMES: Final = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def refuse_bad_name(name: str) -> None:
    """Raises InvalidName, in AWS's words, for what AWS accepts as no name."""
    if not 1 <= len(name) <= EXECUTION_NAME_LENGTH_MAX or FORBIDDEN_IN_NAMES.search(name):
        raise InvalidName(f"Invalid Name: '{name}'")
