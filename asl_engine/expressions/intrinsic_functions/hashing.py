"""The intrinsic function for hashes."""

from __future__ import annotations

import hashlib

from asl_engine.expressions.intrinsic_functions.registry import (
    Anything,
    InvalidArgumentError,
    Result,
    String,
    intrinsic,
)
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.limits import INTRINSIC_HASH_INPUT_CHARACTERS_MAX

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


@intrinsic("States.Hash", Anything, String, result=Result.SMALL)
def hash_value(data: JsonValue, algorithm: str) -> JsonValue:
    """The hash of a text, or of another value's JSON, in hexadecimal."""
    if algorithm not in _ALGORITHMS:
        raise InvalidArgumentError(f"the algorithm must be one of {', '.join(_ALGORITHMS)}, not {algorithm}")
    text = data if isinstance(data, str) else dump_json(data)
    if len(text) > INTRINSIC_HASH_INPUT_CHARACTERS_MAX:
        raise InvalidArgumentError(f"the data is longer than {INTRINSIC_HASH_INPUT_CHARACTERS_MAX} characters")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
