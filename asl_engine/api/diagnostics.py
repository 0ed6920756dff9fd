"""Diagnostics of a definition in the form of the API: an error's text, or members of an answer.

Where a text is no JSON, AWS gives the place as its JSON parser does, in the message and as the location.
"""

from __future__ import annotations

from typing import Any

from asl_engine.api.jackson import complaint_of
from asl_engine.language.diagnostics import Diagnostic, DiagnosticCode


def told_by_aws(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Those of these that AWS tells: where its JSON parser stops, it looks at nothing else."""
    return next(((one,) for one in diagnostics if one.code is DiagnosticCode.INVALID_JSON_DESCRIPTION), diagnostics)


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
    is_no_json = diagnostic.code is DiagnosticCode.INVALID_JSON_DESCRIPTION
    complaint = complaint_of(definition.removeprefix("\ufeff")) if is_no_json else None
    if complaint is None:
        return diagnostic.message, diagnostic.location
    message, location = complaint
    return f"{message}\n at {location}", location
