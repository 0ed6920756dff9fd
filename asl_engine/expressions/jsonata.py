"""JSONata expressions of a definition: `"{% $states.input.total * 2 %}"`.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html. The engine behind them is imported when the
first text is compiled.
"""

from __future__ import annotations

from typing import Final, TypeGuard

from asl_engine.expressions.scope import Expression

_OPEN: Final = "{%"
_CLOSE: Final = "%}"


def is_expression(value: object) -> TypeGuard[str]:
    """Whether a value of a definition is an expression: a string from `{%` to `%}` with nothing around it."""
    return (
        isinstance(value, str)
        and value.startswith(_OPEN)
        and value.endswith(_CLOSE)
        and len(value) >= len(_OPEN) + len(_CLOSE)
    )


def expression_text(value: str) -> str:
    """What stands between the delimiters of an expression, without surrounding white space."""
    return value[len(_OPEN) : -len(_CLOSE)].strip()


def delimiter_problem(value: object) -> str | None:
    """What is wrong with a string that has only one of the delimiters, which AWS refuses; None where nothing is."""
    if not isinstance(value, str) or is_expression(value):
        return None
    if value.startswith(_OPEN):
        return f"a JSONata expression that begins with {_OPEN} must end with {_CLOSE}"
    if value.endswith(_CLOSE):
        return f"a JSONata expression that ends with {_CLOSE} must begin with {_OPEN}"
    return None


def compile_jsonata(
    text: str, *, field: str, expected: str | None = None, absent: frozenset[str] = frozenset()
) -> Expression:
    """Compile the text between `{%` and `%}`.

    `field` names the place as AWS does in causes ("Output/total"); `expected` is the JSON type that the field needs,
    `absent` what `$states` does not have there. Raises InvalidExpression.
    """
    from asl_engine.expressions.jsonata_expression import JsonataExpression

    return JsonataExpression(text, field, expected, absent)
