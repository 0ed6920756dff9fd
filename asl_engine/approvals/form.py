"""The fields that a decision may ask for, and the typed values that people's texts become."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from asl_engine.json_value import JsonObject, JsonValue

TEXT_LENGTH_MAX: Final = 4_000
# What a JSON consumer reads back unchanged: https://www.rfc-editor.org/rfc/rfc8259#section-6
_INTEGER_MAX: Final = 2**53 - 1
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Nothing but these is as good as empty: spaces, controls, format characters and marks on nothing, and what Unicode
# counts as letters or symbols although it shows nothing (Hangul fillers, the empty Braille pattern).
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
_INVISIBLE: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class FieldType(StrEnum):
    """How a field is asked for, and what its value is in the task's output."""

    TEXT = "text"  # a string
    LONG_TEXT = "longText"  # a string of several lines
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"  # a string, YYYY-MM-DD
    CHOICE = "choice"  # one of the options


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field. `required_for` names the choices that need it: a boolean must then be true."""

    name: str
    label: str
    type: FieldType = FieldType.TEXT
    options: tuple[str, ...] = ()
    required_for: frozenset[str] = frozenset()

    def read(self, written: str) -> JsonValue:
        """The value of what was written. Raises ValueError with a sentence for the person who wrote it."""
        text = _cleaned(written)
        match self.type:
            case FieldType.INTEGER:
                return _integer(text)
            case FieldType.NUMBER:
                return _number(text)
            case FieldType.BOOLEAN:
                return text in {"on", "true", "yes", "1"}
            case FieldType.DATE:
                return _date(text)
            case FieldType.CHOICE if text not in self.options:
                raise ValueError(f"must be one of: {', '.join(self.options)}")
        if len(text) > TEXT_LENGTH_MAX:
            raise ValueError(f"must have at most {TEXT_LENGTH_MAX} characters; it has {len(text)}")
        return text


def read_form(
    fields: tuple[FormField, ...], written: Mapping[str, str], choice: str
) -> tuple[JsonObject, dict[str, str]]:
    """The values of a form, and what is wrong with it by the name of the field. Fields left empty have no value."""
    values: JsonObject = {}
    problems: dict[str, str] = {}
    for field in fields:
        text = _cleaned(written.get(field.name, ""))
        if field.type is FieldType.BOOLEAN:
            values[field.name] = field.read(text)
            if choice in field.required_for and values[field.name] is not True:
                problems[field.name] = "must be ticked"
        elif not text:
            if choice in field.required_for:
                problems[field.name] = "must be filled in"
        else:
            try:
                values[field.name] = field.read(text)
            except ValueError as error:
                problems[field.name] = str(error)
    return values, problems


def _cleaned(written: str) -> str:
    """Without controls and what surrounds it; empty if nothing of it can be seen."""
    text = _CONTROLS.sub("", written.replace("\r\n", "\n")).strip()
    return text if any(map(_is_visible, text)) else ""


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES and character not in _INVISIBLE


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,16}", text) or abs(int(text)) > _INTEGER_MAX:
        raise ValueError("must be a whole number, as in 12")
    return int(text)


def _number(text: str) -> float | int:
    if re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        return int(text)
    if not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]{1,3})?", text) or math.isinf(float(text)):
        raise ValueError("must be a number, as in 0.95")
    return float(text)


def _date(text: str) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date, as in 2026-12-31") from None
    return found.isoformat()
