"""Calls → closures. Arguments are evaluated from left to right, checked against the declaration, then the body runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from asl_engine.errors import EvaluationError, InvalidJson, PathNotFound
from asl_engine.expressions.extents import SMALL_TEXT_CHARACTERS, Extents, may_be_large
from asl_engine.expressions.intrinsic_functions.parser import Argument, Call, Literal, parse_call
from asl_engine.expressions.intrinsic_functions.registry import InvalidArgumentError, Parameter, Result
from asl_engine.expressions.path import Path, Sources
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.value_text import json_text
from asl_engine.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A compiled call of an intrinsic function. `sources` are the places that its result is made of, as of a Path."""

    text: str
    sources: Sources
    references_variables: frozenset[str]
    evaluate: Callable[[Scope], JsonValue]
    """The result. Raises EvaluationError: States.IntrinsicFailure, or States.Runtime for a path that finds nothing."""


def compile_intrinsic(text: str) -> Intrinsic:
    """Raises InvalidExpression: unknown function, wrong number of arguments, bad escape, too deep, anything else."""
    call = parse_call(text)
    return Intrinsic(text, _sources(call), _variables(call), compile_call(call))


def _sources(argument: Argument) -> Sources:
    if isinstance(argument, Path):
        return argument.sources
    if isinstance(argument, Literal) or argument.function.result is Result.SMALL:
        return ()
    return tuple(source for inner in argument.arguments for source in _sources(inner))


def _variables(argument: Argument) -> frozenset[str]:
    if isinstance(argument, Path):
        return argument.references_variables
    if isinstance(argument, Call):
        return frozenset().union(*map(_variables, argument.arguments))
    return frozenset()


def compile_call(call: Call) -> Callable[[Scope], JsonValue]:
    """How a call is evaluated; see `Intrinsic.evaluate`."""
    perform = _compile_body(call, [_compile_argument(call, position) for position in range(len(call.arguments))])
    if call.function.result is Result.TEXT:
        perform = _counted(perform)

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
    evaluate = argument.evaluate if isinstance(argument, Path) else compile_call(argument)
    return _converted(evaluate if _is_one_node(argument) else _measured(evaluate), parameter)


def _is_one_node(argument: Path | Call) -> bool:
    return argument.is_reference if isinstance(argument, Path) else argument.function.result is Result.SMALL


def _measured(evaluate: Callable[[Scope], JsonValue]) -> Callable[[Scope], JsonValue]:
    """What is made of several nodes may be larger than all data before, and the function may write it down."""

    def argument(scope: Scope) -> JsonValue:
        value = evaluate(scope)
        if may_be_large(value):
            Extents().admit(value)
        return value

    return argument


def _counted(perform: Callable[[Scope], JsonValue]) -> Callable[[Scope], JsonValue]:
    """All that the texts of one state take is bounded: nothing else of what expressions make is new memory."""

    def evaluate(scope: Scope) -> JsonValue:
        text = perform(scope)
        if len(text) > SMALL_TEXT_CHARACTERS:  # type: ignore[arg-type]
            scope.build_text(text)  # type: ignore[arg-type]
        return text

    return evaluate


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
