"""The JSONata engine: the only module that knows jlens, so that another engine can take its place.

Step Functions implements JSONata 2.0.6 without `$eval`. What jlens adds to that is taken away here, every evaluation
is bounded, and what Python cannot tell apart (null, undefined, a function) is told apart. Importing this module imports
jlens: do it only where a JSONata text is at hand.

A text is compiled twice: bare, because only that proves that it is one expression, and then wrapped as

    ($states := $.`states`; $total := $.`total`; (){"value": (0; TEXT)})

for three reasons. jlens converts bindings whole on every call but reads its *input* only as far as the expression
goes, so what a text names is fetched from the input. Grouping over nothing, `(){…}`, leaves the context `$` undefined
for TEXT, as in Step Functions. And the object has no "value" where TEXT is undefined, and a null where it is null.
The `0;` lets TEXT begin with a regex. Only `$$` would still see the input, so a text with it is given bindings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from jlens import Document, Expression, JlensError

from asl_engine import limits
from asl_engine.errors import EvaluationNotQuick, InvalidExpression
from asl_engine.expressions.jsonata_functions import HOST_FUNCTIONS, chance_functions
from asl_engine.expressions.pace import PACE, Quick
from asl_engine.expressions.scope import Entropy
from asl_engine.json_value import JsonObject, JsonValue


class NoValue(Enum):
    """Results that are no JSON."""

    UNDEFINED = "undefined"
    FUNCTION = "function"


Result: TypeAlias = "JsonValue | NoValue"
_Given: TypeAlias = "Mapping[str, JsonValue] | None"


class JsonataError(Exception):
    """JSONata's own run-time error: `T1006: Attempted to invoke a non-function`, or the bound that was reached."""


class Program:
    """One JSONata text, compiled.

    `variables` are the names that the text reads from outside, `states` apart. `overridable` are names that it mentions
    and that mean something even without a variable: built-in functions, its own assignments. `reads_states` and
    `reads_context` say whether `$states` and the Context object have to be there at all; `states_members` are those
    that it names of `$states`.
    """

    __slots__ = (
        "_draws_chance",
        "_evaluate",
        "_names",
        "_reads_clock",
        "_removed",
        "_takes_bindings",
        "_text",
        "overridable",
        "reads_context",
        "reads_states",
        "states_members",
        "variables",
    )

    def __init__(self, text: str) -> None:
        """Raises InvalidExpression."""
        read = _read_from_outside(text)
        _refuse_newer_syntax(text)
        mentioned = frozenset(_NAME.findall(text))
        states_read = read.get("states", True)
        self.reads_states = "states" in mentioned
        self.reads_context = self.reads_states and (states_read is True or "context" in states_read)
        self.states_members = frozenset(() if states_read is True else states_read)
        self.variables = tuple(name for name in read if name.isidentifier() and name not in _RESERVED)
        self._names = (*self.variables, "states") if self.reads_states else self.variables
        self.overridable = tuple(mentioned.difference(self.variables, ("states",)))
        self._text = text
        self._takes_bindings = "$$" in text
        self._draws_chance = not mentioned.isdisjoint(_CHANCE)
        self._reads_clock = not mentioned.isdisjoint(_CLOCK)
        self._removed = {"eval": None} if "eval" in mentioned else {}
        self._evaluate = self._wrap(f"(0; {text})")

    def evaluate(self, outside: Mapping[str, JsonValue], overrides: JsonObject, entropy: Entropy, now: int) -> Result:
        """The value, where `outside` holds `states` and `variables`, `overrides` those of `overridable` that exist.

        Raises JsonataError.
        """
        bindings: dict[str, Any] = {**self._removed, **overrides} if self._removed else overrides
        if self._draws_chance:
            bindings = {**chance_functions(entropy), **bindings}
        given: _Given = outside
        if self._takes_bindings:
            given, bindings = None, {**self._named(outside), **bindings}
        bounds = {**_BOUNDS, "now": now} if self._reads_clock else _BOUNDS
        try:
            found = self._evaluated(self._evaluate, given, bindings, bounds)
            if found:
                value: JsonValue = found["value"]
                return value
            kind: JsonObject = self._evaluated(self._wrap(f"$type((0; {self._text}))"), given, bindings, bounds)
        except JlensError as error:
            raise JsonataError(f"{error.code}: {error}") from error
        except (TypeError, ValueError) as error:  # a host function's result that is no JSON, or its refusal
            raise JsonataError(str(error)) from error
        return NoValue.FUNCTION if kind.get("value") == NoValue.FUNCTION.value else NoValue.UNDEFINED

    def _evaluated(
        self, expression: Expression, given: _Given, bindings: dict[str, Any], bounds: dict[str, Any]
    ) -> Any:
        """Raises JlensError, or EvaluationNotQuick."""
        pace = PACE.get()
        if pace is None:
            return expression.evaluate(given, bindings, **bounds)
        if not isinstance(pace, Quick):
            return self._evaluated_aside(expression, given, bindings, bounds)
        left = pace.seconds_left()
        if left <= 0:
            raise EvaluationNotQuick
        try:
            return expression.evaluate(given, bindings, **{**bounds, "timeout": left})
        except JlensError as error:
            if error.code == _OUT_OF_TIME:
                raise EvaluationNotQuick from error
            raise

    def _evaluated_aside(
        self, expression: Expression, given: _Given, bindings: dict[str, Any], bounds: dict[str, Any]
    ) -> Any:
        """The same, while other threads run: what is converted whole needs nothing of Python. Raises JlensError."""
        if given is not None:
            return expression.evaluate_document(Document(self._named(given)), bindings, **bounds)
        text = expression.evaluate_json(None, bindings, **bounds)  # no document is the same as no input
        return json.loads(text or "{}", parse_int=lambda digits: int(float(digits)))

    def _named(self, outside: Mapping[str, JsonValue]) -> JsonObject:
        """Only what the text names, for where the whole of it is converted."""
        return {name: outside[name] for name in self._names if name in outside}

    def _wrap(self, body: str) -> Expression:
        fetched = "" if self._takes_bindings else "".join(f"${name} := $.`{name}`; " for name in self._names)
        try:
            expression = Expression(f'({fetched}(){{"value": {body}}})')
        except JlensError as error:  # the bare text is valid, so this is a bound: nesting
            raise InvalidExpression(self._text, f"{error.code}: {error}") from error
        for name in HOST_FUNCTIONS.keys() & set(self.overridable):
            expression.register_function(name, *HOST_FUNCTIONS[name])
        return expression


