"""Calls → closures. Arguments are evaluated from left to right, checked against the declaration, then the body runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from asl_engine.errors import EvaluationError, InvalidJson, PathNotFound
from asl_engine.expressions.intrinsic_functions.parser import Argument, Call, Literal, parse_call
from asl_engine.expressions.intrinsic_functions.registry import InvalidArgumentError, Parameter
from asl_engine.expressions.path import Path
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.value_text import json_text
from asl_engine.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A compiled call of an intrinsic function."""

    text: str
    references_variables: frozenset[str]
    evaluate: Callable[[Scope], JsonValue]
    """The result. Raises EvaluationError: States.IntrinsicFailure, or States.Runtime for a path that finds nothing."""


def compile_intrinsic(text: str) -> Intrinsic:
    """Raises InvalidExpression: unknown function, wrong number of arguments, bad escape, too deep, anything else."""
    call = parse_call(text)
    return Intrinsic(text, _variables(call), _compile_call(call))


def _variables(argument: Argument) -> frozenset[str]:
    if isinstance(argument, Path):
        return argument.references_variables
    if isinstance(argument, Call):
        return frozenset().union(*map(_variables, argument.arguments))
    return frozenset()


def _compile_call(call: Call) -> Callable[[Scope], JsonValue]:
    perform = _compile_body(call, [_compile_argument(call, position) for position in range(len(call.arguments))])

    def evaluate(scope: Scope) -> JsonValue:
        try:
            return perform(scope)
        except PathNotFound as error:
            _raise_missing(call, error, scope)
        except (InvalidArgumentError, InvalidJson) as error:
            _raise_failure(call, str(error))
        except RecursionError:
            _raise_failure(call, "the value is nested too deeply")

    return evaluate


def _compile_body(call: Call, arguments: list[Callable[[Scope], Any]]) -> Callable[[Scope], JsonValue]:
    body = call.function.body
    if call.function.draws:
        return lambda scope: body(scope.entropy, *[argument(scope) for argument in arguments])
    match arguments:
        case [only]:
            return lambda scope: body(only(scope))
        case [first, second]:
            return lambda scope: body(first(scope), second(scope))
    return lambda scope: body(*[argument(scope) for argument in arguments])


def _compile_argument(call: Call, position: int) -> Callable[[Scope], Any]:
    argument, parameter = call.arguments[position], call.function.parameter(position)
    assert parameter is not None, "the parser has counted the arguments"
    if isinstance(argument, Literal):
        return _constant(argument.escaped if parameter.takes_escapes else argument.value, parameter)
    return _converted(argument.evaluate if isinstance(argument, Path) else _compile_call(argument), parameter)


def _constant(value: JsonValue, parameter: Parameter) -> Callable[[Scope], Any]:
    """A literal is converted once; one that does not fit fails when it is evaluated, as on AWS."""
    try:
        converted = parameter.convert(value)
    except (TypeError, InvalidArgumentError):
        return _converted(lambda _scope: value, parameter)
    return lambda _scope: converted


def _converted(evaluate: Callable[[Scope], JsonValue], parameter: Parameter) -> Callable[[Scope], Any]:
    convert = parameter.convert

    def argument(scope: Scope) -> Any:
        value = evaluate(scope)
        try:
            return convert(value)
        except TypeError:
            raise parameter.refuse(value) from None

    return argument


def _raise_missing(call: Call, error: PathNotFound, scope: Scope) -> NoReturn:
    _raise(
        "States.Runtime",
        call,
        f"The JsonPath argument for the field '{error.path}' could not be found in the input "
        f"'{json_text(scope.input)}'",
    )


def _raise_failure(call: Call, reason: str) -> NoReturn:
    _raise("States.IntrinsicFailure", call, reason)


def _raise(error: str, call: Call, reason: str) -> NoReturn:
    raise EvaluationError(error, f"The function '{call.text}' had the following error: {reason}") from None
