"""Turn what a task's code returned into a JSON value, as AWS Lambda's Python runtime does.

The value is copied on the way, so that code which keeps its result and changes it later changes nothing here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from asl_engine.errors import InvalidJson
from asl_engine.json_value import JsonValue, parse_json


class MarshalError(Exception):
    """A value that has no JSON text. The message says which type it met, and where."""


def marshal(value: object) -> JsonValue:
    """The JSON value of a Python value: tuples become arrays, Decimals numbers, bytes the JSON text they hold.

    Raises MarshalError.
    """
    if isinstance(value, bytes | bytearray):
        return _from_bytes(bytes(value))
    try:
        return parse_json(_encode(value))
    except (TypeError, ValueError, RecursionError, InvalidJson) as error:
        raise MarshalError(_explain(value) or f"Unable to marshal response: {error}") from error


def _from_bytes(text: bytes) -> JsonValue:
    try:
        return parse_json(text)
    except InvalidJson:
        return text.decode("utf-8", "replace")


def _number(value: object) -> int | float:
    """Decimals come out of DynamoDB; Lambda writes them as the numbers they are."""
    if not isinstance(value, Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


def _explain(value: object) -> str | None:
    """The sentence for the first part of `value` that is no JSON."""
    try:
        return next((f"Unable to marshal response: {problem} at {path}" for path, problem in _problems(value)), None)
    except RecursionError:
        return "Unable to marshal response: it is nested too deeply"


def _problems(value: object, path: str = "$", around: tuple[int, ...] = ()) -> Iterator[tuple[str, str]]:
    if id(value) in around:
        yield path, "Circular reference detected"
    elif isinstance(value, Mapping) and isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str | int | float | None):
                yield path, f"keys must be strings, not {type(key).__name__},"
            yield from _problems(member, f"{path}.{key}", (*around, id(value)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _problems(item, f"{path}[{index}]", (*around, id(value)))
    elif isinstance(value, float | Decimal) and not math.isfinite(value):
        yield path, f"{value} is not JSON,"
    elif not isinstance(value, str | int | float | Decimal | None):
        yield path, f"Object of type {type(value).__name__} is not JSON serializable,"


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_number).encode
