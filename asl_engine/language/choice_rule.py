"""Choice rules, compiled: And, Or, Not over comparisons, or one JSONata condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asl_engine.errors import EvaluationError, PathNotFound
from asl_engine.expressions.comparison_operators import ComparisonOperator, Test
from asl_engine.expressions.path import Path
from asl_engine.expressions.scope import ABSENT, Absent, Expression, Scope
from asl_engine.json_value import JsonValue


class Condition(Protocol):
    """What decides whether a Choice rule applies."""

    def holds(self, scope: Scope) -> bool:
        """Whether the rule applies. Raises EvaluationError."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """And: every condition holds. Stops at the first that does not."""

    conditions: tuple[Condition, ...]

    def holds(self, scope: Scope) -> bool:
        """Whether all hold."""
        return all(condition.holds(scope) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Or: some condition holds. Stops at the first that does."""

    conditions: tuple[Condition, ...]

    def holds(self, scope: Scope) -> bool:
        """Whether any holds."""
        return any(condition.holds(scope) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Negation:
    """Not."""

    condition: Condition

    def holds(self, scope: Scope) -> bool:
        """Whether the condition does not hold."""
        return not self.condition.holds(scope)


@dataclass(frozen=True, slots=True)
class JsonataCondition:
    """One JSONata expression that gives a boolean; the expression itself refuses any other result."""

    expression: Expression

    def holds(self, scope: Scope) -> bool:
        """Whether it gives true."""
        return self.expression.evaluate(scope) is True


@dataclass(frozen=True, slots=True)
class Comparison:
    """A Variable against an operand that is written in the rule, prepared for comparing."""

    variable: Path
    test: Test

    def holds(self, scope: Scope) -> bool:
        """Whether the comparison is true. A value of another type than the operator compares makes it false."""
        return self.test(_found(self.variable, scope))


@dataclass(frozen=True, slots=True)
class PathComparison:
    """A Variable against what another path finds."""

    variable: Path
    operator: ComparisonOperator
    operand: Path

    def holds(self, scope: Scope) -> bool:
        """Whether the comparison is true."""
        value = _found(self.variable, scope)
        return self.operator.predicate(value, _found(self.operand, scope))


@dataclass(frozen=True, slots=True)
class PresenceTest:
    """IsPresent: the one test whose Variable may lead nowhere."""

    variable: Path
    test: Test

    def holds(self, scope: Scope) -> bool:
        """Whether the Variable is found, or is not, as wanted."""
        try:
            value: JsonValue | Absent = self.variable.evaluate(scope)
        except PathNotFound:
            value = ABSENT
        return self.test(value)


def _found(path: Path, scope: Scope) -> JsonValue:
    try:
        return path.evaluate(scope)
    except PathNotFound as error:
        cause = f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
        raise EvaluationError("States.Runtime", cause) from error
