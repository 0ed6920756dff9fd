"""Calls that fail whatever the data, by what is written in them. AWS accepts them, and fails when it evaluates them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from asl_engine.errors import EvaluationError, InvalidExpression
from asl_engine.expressions.intrinsic_functions.compiler import compile_call
from asl_engine.expressions.intrinsic_functions.parser import Argument, Call, Literal, parse_call
from asl_engine.expressions.scope import Scope


def sure_failures(text: str) -> Iterator[str]:
    """Why a call can only fail, for it and each call inside. Nothing for what does not compile."""
    try:
        call = parse_call(text)
    except InvalidExpression:
        return
    yield from _failures(call)


def _failures(call: Call) -> Iterator[str]:
    for argument in call.arguments:
        if isinstance(argument, Call):
            yield from _failures(argument)
    arguments = call.arguments
    if call.function.name == "States.Format" and isinstance(arguments[0], Literal):
        arguments = tuple(map(_guessed, arguments))
    if all(isinstance(argument, Literal) for argument in arguments):
        try:
            compile_call(replace(call, arguments=arguments))(Scope(None))
        except EvaluationError as error:
            yield error.cause
    else:
        yield from _unfit(call)


def _guessed(argument: Argument) -> Literal:
    """Any value is one that States.Format takes; only how many there are counts."""
    return argument if isinstance(argument, Literal) else Literal("", "")


def _unfit(call: Call) -> Iterator[str]:
    for position, argument in enumerate(call.arguments):
        parameter = call.function.parameter(position)
        if isinstance(argument, Literal) and parameter is not None:
            try:
                parameter.convert(argument.escaped if parameter.takes_escapes else argument.value)
            except TypeError:
                yield f"The function '{call.text}' had the following error: {parameter.refuse(argument.value)}"
