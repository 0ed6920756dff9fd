"""What AWS's JSON parser, Jackson, says of a text that is no JSON, and where it stands when it says so.

It reads a text that was refused already, once more and for its first mistake only. Jackson's place is behind the
character or word that it does not take.
https://github.com/FasterXML/jackson-core: ParserMinimalBase, ReaderBasedJsonParser
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from asl_engine.errors import InvalidJson

_SOURCE_CHARACTERS_MAX: Final = 500
_VALUES: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_CLOSING: Final = {"{": "}", "[": "]"}
_KINDS: Final = {"{": "Object", "[": "Array"}
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(r"[^\W\d]\w*|\$[\w$]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def invalid_json_text(text: str, error: InvalidJson) -> str:
    """The message for a text that was refused with this error, in AWS's words where Jackson has some."""
    complaint = complaint_of(text)
    if complaint is None:
        return str(error)
    message, location = complaint
    return f"{message}\n at {location}"


def complaint_of(text: str) -> tuple[str, str] | None:
    """Jackson's message and location; None for what Jackson would take, or ends with a message unknown here."""
    reader = _Reader(text)
    try:
        reader.read()
    except _Complaint as complaint:
        return complaint.message, location_of(text, complaint.position)
    return None


def location_of(text: str, position: int) -> str:
    """A place in a text, as Jackson writes it. `position` counts characters from 0."""
    if not text.strip():
        return f"[Source: (String){_source(text)}; line: 1, column: 0]"
    ends = [end.end() for end in _LINE_END.finditer(text, 0, position)]
    column = position - (ends[-1] if ends else 0) + 1
    return f"[Source: (String){_source(text)}; line: {len(ends) + 1}, column: {column}]"


def _source(text: str) -> str:
    beyond = len(text) - _SOURCE_CHARACTERS_MAX
    return f'"{text[:_SOURCE_CHARACTERS_MAX]}"' + (f"[truncated {beyond} chars]" if beyond > 0 else "")


class _Complaint(Exception):
    def __init__(self, message: str, position: int) -> None:
        self.message, self.position = message, position
        super().__init__(message)


class _Reader:
    """Reads one value. `_open` are the places of the objects and arrays that are not closed."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._open: list[int] = []
        self._has_members = False  # the innermost of them

    def read(self) -> None:
        """Raises _Complaint."""
        if not self._next():
            raise _Complaint("No content to map due to end-of-input", 0)
        self._value()
        while self._open:
            self._member()

    def _member(self) -> None:
        """What follows an opening, or a value inside: the closing, or one more member."""
        opening = self._text[self._open[-1]]
        character = self._next()
        if not character:
            self._no_close()
        if character in "}]":
            self._close(character)
            return
        if self._has_members:
            if character != ",":
                self._unexpected(f"was expecting comma to separate {_KINDS[opening]} entries")
            self._at += 1
        self._has_members = True
        if opening == "{":
            self._name()
        self._value()

    def _value(self) -> None:
        character = self._next_inside() if self._open else self._next()
        if character == '"':
            self._string("string value", ": was expecting closing quote for a string value")
        elif character in _CLOSING:
            self._open.append(self._at)
            self._has_members = False
            self._at += 1
        elif number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            self._check_number_ends(number[0])
        elif word := _WORD.match(self._text, self._at):
            self._word(word[0])
        else:
            self._no_value()

    def _no_value(self) -> NoReturn:
        following = self._text[self._at + 1 : self._at + 2]
        if self._text[self._at] == "-" and following:
            shown = f"Unexpected character ({_described(following)}) in numeric value: "
            raise _Complaint(f"{shown}expected digit (0-9) to follow minus sign, for valid numeric value", self._at + 2)
        self._unexpected(f"expected a valid value {_VALUES}")

    def _check_number_ends(self, number: str) -> None:
        following = self._text[self._at : self._at + 2]
        if number in {"0", "-0"} and "0" <= following[:1] <= "9":
            raise _Complaint("Invalid numeric value: Leading zeroes not allowed", self._at)
        if following[:1] == "." and following[1:]:
            shown = f"Unexpected character ({_described(following[1])}) in numeric value: "
            raise _Complaint(f"{shown}Decimal point not followed by a digit", self._at + 2)

    def _word(self, word: str) -> None:
        self._at += len(word)
        if word in {"NaN", "Infinity", "INF"}:
            message = f"Non-standard token '{word}': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow"
            raise _Complaint(message, self._at)
        if word not in {"null", "true", "false"}:
            raise _Complaint(f"Unrecognized token '{word}': was expecting {_VALUES}", self._at)

    def _name(self) -> None:
        if self._next_inside() != '"':
            self._unexpected("was expecting double-quote to start field name")
        self._string("name", " in field name")
        if self._next_inside() != ":":
            self._unexpected("was expecting a colon to separate field name and value")
        self._at += 1

    def _string(self, what: str, unclosed: str) -> None:
        self._at += 1
        while True:
            plain = _PLAIN.match(self._text, self._at)
            self._at = plain.end() if plain else self._at
            character = self._text[self._at : self._at + 1]
            if not character:
                raise _Complaint(f"Unexpected end-of-input{unclosed}", self._at)
            if character == '"':
                self._at += 1
                return
            if character != "\\":
                shown = f"Illegal unquoted character ({_described(character)}): "
                raise _Complaint(f"{shown}has to be escaped using backslash to be included in {what}", self._at + 1)
            self._escape()

    def _escape(self) -> None:
        escape = _ESCAPE.match(self._text, self._at)
        if escape is None:
            escaped = self._text[self._at + 1 : self._at + 2]
            if not escaped:
                raise _Complaint("Unexpected end-of-input in character escape sequence", self._at + 1)
            raise _Complaint(f"Unrecognized character escape {_described(escaped)}", self._at + 2)
        self._at = escape.end()

    def _close(self, character: str) -> None:
        start = self._open.pop()
        self._has_members = True
        opening = self._text[start]
        self._at += 1
        if character != _CLOSING[opening]:
            where = f"(for {_KINDS[opening]} starting at {location_of(self._text, start)})"
            raise _Complaint(f"Unexpected close marker '{character}': expected '{_CLOSING[opening]}' {where}", self._at)

    def _no_close(self) -> NoReturn:
        start = self._open[-1]
        where = f"(start marker at {location_of(self._text, start)})"
        kind = _KINDS[self._text[start]]
        raise _Complaint(f"Unexpected end-of-input: expected close marker for {kind} {where}", self._at)

    def _next_inside(self) -> str:
        character = self._next()
        if not character:
            kind = _KINDS[self._text[self._open[-1]]]
            raise _Complaint(f"Unexpected end-of-input within/between {kind} entries", self._at)
        return character

    def _next(self) -> str:
        """The next character that is no white space; "" at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def _unexpected(self, expected: str) -> NoReturn:
        raise _Complaint(f"Unexpected character ({_described(self._text[self._at])}): {expected}", self._at + 1)


def _described(character: str) -> str:
    code = ord(character)
    if code < ord(" ") or 0x7F <= code <= 0x9F:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code}{f' / 0x{code:x}' if code > 0xFF else ''})"
