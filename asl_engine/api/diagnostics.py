"""Diagnostics of a definition in the form of the API: an error's text, or members of an answer.

Where a text is no JSON, AWS gives the place as its JSON parser does, in the message and as the location.
"""

from __future__ import annotations

import re
from typing import Any, Final

from asl_engine.language.diagnostics import Diagnostic, DiagnosticCode

_SOURCE_CHARACTERS_MAX: Final = 500
_TOKEN: Final = re.compile(r"Unrecognized token '([^']*)'")


def shown_diagnostic(diagnostic: Diagnostic, definition: str) -> dict[str, Any]:
    """A diagnostic as ValidateStateMachineDefinition answers it."""
    message, location = _message_and_location(diagnostic, definition)
    shown = {"severity": diagnostic.severity.value, "code": diagnostic.code.value, "message": message}
    return {**shown, "location": location} if location else shown


def error_text(diagnostic: Diagnostic, definition: str) -> str:
    """A diagnostic as it stands in the message of InvalidDefinition."""
    message, location = _message_and_location(diagnostic, definition)
    place = f" at {location}" if diagnostic.location else ""
    return f"{diagnostic.code}: {message}{place}"


def _message_and_location(diagnostic: Diagnostic, definition: str) -> tuple[str, str]:
    if diagnostic.code is not DiagnosticCode.INVALID_JSON_DESCRIPTION or diagnostic.column is None:
        return diagnostic.message, diagnostic.location
    token = _TOKEN.match(diagnostic.message)  # the parser stands behind the token that it does not know
    column = diagnostic.column + (len(token[1]) if token else 0)
    location = f"[Source: (String){_source(definition)}; line: {diagnostic.line}, column: {column}]"
    return f"{diagnostic.message}\n at {location}", location


def _source(definition: str) -> str:
    beyond = len(definition) - _SOURCE_CHARACTERS_MAX
    return f'"{definition[:_SOURCE_CHARACTERS_MAX]}"' + (f"[truncated {beyond} chars]" if beyond > 0 else "")
