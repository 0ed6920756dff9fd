"""The table of intrinsic functions, and the types of their parameters.

A function is declared in one place: `@intrinsic("States.ArrayPartition", Array, PositiveInteger)` names it and fixes
how many arguments it takes, what they may be, and what is said when they are not. Its body sees only what fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from asl_engine.json_value import JsonValue, json_type

Body = TypeVar("Body", bound=Callable[..., JsonValue])


class InvalidArgumentError(Exception):
    """An argument that the function cannot use. The text completes `The function '…' had the following error: …`."""


class Result(Enum):
    """What memory a function's result takes."""

    SMALL = "small"  # next to none, whatever the arguments
    SHARED = "shared"  # little: it is made of the arguments, which may stand in it several times
    TEXT = "text"  # as much as its JSON has characters


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an argument must be. `convert` gives the body's view of it, or raises TypeError."""

    name: str
    convert: Callable[[JsonValue], Any]
    takes_escapes: bool = False

    def refuse(self, value: JsonValue) -> InvalidArgumentError:
        """The error for a value of another type."""
        return InvalidArgumentError(f"expected {self.name} but found {json_type(value)}")


@dataclass(frozen=True, slots=True)
class IntrinsicFunction:
    """A declared function. The last `optional` parameters may be left out; `repeats` takes all further ones."""

    name: str
    body: Callable[..., JsonValue]
    parameters: tuple[Parameter, ...]
    optional: int
    repeats: Parameter | None
    draws: bool
    result: Result

    def parameter(self, position: int) -> Parameter | None:
        """The parameter for the argument at a position, or None where there may be none."""
        return self.parameters[position] if position < len(self.parameters) else self.repeats

    def admits(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        least = len(self.parameters) - self.optional
        return count >= least and (self.repeats is not None or count <= len(self.parameters))

    @property
    def arity(self) -> str:
        """How many arguments it takes, in words."""
        least, most = len(self.parameters) - self.optional, len(self.parameters)
        if self.repeats is not None:
            return f"at least {least}"
        return str(most) if least == most else f"{least} to {most}"


INTRINSIC_FUNCTIONS: Final[dict[str, IntrinsicFunction]] = {}


def intrinsic(
    name: str,
    *parameters: Parameter,
    optional: int = 0,
    repeats: Parameter | None = None,
    draws: bool = False,
    result: Result = Result.SHARED,
) -> Callable[[Body], Body]:
    """Enter a function into the table. With `draws` its body gets the scope's Entropy before the arguments."""

    def declare(body: Body) -> Body:
        assert name not in INTRINSIC_FUNCTIONS, f"{name} is declared twice"
        INTRINSIC_FUNCTIONS[name] = IntrinsicFunction(name, body, parameters, optional, repeats, draws, result)
        return body

    return declare


def _anything(value: JsonValue) -> JsonValue:
    return value


def _of_type(*types: type) -> Callable[[JsonValue], Any]:
    def convert(value: JsonValue) -> Any:
        if type(value) not in types:
            raise TypeError
        return value

    return convert


def _integer(value: JsonValue) -> int:
    """AWS rounds what is no integer as Java's Math.round does: halves go up."""
    if type(value) is int:
        return value
    if type(value) is float:
        return math.floor(value + 0.5)
    raise TypeError


def _positive_integer(value: JsonValue) -> int:
    number = _integer(value)
    if number < 1:
        raise TypeError
    return number


Anything: Final = Parameter("any value", _anything)
Array: Final = Parameter("an array", _of_type(list))
Object: Final = Parameter("an object", _of_type(dict))
String: Final = Parameter("a string", _of_type(str))
Template: Final = Parameter("a string", _of_type(str), takes_escapes=True)
Boolean: Final = Parameter("a boolean", _of_type(bool))
Integer: Final = Parameter("a number", _integer)
PositiveInteger: Final = Parameter("a number above 0", _positive_integer)
