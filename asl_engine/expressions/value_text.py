"""Values as AWS shows them: as Java prints them (`{Id=1, Tags=[a, b]}`), or as compact JSON."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from asl_engine.errors import EvaluationError, InvalidJson
from asl_engine.json_value import JsonValue, dump_json


def java_text(value: JsonValue) -> str:
    """What `toString` gives: strings without quotes, objects as `{key=value}`, null as `null`.

    Raises EvaluationError where a value is nested too deeply.
    """
    try:
        return _text(value)
    except RecursionError:
        raise EvaluationError("States.Runtime", "The value is nested too deeply to be shown") from None


def json_text(value: JsonValue) -> str:
    """The value in an error text; a value that is nested too deeply to have a JSON text is left out."""
    try:
        return dump_json(value)
    except InvalidJson:
        return "…"


def java_json(value: JsonValue) -> str:
    """The compact JSON text as Jackson writes it, with floats as `Double.toString` has them. Raises InvalidJson."""
    text = dump_json(value)
    if _UNLIKE_JAVA.search(text) is None:
        return text
    return _STRING_OR_FLOAT.sub(_as_java, text)


def java_class(value: JsonValue) -> str:
    """The class that Jackson reads a value into, as AWS's error texts name it."""
    match value:
        case None:
            return "null"
        case bool():
            return "java.lang.Boolean"
        case int() if -(2**31) <= value < 2**31:
            return "java.lang.Integer"
        case int() if -(2**63) <= value < 2**63:
            return "java.lang.Long"
        case int():
            return "java.math.BigInteger"
        case float():
            return "java.lang.Double"
        case str():
            return "java.lang.String"
        case list():
            return "java.util.ArrayList"
    return "java.util.LinkedHashMap"


def _text(value: JsonValue) -> str:
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return _double_text(value)
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return f"{{{', '.join(map('{}={}'.format, value, map(_text, value.values())))}}}"
    return str(value)


def _as_java(found: re.Match[str]) -> str:
    lexeme = found[0]
    return lexeme if lexeme[0] == '"' else _double_text(float(lexeme))


def _double_text(number: float) -> str:
    """`Double.toString`: exponents are written `1.0E7`, and only below 10^-3 and from 10^7."""
    if number == 0 or 1e-3 <= math.fabs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{exponent + len(digits) - 1}"


_UNLIKE_JAVA: Final = re.compile(r"\de[-+]\d|\d{8}\.\d|0\.000")
_STRING_OR_FLOAT: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?e[-+]\d+|-?\d+\.\d+')
