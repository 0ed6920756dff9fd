"""JSON values: what a definition, an input and every payload is made of.

Values are shared freely (a state's output is the next state's input), so they are never changed in place.
int and float stay distinct, as AWS keeps `0.0` apart from `0`. NaN and Infinity are no JSON and are refused
in both directions.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, TypeAlias

from asl_engine.errors import InvalidJson

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"


def parse_json(text: str | bytes) -> JsonValue:
    """Parse a JSON text strictly. Raises InvalidJson with line and column."""
    try:
        value: JsonValue = _decode(text.decode("utf-8") if isinstance(text, bytes) else text)
    except json.JSONDecodeError as error:
        raise InvalidJson(error.msg, line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise InvalidJson("nested too deeply") from error
    except ValueError as error:
        raise InvalidJson(str(error)) from error
    return value


def dump_json(value: JsonValue) -> str:
    """The compact JSON text of a value. Raises InvalidJson for what has none (NaN, bytes, a cycle, a set…)."""
    try:
        return _encode(value)
    except (TypeError, ValueError) as error:
        raise InvalidJson(str(error)) from error
    except RecursionError as error:
        raise InvalidJson("nested too deeply") from error


def json_copy(value: JsonValue) -> JsonValue:
    """The value as its JSON text has it: nothing of the caller's is shared. Raises InvalidJson for what has none."""
    return parse_json(dump_json(value))


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values have the same JSON text but for the order of members: for Python, true equals 1 equals 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def size_bytes(value: JsonValue) -> int:
    """The length of the value's JSON text in UTF-8, the measure of every payload limit."""
    return len(dump_json(value).encode("utf-8", "surrogatepass"))


def json_type(value: JsonValue) -> str:
    """The JSON name of a value's type: null, boolean, number, string, array or object."""
    return _TYPE_NAMES[type(value)]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text} is too large")
    return number


_TYPE_NAMES: dict[type[Any], str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
# Made once: json.loads would make a decoder for each text, which costs more than reading a small one.
_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite_float).decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
