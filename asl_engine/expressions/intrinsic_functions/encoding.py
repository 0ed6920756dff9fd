"""Intrinsic functions for Base64."""

from __future__ import annotations

import base64
import binascii

from asl_engine.expressions.intrinsic_functions.registry import InvalidArgumentError, String, intrinsic
from asl_engine.json_value import JsonValue
from asl_engine.limits import INTRINSIC_BASE64_CHARACTERS_MAX


@intrinsic("States.Base64Encode", String)
def base64_encode(text: str) -> JsonValue:
    """The text's UTF-8 in MIME Base64."""
    return base64.b64encode(_bounded(text).encode("utf-8", "surrogatepass")).decode("ascii")


@intrinsic("States.Base64Decode", String)
def base64_decode(text: str) -> JsonValue:
    """The text whose UTF-8 was encoded."""
    try:
        return base64.b64decode(_bounded(text), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise InvalidArgumentError("the argument is not the Base64 of a text") from error


def _bounded(text: str) -> str:
    if len(text) > INTRINSIC_BASE64_CHARACTERS_MAX:
        raise InvalidArgumentError(f"the argument is longer than {INTRINSIC_BASE64_CHARACTERS_MAX} characters")
    return text
