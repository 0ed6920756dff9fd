"""What a tested state's data was at each stage, written down by the state's own expressions while they are evaluated.

The interpreter knows nothing of it: it is given a copy of the state whose expressions are wrapped. Which stages AWS
shows depends on the type of the state, and not only on what the state evaluates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from asl_engine.expressions.scope import Absent, Expression, Scope
from asl_engine.interpreter.failure import StatesError
from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.definition import Catcher, PassState, QueryLanguage, State, StateType


@dataclass(frozen=True, slots=True)
class Caught:
    """An error that a Catch rule took."""

    catch_index: int
    error: StatesError


@dataclass(slots=True)
class Inspection:
    """InspectionData in the making: `payloads` become JSON texts, `facts` stay as they are."""

    payloads: dict[str, JsonValue] = field(default_factory=dict)
    facts: JsonObject = field(default_factory=dict)
    caught: Caught | None = None

    def render(self) -> JsonObject:
        """The member `inspectionData` of the answer."""
        texts: JsonObject = {name: dump_json(value) for name, value in self.payloads.items()}
        return {**texts, **self.facts}


class Observed:
    """An expression whose value is written down. No expression stands for `$`, as in every optional path."""

    __slots__ = ("_expression", "_inspection", "_stage")

    def __init__(self, expression: Expression | None, stage: str, inspection: Inspection) -> None:
        self._expression, self._stage, self._inspection = expression, stage, inspection

    def evaluate(self, scope: Scope) -> JsonValue:
        """As the expression itself."""
        value = scope.input if self._expression is None else self._expression.evaluate(scope)
        self._inspection.payloads[self._stage] = value
        return value


class ObservedInput:
    """An expression whose input is written down: what the stage before it gave."""

    __slots__ = ("_expression", "_inspection", "_stage")

    def __init__(self, expression: Expression | None, stage: str, inspection: Inspection) -> None:
        self._expression, self._stage, self._inspection = expression, stage, inspection

    def evaluate(self, scope: Scope) -> JsonValue:
        """As the expression itself."""
        self._inspection.payloads[self._stage] = scope.input
        return scope.input if self._expression is None else self._expression.evaluate(scope)


class _ObservedCatch:
    """The Assign of a Catch rule, which is evaluated before all else of the rule: it notes which error was caught."""

    __slots__ = ("_assign", "_index", "_inspection")

    def __init__(self, assign: Expression | None, index: int, inspection: Inspection) -> None:
        self._assign, self._index, self._inspection = assign, index, inspection

    def evaluate(self, scope: Scope) -> JsonValue:
        """As Assign itself; without one, no variables."""
        output = scope.input if isinstance(scope.error_output, Absent) else scope.error_output
        assert isinstance(output, dict), "a Catch rule sees an Error Output"
        error, cause = output["Error"], output["Cause"]
        assert isinstance(error, str)
        assert isinstance(cause, str)
        self._inspection.caught = Caught(self._index, StatesError(error, cause or None))
        return {} if self._assign is None else self._assign.evaluate(scope)


_INPUT_PATH: Final = ("input_path", Observed, "afterInputPath")
_PARAMETERS: Final = ("parameters", Observed, "afterParameters")
_ARGUMENTS: Final = ("parameters", Observed, "afterArguments")
_RESULT: Final = ("result", Observed, "result")
_RESULT_SELECTOR: Final = ("result_selector", Observed, "afterResultSelector")
_RESULT_PATH: Final = ("output_path", ObservedInput, "afterResultPath")

_Stage = tuple[str, type[Observed | ObservedInput], str]
_JSONPATH_STAGES: Final[dict[StateType, tuple[_Stage, ...]]] = {
    StateType.PASS: (_INPUT_PATH, _PARAMETERS, _RESULT_SELECTOR, _RESULT_PATH),
    StateType.TASK: (_INPUT_PATH, _PARAMETERS, _RESULT_SELECTOR, _RESULT_PATH),
    StateType.MAP: (_INPUT_PATH, _RESULT_SELECTOR, _RESULT_PATH),
    StateType.PARALLEL: (_RESULT_SELECTOR, _RESULT_PATH),
    StateType.CHOICE: (_INPUT_PATH,),
    StateType.WAIT: (_INPUT_PATH,),
    StateType.SUCCEED: (_INPUT_PATH,),
    StateType.FAIL: (),
}
_PASS_WITH_RESULT: Final = (_RESULT, _RESULT_SELECTOR, _RESULT_PATH)


def observed(run: State, shown: State, inspection: Inspection) -> State:
    """The state that is run, its stages written down as for the state that is shown; both are the same without a mock.

    Its Retry is left out: whether an error would be retried is told, not done.
    """
    changes: dict[str, Any] = {
        name: observer(getattr(run, name), stage, inspection) for name, observer, stage in _stages(shown)
    }
    catch = tuple(_observed_catcher(catcher, index, inspection) for index, catcher in enumerate(run.catch))
    return replace(run, retry=(), catch=catch, **changes)


def _observed_catcher(catcher: Catcher, index: int, inspection: Inspection) -> Catcher:
    return replace(catcher, assign=_ObservedCatch(catcher.assign, index, inspection))


def _stages(state: State) -> tuple[_Stage, ...]:
    if state.query_language is QueryLanguage.JSONATA:
        return (_ARGUMENTS,) if state.type is StateType.TASK else ()
    if isinstance(state, PassState) and state.result is not None:
        return _PASS_WITH_RESULT
    return _JSONPATH_STAGES[state.type]
