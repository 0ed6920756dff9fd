"""The text of a definition: its JSON value and, when a diagnostic asks, the line and column of each member.

Reading is the quick way through the standard library's parser. Only a text that holds a problem is scanned a second
time, for positions. Whatever the text, the answer is a value or problems: size and nesting are bounded first.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from asl_engine.json_value import JsonValue, size_bytes
from asl_engine.language.diagnostics import DiagnosticCode, Location
from asl_engine.limits import DEFINITION_BYTES_MAX, DEFINITION_TEXT_BYTES_MAX, JSON_DEPTH_MAX


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text. Both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A value that JSON does not have, such as NaN, and where it stands. `location` is its member's."""

    location: Location
    position: Position
    message: str
    hint: str = "write it as a string, or leave it out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text that was read. `positions` finds the members of a value; a duplicate key is the location of its twin.

    In the place of what was `refused`, the value has null. Of twins, it has the `first`, or else the last.
    """

    value: JsonValue
    text: str
    duplicates: tuple[tuple[Location, Position], ...] = ()
    refused: tuple[Refused, ...] = ()
    first: bool = False
    node_positions: Mapping[Location, Position] | None = field(default=None)

    def positions(self) -> Mapping[Location, Position]:
        """Where each member begins: its key in an object, itself in an array."""
        if self.node_positions is not None:
            return self.node_positions
        return json_members(self.text, first=self.first).positions


class SourceError(Exception):
    """A text that has no value. Whoever reads it makes of it what its own callers expect."""

    def __init__(
        self,
        message: str,
        *,
        code: DiagnosticCode = DiagnosticCode.INVALID_JSON_DESCRIPTION,
        position: Position | None = None,
        hint: str = "",
    ) -> None:
        self.message, self.code, self.position, self.hint = message, code, position, hint
        super().__init__(message)


def decode(text: str | bytes) -> str:
    """The characters of a text, bounded. Raises SourceError for one that is too large or no UTF-8."""
    if len(text) > DEFINITION_TEXT_BYTES_MAX:
        raise SourceError(
            f"the text has {len(text):,} characters; at most {DEFINITION_TEXT_BYTES_MAX:,} are read",
            code=DiagnosticCode.DEFINITION_TOO_LARGE,
            hint="move large constants out of the definition, to the input or to S3",
        )
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"byte {error.start} is no UTF-8", hint="save the file as UTF-8") from error


def read_json(text: str, *, first: bool = False) -> Source:
    """Read a JSON text; of a key given twice, the `first`, or else the last. Raises SourceError."""
    members = _NO_MEMBERS
    try:
        value = _decode_json(_decoder, text)
    except ValueError:
        value = _decode_json(_first_lenient_decoder if first else _lenient_decoder, text)
        members = json_members(text, first=first)
    if text.count("{") + text.count("[") > JSON_DEPTH_MAX and is_too_deep(value):
        raise too_deep(_first_too_deep(text))
    refuse_size(value, text)
    return Source(value=value, text=text, duplicates=members.duplicates, refused=members.refused, first=first)


def is_too_deep(value: JsonValue) -> bool:
    """Whether arrays and objects are nested deeper than JSON_DEPTH_MAX."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > JSON_DEPTH_MAX:
            return True
        children: list[JsonValue] = []
        for node in level:
            if isinstance(node, dict):
                children += node.values()
            elif isinstance(node, list):
                children += node
        level = [child for child in children if child.__class__ is dict or child.__class__ is list]
    return False


