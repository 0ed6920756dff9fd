"""The JSONata functions that Step Functions adds to the language.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-step-functions

A function that is given nothing answers nothing, as JSONata's own do. It raises ValueError, whose text is shown to the
author, for arguments that its signature cannot refuse.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any, Final

from asl_engine import limits
from asl_engine.errors import InvalidJson
from asl_engine.expressions.scope import Entropy
from asl_engine.json_value import JsonValue, parse_json

_ALGORITHMS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}
# The only Python number that reaches JSONata as null: a None would be undefined.
_NULL: Final = math.nan


def partition(array: list[JsonValue] | None, size: float | None) -> list[list[JsonValue]] | None:
    """`$partition(array, size)`: consecutive chunks of `size`, the last one maybe shorter."""
    if array is None or size is None:
        return None
    chunk = int(size)
    if chunk < 1 or chunk != size:
        raise ValueError("$partition: the size of a chunk must be a positive integer")
    return [array[start : start + chunk] for start in range(0, len(array), chunk)]


def number_range(first: float | None, last: float | None, step: float | None) -> JsonValue:
    """`$range(first, last, step)`: numbers from `first` to `last`, both included. A single one is itself, no array."""
    if first is None or last is None or step is None:
        return None
    if step == 0:
        raise ValueError("$range: the step must not be zero")
    steps = (last - first) / step
    if steps < 0:
        return []
    if steps >= limits.EXPRESSION_ITEMS_MAX:
        raise ValueError(f"$range: an array must not exceed {limits.EXPRESSION_ITEMS_MAX} items")
    numbers: list[JsonValue] = [first + position * step for position in range(math.floor(steps) + 1)]
    return numbers[0] if len(numbers) == 1 else numbers


def digest(text: str | None, algorithm: str | None) -> str | None:
    """`$hash(text, algorithm)`: hexadecimal digest of the text's UTF-8 bytes."""
    if text is None or algorithm is None:
        return None
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"$hash: the algorithm must be one of {', '.join(_ALGORITHMS)}")
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def parse(text: str | None) -> JsonValue:
    """`$parse(text)`: the value of a JSON text."""
    if text is None:
        return None
    try:
        value = parse_json(text)
    except InvalidJson as error:
        raise ValueError(f"$parse: {error}") from error
    return _NULL if value is None else value


def chance_functions(entropy: Entropy) -> dict[str, Callable[..., Any]]:
    """`$random` and `$uuid`, drawing from an execution's own chance; a seeded `$random(7)` always gives the same."""

    def random(seed: float | None = None, *_ignored: object) -> float:
        return entropy.random() if seed is None else Entropy(str(seed)).random()

    def uuid(*_ignored: object) -> str:
        return entropy.uuid()

    return {"random": random, "uuid": uuid}


HOST_FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], str]]] = {
    "partition": (partition, "<an:a>"),
    "range": (number_range, "<nnn:x>"),
    "hash": (digest, "<ss:s>"),
    "parse": (parse, "<s:x>"),
}
