"""A JSONata text in its field: what it may name, and its failures in the sentences of AWS."""

from __future__ import annotations

from collections.abc import Mapping

from asl_engine import limits
from asl_engine.errors import EvaluationError, InvalidExpression
from asl_engine.expressions.extents import UNKNOWN_GROWTH, may_be_large
from asl_engine.expressions.jsonata_engine import JsonataError, NoValue, Program
from asl_engine.expressions.scope import Absent, Scope
from asl_engine.json_value import JsonObject, JsonValue, dump_json, json_type


class JsonataExpression:
    """A compiled JSONata text in its field."""

    __slots__ = ("_expected", "_field", "_program", "_text")

    def __init__(self, text: str, field: str, expected: str | None, absent: frozenset[str]) -> None:
        """Raises InvalidExpression."""
        self._text, self._field, self._expected = text, field, expected
        self._program = Program(text)
        for name in sorted(absent & self._program.states_members):
            raise InvalidExpression(text, f"$states.{name} does not exist in this field")

    def evaluate(self, scope: Scope) -> JsonValue:
        """The value of the expression. Raises EvaluationError (States.QueryEvaluationError)."""
        program, variables = self._program, scope.variables
        outside: Mapping[str, JsonValue] = variables  # it is read only as far as the text goes
        overrides: JsonObject = {}
        if program.reads_states:
            outside = {name: variables[name] for name in program.variables if name in variables}
            outside["states"] = self._states(scope)
        if program.overridable:
            overrides = {name: variables[name] for name in program.overridable if name in variables}
        try:
            result = program.evaluate(outside, overrides, scope.entropy, scope.now)
        except JsonataError as error:
            raise self._error(f"threw an error during evaluation. {error}") from error
        if isinstance(result, NoValue):
            undefined = result is NoValue.UNDEFINED
            raise self._error("returned nothing (undefined)." if undefined else "returned an unsupported result type.")
        if may_be_large(result):
            scope.growth = UNKNOWN_GROWTH
        if self._expected is not None and json_type(result) != self._expected:
            raise self._unexpected_type(self._expected, result)
        return result

    def _states(self, scope: Scope) -> JsonObject:
        states: JsonObject = {"input": scope.input}
        if self._program.reads_context:
            states["context"] = scope.context()
        if not isinstance(scope.result, Absent):
            states["result"] = scope.result
        if not isinstance(scope.error_output, Absent):
            states["errorOutput"] = scope.error_output
        return states

    def _unexpected_type(self, expected: str, value: JsonValue) -> EvaluationError:
        found, shown = json_type(value), dump_json(value)[: limits.CAUSE_LENGTH_MAX]
        return self._error(
            f"returned an unexpected result type. Expected '{expected}', but was '{found}' for value: {shown}"
        )

    def _error(self, what: str) -> EvaluationError:
        cause = f"The JSONata expression '{self._text}' specified for the field '{self._field}' {what}"
        return EvaluationError("States.QueryEvaluationError", cause, location=self._field)