def refuse_size(value: JsonValue, text: str) -> None:
    """Raise SourceError if AWS would take the definition for too large even without its white space."""
    if len(text) * _UTF8_BYTES_MAX > DEFINITION_BYTES_MAX and (size := size_bytes(value)) > DEFINITION_BYTES_MAX:
        raise SourceError(
            f"the definition has {size:,} bytes; at most {DEFINITION_BYTES_MAX:,} are allowed",
            code=DiagnosticCode.DEFINITION_TOO_LARGE,
            hint="move parts of it to state machines of their own, started by states:startExecution.sync:2",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Where the members of a JSON text begin, the keys that repeat one of their object, and values that are no JSON."""

    positions: Mapping[Location, Position]
    duplicates: tuple[tuple[Location, Position], ...] = ()
    refused: tuple[Refused, ...] = ()


def json_members(text: str, *, first: bool = False) -> Members:
    """The members of a text that is valid JSON but for numbers that JSON does not have, and the `first` of twins."""
    positions: dict[Location, Position] = {(): Position(1, 1)}
    duplicates: list[tuple[Location, Position]] = []
    refused: list[Refused] = []
    path: list[str | int] = []
    keys: list[set[str | int]] = []  # that each object around has so far
    for lexeme, position in _lexemes(text):
        if lexeme in "}]":
            path.pop()
            keys.pop()
        elif lexeme == ",":
            _next_member(path)
        elif lexeme[0] == '"' and lexeme[-1] == ":":
            path[-1] = json.loads(lexeme[:-1])
            if path[-1] in keys[-1]:
                duplicates.append((tuple(path), position))
            keys[-1].add(path[-1])
            _note(positions, path, position, first)
        else:
            if path and isinstance(path[-1], int):
                _note(positions, path, position, first)
            if lexeme in "{[":
                path.append("" if lexeme == "{" else 0)
                keys.append(set())
            elif lexeme[0] != '"' and (message := _refusal(lexeme)):
                refused.append(Refused(location=tuple(path), position=position, message=message))
    return Members(positions=positions, duplicates=tuple(duplicates), refused=tuple(refused))


def _note(positions: dict[Location, Position], path: list[str | int], position: Position, first: bool) -> None:
    location = tuple(path)
    if not first or location not in positions:
        positions[location] = position


def _refusal(lexeme: str) -> str | None:
    """What is wrong with a word that is well-formed, if anything."""
    try:
        _decoder.decode(lexeme)
    except ValueError as error:
        return "a number has too many digits" if "digits" in str(error) else str(error)
    return None


def _next_member(path: list[str | int]) -> None:
    if isinstance(index := path[-1], int):
        path[-1] = index + 1


def _lexemes(text: str) -> Iterator[tuple[str, Position]]:
    line, line_start = 1, 0
    for match in _LEXEME.finditer(text):
        lexeme = match[0]
        if lexeme != "\n":
            yield lexeme, Position(line, match.start() - line_start + 1)
        if newlines := lexeme.count("\n"):
            line, line_start = line + newlines, match.start() + lexeme.rindex("\n") + 1


def _decode_json(decoder: json.JSONDecoder, text: str) -> JsonValue:
    """Raises ValueError for what the decoder refuses although it is well-formed, SourceError for anything else."""
    try:
        value: JsonValue = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise _syntax_error(text, error) from error
    except RecursionError as error:
        raise too_deep(_first_too_deep(text)) from error
    return value


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key occurs twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _or_null(text: str) -> JsonValue:
    try:
        value: JsonValue = _decoder.decode(text)
    except ValueError:
        return None
    return value


def too_deep(position: Position | None = None) -> SourceError:
    """The error for a text that is nested beyond JSON_DEPTH_MAX, or beyond what Python's own stack bears."""
    return SourceError(
        f"arrays and objects are nested too deeply: at most {JSON_DEPTH_MAX} levels are read",
        code=DiagnosticCode.NESTED_TOO_DEEPLY,
        position=position,
        hint="move what is inside to a state machine of its own, or to the input",
    )


def _first_too_deep(text: str) -> Position | None:
    depth = 0
    for lexeme, position in _lexemes(text):
        depth += (lexeme in "{[") - (lexeme in "}]")
        if depth > JSON_DEPTH_MAX:
            return position
    return None


def _syntax_error(text: str, error: json.JSONDecodeError) -> SourceError:
    if not text.strip():
        return SourceError("Definition must be a valid JSON object", code=DiagnosticCode.SCHEMA_VALIDATION_FAILED)
    placeholder = re.match(r"\$\{[^}\n]*\}", text[error.pos :])
    message, hint = error.msg, ""
    if word := _WORD.match(text, error.pos):
        message = f"Unrecognized token '{word[0]}': {_JACKSON_EXPECTED}"
    if placeholder:
        hint = f"fill {placeholder[0]} in before reading: it is a template's placeholder, and no JSON"
    elif text[: error.pos].rstrip()[-1:] == ",":
        hint = "remove the comma before it: JSON has no trailing commas"
    elif text[error.pos : error.pos + 2] in ("//", "/*"):
        hint = 'JSON has no comments; use a "Comment" field'
    return SourceError(message, position=Position(error.lineno, error.colno), hint=hint)


_UTF8_BYTES_MAX = 4
_WORD = re.compile(r"[A-Za-z_]\w{0,80}")
_JACKSON_EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}\[\],]|\n|[^\s{}\[\],:"]+')
_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite_float)
_lenient_decoder = json.JSONDecoder(parse_constant=_or_null, parse_float=_or_null, parse_int=_or_null)
_first_lenient_decoder = json.JSONDecoder(
    object_pairs_hook=lambda pairs: dict(reversed(pairs)),
    parse_constant=_or_null,
    parse_float=_or_null,
    parse_int=_or_null,
)
_NO_MEMBERS = Members(positions={})
