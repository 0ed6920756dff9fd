"""The data that an ItemReader is said to have read, in the format that its ReaderConfig names, as items.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from asl_engine.errors import InvalidJson, ValidationException
from asl_engine.json_value import JsonObject, JsonValue, parse_json

_DELIMITERS: Final = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_INDEX: Final = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class ItemData:
    """The items; `has_pointer` where ItemsPointer selected them."""

    items: list[JsonValue]
    has_pointer: bool


def read_item_data(text: str, item_reader: JsonObject) -> ItemData:
    """Read `mapItemReaderData`. Raises ValidationException for data that is not in the reader's format."""
    config = item_reader.get("ReaderConfig")
    config = config if isinstance(config, dict) else {}
    match config.get("InputType", "JSON"):
        case "CSV":
            return ItemData(_csv_rows(text, config), has_pointer=False)
        case "JSONL":
            lines: list[JsonValue] = [_json(line) for line in text.splitlines() if line.strip()]
            return ItemData(lines, has_pointer=False)
        case _:
            pointer = config.get("ItemsPointer")
            value = _json(text)
            items = _at(value, pointer) if isinstance(pointer, str) else value
            if not isinstance(items, list):
                raise ValidationException("Map item reader data must hold an array of items.")
            return ItemData(items, has_pointer=isinstance(pointer, str))


def _json(text: str) -> JsonValue:
    try:
        return parse_json(text)
    except InvalidJson as error:
        raise ValidationException("Map item reader data must be valid JSON") from error


def _at(value: JsonValue, pointer: str) -> JsonValue:
    """What a JSON Pointer leads to; null where that is nothing."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _csv_rows(text: str, config: JsonObject) -> list[JsonValue]:
    """A row is an object of the columns that have a name; what stands beyond them is left out, as on AWS."""
    delimiter = _DELIMITERS[str(config.get("CSVDelimiter", "COMMA"))]
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise ValidationException(f"Map item reader data must be valid CSV: {error}") from error
    given = config.get("CSVHeaders")
    headers = [str(name) for name in given] if isinstance(given, list) else rows.pop(0) if rows else []
    return [{name: row[at] if at < len(row) else "" for at, name in enumerate(headers)} for row in rows]
