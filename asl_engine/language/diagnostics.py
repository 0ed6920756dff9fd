"""What is wrong with a definition, where, and what to do about it.

A definition is read to its end whatever it holds, so that its author sees every problem at once. Codes, messages and
locations are those of AWS's ValidateStateMachineDefinition where AWS has been seen to answer; the others are ours.
The hint, and the line and column, are always ours.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

Location: TypeAlias = "tuple[str | int, ...]"


class Severity(StrEnum):
    """ERROR: AWS would refuse the definition. WARNING: it runs, and will surprise."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class DiagnosticCode(StrEnum):
    """The kinds of problems. Those in the first group are AWS's names."""

    SCHEMA_VALIDATION_FAILED = "SCHEMA_VALIDATION_FAILED"
    INVALID_JSON_DESCRIPTION = "INVALID_JSON_DESCRIPTION"
    MISSING_TRANSITION_TARGET = "MISSING_TRANSITION_TARGET"
    MISSING_END_STATE = "MISSING_END_STATE"
    DUPLICATE_STATE_NAME = "DUPLICATE_STATE_NAME"
    NO_DOLLAR = "NO_DOLLAR"
    NO_PATH = "NO_PATH"
    PASS_RESULT_IS_STATIC = "PASS_RESULT_IS_STATIC"  # noqa: S105 - a state type, no password

    INVALID_YAML = "INVALID_YAML"
    DEFINITION_TOO_LARGE = "DEFINITION_TOO_LARGE"
    NESTED_TOO_DEEPLY = "NESTED_TOO_DEEPLY"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    WRONG_QUERY_LANGUAGE = "WRONG_QUERY_LANGUAGE"
    EXCLUSIVE_FIELDS = "EXCLUSIVE_FIELDS"
    INVALID_EXPRESSION = "INVALID_EXPRESSION"
    UNKNOWN_NAME = "UNKNOWN_NAME"
    INVALID_VARIABLE_NAME = "INVALID_VARIABLE_NAME"
    VARIABLE_OF_OUTER_SCOPE = "VARIABLE_OF_OUTER_SCOPE"
    INVALID_ERROR_EQUALS = "INVALID_ERROR_EQUALS"
    UNKNOWN_RESOURCE = "UNKNOWN_RESOURCE"
    MALFORMED_ARN = "MALFORMED_ARN"
    UNRESOLVED_PLACEHOLDER = "UNRESOLVED_PLACEHOLDER"
    FIELD_HAS_NO_EFFECT = "FIELD_HAS_NO_EFFECT"
    TASK_WITHOUT_TIMEOUT = "TASK_WITHOUT_TIMEOUT"
    CALLBACK_WITHOUT_TIMEOUT = "CALLBACK_WITHOUT_TIMEOUT"
    CALLBACK_WITHOUT_TOKEN = "CALLBACK_WITHOUT_TOKEN"  # noqa: S105 - a callback's task token, no password
    UNBOUNDED_MAP = "UNBOUNDED_MAP"
    BLIND_RETRY = "BLIND_RETRY"
    ERROR_NEVER_MATCHES = "ERROR_NEVER_MATCHES"
    CHOICE_WITHOUT_DEFAULT = "CHOICE_WITHOUT_DEFAULT"
    MISPLACED_FIELD = "MISPLACED_FIELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem. `location` is a JSON Pointer as AWS writes it: "/" is the root, "" no place at all.

    `line` and `column` count from 1 and are None where there was no text, as for a definition given as a value.
    """

    severity: Severity
    code: DiagnosticCode
    location: str
    message: str
    hint: str = ""
    line: int | None = None
    column: int | None = None
    source_name: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source_name, self.line, self.column) if part is not None)
        head = f"{place}: " if place else ""
        location = f" {self.location}" if self.location else ""
        hint = "\n  hint: " + self.hint.replace("\n", "\n  ") if self.hint else ""
        return f"{head}{self.severity.lower()} {self.code}{location}: {self.message}{hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A diagnostic before its text is looked at. `member` is what line and column point to."""

    severity: Severity
    code: DiagnosticCode
    location: Location
    member: Location
    message: str
    hint: str


class Problems:
    """Collects what is found while a definition is read, once each; at most PROBLEMS_MAX. `errors` counts them all.

    What stands at an `unread` location is null in the place of something else: its value is no problem of its own.
    """

    __slots__ = ("_found", "_unread", "errors")

    def __init__(self, unread: frozenset[Location] = frozenset()) -> None:
        self._found: dict[tuple[DiagnosticCode, Location, str], Problem] = {}
        self._unread = unread
        self.errors = 0

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found.values())

    def error(
        self,
        location: Location,
        message: str,
        *,
        code: DiagnosticCode = DiagnosticCode.SCHEMA_VALIDATION_FAILED,
        hint: str = "",
        member: Location | None = None,
    ) -> None:
        """Add an error. `member` is where line and column point, when that is not `location`."""
        self._add(Severity.ERROR, code, location, message, hint, member)
        self.errors += 1

    def warning(self, location: Location, message: str, *, code: DiagnosticCode, hint: str = "") -> None:
        """Add a warning."""
        self._add(Severity.WARNING, code, location, message, hint, None)

    def _add(
        self,
        severity: Severity,
        code: DiagnosticCode,
        location: Location,
        message: str,
        hint: str,
        member: Location | None,
    ) -> None:
        problem = Problem(
            severity=severity,
            code=code,
            location=location,
            member=location if member is None else member,
            message=message,
            hint=hint,
        )
        if problem.member in self._unread and code is DiagnosticCode.SCHEMA_VALIDATION_FAILED:
            return
        if len(self._found) < PROBLEMS_MAX:
            self._found.setdefault((code, problem.member, message), problem)


def pointer(location: Location) -> str:
    """The JSON Pointer of a location. AWS writes "/" for the root."""
    return "/" + "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in location)


def printable(text: str, *, lines: bool = False) -> str:
    """The text without what would break a terminal or a log: control characters and half characters are escaped."""
    pattern = _UNPRINTABLE if lines else _UNPRINTABLE_OR_LINE_END
    return pattern.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or all of them when they are few."""
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names[:_NAMES_COMPARED_MAX]}
    near = difflib.get_close_matches(name[:_NAME_LENGTH_COMPARED_MAX].casefold(), folded, n=1)
    if near:
        return f'did you mean "{folded[near[0]]}"?'
    return f"known: {', '.join(names)}" if 0 < len(names) <= _NAMES_SHOWN_MAX else ""


_UNPRINTABLE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNPRINTABLE_OR_LINE_END: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
PROBLEMS_MAX: Final = 1_000
_NAMES_SHOWN_MAX: Final = 20
_NAMES_COMPARED_MAX: Final = 1_000
_NAME_LENGTH_COMPARED_MAX: Final = 100