def _read_from_outside(text: str) -> Mapping[str, Any]:
    """The names that the text reads and does not assign itself; for each, which of its members, or True for all."""
    try:
        return Expression(text).reads()["bindings"]
    except JlensError as error:
        raise InvalidExpression(text, f"{error.code}: {error}", position=error.start) from error
    except UnicodeEncodeError as error:
        raise InvalidExpression(text, "half of a surrogate pair is no character", position=error.start) from error


def _refuse_newer_syntax(text: str) -> None:
    """`?:` and `??` came with JSONata 2.1."""
    if "?:" not in text and "??" not in text:
        return
    for token in _NEWER_SYNTAX.finditer(text):
        if token["operator"]:
            reason = f'S0211: The symbol "{token["operator"][1]}" cannot be used as a unary operator'
            raise InvalidExpression(text, reason, position=token.end() - 1)


_BOUNDS: Final[dict[str, Any]] = {
    "timeout": limits.EXPRESSION_MILLISECONDS_MAX / 1000,
    "max_depth": limits.EXPRESSION_DEPTH_MAX,
    "max_array_length": limits.EXPRESSION_ITEMS_MAX,
    "max_string_length": limits.EXPRESSION_RESULT_BYTES_MAX,
    "max_result_size": limits.EXPRESSION_RESULT_BYTES_MAX,
}
_OUT_OF_TIME: Final = "D1012"
_CHANCE: Final = frozenset(("random", "uuid"))
_CLOCK: Final = frozenset(("now", "millis"))
_RESERVED: Final = HOST_FUNCTIONS.keys() | _CHANCE | {"states", "eval"}
_NAME: Final = re.compile(r"\$(\w+)")
# The same characters mean nothing within strings, quoted names, comments, signatures (`<s?:n>`) and regexes.
_NEWER_SYNTAX: Final = re.compile(
    r""" "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*` | /\*.*?\*/
    | (?:function|λ)\s*\([^()]*\)\s*<[^{}]*>
    | (?:^|[-+*(,\[{:;=<>?&|.~!])\s*/(?:\\.|[^/\\])+/
    | (?P<operator>\?[?:]) """,
    re.VERBOSE | re.DOTALL,
)
