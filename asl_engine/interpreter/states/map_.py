"""Map (inline): run the processor once per item, at most MaxConcurrency at a time, and gather the outputs in order."""

from __future__ import annotations

from dataclasses import replace

from asl_engine.errors import EvaluationError
from asl_engine.expressions.scope import Expression, Scope
from asl_engine.interpreter.execution import ChildrenWait, Frame, Phase
from asl_engine.interpreter.failure import QUERY_EVALUATION_ERROR, RUNTIME
from asl_engine.interpreter.step import Step
from asl_engine.interpreter.transitions import RefusedValueError, entered, settle
from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import MapState, ProcessorMode, QueryLanguage
from asl_engine.limits import INLINE_MAP_CONCURRENCY_MAX


def enter(step: Step, frame: Frame, state: MapState) -> None:
    """Start the first iterations."""
    entered(step, frame, state)
    attempt(step, frame, state)


def attempt(step: Step, frame: Frame, state: MapState) -> None:
    """Start the first iterations, at first or again."""
    _refuse_unsupported(state)
    scope = step.scope(frame)
    if state.input_path is not None:
        scope.input = state.input_path.evaluate(scope)
    concurrency = max_concurrency(state, scope)  # AWS reads it before MapStateStarted, and the tolerances after it
    items = items_of(state, scope)
    frame.items, frame.items_input = items, scope.input
    started = step.record(frame, "MapStateStarted", {"length": len(items)})
    wait = ChildrenWait(
        wait_id=started,
        total=len(items),
        concurrency=concurrency,
        tolerated_failure_count=tolerated_failure_count(state, scope),
        tolerated_failure_percentage=tolerated_failure_percentage(state, scope),
    )
    if state.mode is ProcessorMode.DISTRIBUTED:
        wait = replace(wait, map_run=_map_run_arn(step, state))
        started = step.record(frame, "MapRunStarted", {"mapRunArn": wait.map_run})
    else:
        wait = replace(
            wait, concurrency=min(wait.concurrency or INLINE_MAP_CONCURRENCY_MAX, INLINE_MAP_CONCURRENCY_MAX)
        )
    frame.wait, frame.phase = wait, Phase.WAITING
    settle(step, frame, state, started)


def _refuse_unsupported(state: MapState) -> None:
    fields = {"ItemReader": state.item_reader, "ItemBatcher": state.item_batcher, "ResultWriter": state.result_writer}
    given = [name for name, value in fields.items() if value is not None]
    if given:
        raise EvaluationError(RUNTIME, f"asl-engine cannot run a Map with {' and '.join(given)} yet.")


def _map_run_arn(step: Step, state: MapState) -> str:
    machine_arn = step.execution.state_machine_arn.replace(":stateMachine:", ":mapRun:", 1)
    return f"{machine_arn}/{state.label or state.name}:{step.draw_uuid()}"


def items_of(state: MapState, scope: Scope) -> list[JsonValue]:
    """The array that the Map runs over; `scope.input` is what InputPath selects. Raises EvaluationError."""
    if state.query_language is QueryLanguage.JSONATA:
        items = scope.input if state.items is None else state.items.evaluate(scope)
        if not isinstance(items, list):
            raise EvaluationError(
                QUERY_EVALUATION_ERROR, f"Map state input must be an array but was: {dump_json(items)}"
            )
        return items
    items = scope.input if state.items_path is None else state.items_path.evaluate(scope)
    if not isinstance(items, list):
        text = getattr(state.items_path, "text", "$")
        raise EvaluationError(RUNTIME, f'Reference path "{text}" must point to array.')
    return items


def max_concurrency(state: MapState, scope: Scope) -> int:
    """How many iterations may run at once, 0 for no bound. Raises EvaluationError."""
    value = _integer(
        state.max_concurrency, state.max_concurrency_path, state.max_concurrency_path_text, "MaxConcurrency", scope
    )
    if value is not None and value < 0:
        raise EvaluationError(RUNTIME, f"Expected non-negative integer for MaxConcurrency, got '{value}' instead.")
    return value or 0


def tolerated_failure_count(state: MapState, scope: Scope) -> int | None:
    """How many iterations may fail; None where the Map does not say. Raises EvaluationError."""
    value = _integer(
        state.tolerated_failure_count,
        state.tolerated_failure_count_path,
        state.tolerated_failure_count_path_text,
        "ToleratedFailureCount",
        scope,
    )
    if value is not None and value < 0:
        raise EvaluationError(RUNTIME, "ToleratedFailureCount cannot be negative.")
    return value


def tolerated_failure_percentage(state: MapState, scope: Scope) -> float | None:
    """Which share of the iterations may fail; None where the Map does not say. Raises EvaluationError."""
    literal, path = state.tolerated_failure_percentage, state.tolerated_failure_percentage_path
    if literal is None and path is None:
        return None
    value = literal.evaluate(scope) if literal is not None else path.evaluate(scope) if path is not None else None
    number = _number(value)
    if number is None:
        raise _not_a_number("ToleratedFailurePercentage", state.tolerated_failure_percentage_path_text, value, "float")
    if not 0 <= number <= 100:
        raise EvaluationError(RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")
    return number


def _integer(
    literal: Expression | None, path: Expression | None, path_text: str, field: str, scope: Scope
) -> int | None:
    if literal is None and path is None:
        return None
    value = literal.evaluate(scope) if literal is not None else path.evaluate(scope) if path is not None else None
    number = _number(value)
    if number is None or (isinstance(number, float) and not number.is_integer()):
        raise _not_an_integer(field, value) if path is None else _not_a_number(field, path_text, value, "integer")
    return int(number)


def _number(value: JsonValue) -> float | None:
    """The number in a value; AWS also reads one out of a string."""
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def _not_an_integer(field: str, value: JsonValue) -> EvaluationError:
    """Only JSONata comes to this: the parser has read a literal."""
    return RefusedValueError(
        QUERY_EVALUATION_ERROR,
        f"The {field} field must be a non-negative integer but was: {dump_json(value)}",
        location=field,
    )


def _not_a_number(field: str, path_text: str, value: JsonValue, kind: str) -> EvaluationError:
    shown = value if isinstance(value, str) else dump_json(value)
    return EvaluationError(
        RUNTIME, f'The {field}Path field refers to value "{shown}" which is not a valid {kind}: {path_text}'
    )
