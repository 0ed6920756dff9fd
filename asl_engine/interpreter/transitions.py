"""How a frame moves on: enters a state, leaves it, fails in it, and ends its branch.

Behaviours of states call these; this file knows nothing of any single type but what Parallel and Map do when a child
frame ends, which `children` holds.
"""

from __future__ import annotations

from asl_engine.errors import EvaluationError
from asl_engine.expressions.extents import UNKNOWN_GROWTH
from asl_engine.expressions.scope import Scope
from asl_engine.interpreter import children
from asl_engine.interpreter.commands import StartTimer
from asl_engine.interpreter.execution import READY, ROOT_FRAME, ChildrenWait, ExecutionStatus, Frame, Phase, RetryWait
from asl_engine.interpreter.failure import QUERY_EVALUATION_ERROR, StatesError, evaluation_failure, too_large
from asl_engine.interpreter.input_output import Route, leaving, leaving_by_catch
from asl_engine.interpreter.retry import applying_rule, delay_milliseconds
from asl_engine.interpreter.step import Step
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Catcher, State, StateType

_FAILED_EVENT = {StateType.MAP: "MapStateFailed", StateType.PARALLEL: "ParallelStateFailed"}


def entered(step: Step, frame: Frame, state: State) -> Scope:
    """Record that the frame entered the state, and give the scope of its expressions."""
    frame.entered_at = step.now
    details: dict[str, JsonValue] = {"name": state.name, "input": frame.input}
    frame.entered_event_id = step.record(frame, state.entered_event_type, details)
    return step.scope(frame)


def leave(step: Step, frame: Frame, state: State, scope: Scope, result: JsonValue, route: Route | None = None) -> None:
    """Leave the state with a result: shape the output, assign variables, go where `route` (the state) points."""
    taken: Route = state if route is None else route
    assigned = None
    if taken.assign is not None or not state.keeps_result:
        result, assigned = leaving(state, taken, scope, frame.input, result)
    if step.options.payload_bytes_max is not None and is_too_large(step, result):
        fail(step, frame, state, too_large(state.name))
        return
    _exit(step, frame, state, result, assigned, taken.next)


def is_too_large(step: Step, payload: JsonValue) -> bool:
    """Whether a payload is over the limit, if there is one."""
    maximum = step.options.payload_bytes_max
    return maximum is not None and step.sizes.size(payload) > maximum


def fail_evaluation(step: Step, frame: Frame, state: State, error: EvaluationError) -> None:
    """An expression of the state failed."""
    if isinstance(frame.wait, ChildrenWait):
        children.abort(step, frame)
    failure = evaluation_failure(frame, error)
    if failure.error == QUERY_EVALUATION_ERROR:
        if not isinstance(error, RefusedValueError):
            _step_back(step, frame)
        _record_evaluation_failed(step, frame, state, error, failure)
    fail(step, frame, state, failure, shows_failed_state=not failure.is_fatal)


class RefusedValueError(EvaluationError):
    """An expression gave a value of the right type that the state cannot use, such as a malformed timestamp."""


def fail(step: Step, frame: Frame, state: State, error: StatesError, *, shows_failed_state: bool = True) -> None:
    """The state failed: retry it, take a Catch rule, or fail the branch."""
    if not error.is_fatal and _retry(step, frame, state, error):
        return
    if shows_failed_state and state.type in _FAILED_EVENT:
        step.record(frame, _FAILED_EVENT[state.type])
    if not error.is_fatal:
        for catcher in state.catch:
            if error.matches(catcher.error_equals):
                _catch(step, frame, state, catcher, error)
                return
    fail_branch(step, frame, error)


def fail_branch(step: Step, frame: Frame, error: StatesError) -> None:
    """The frame's branch failed: so does the execution, or the parent decides."""
    frame.wait, frame.phase = None, Phase.FAILED
    if frame.id == ROOT_FRAME:
        step.end_with_error(ExecutionStatus.FAILED, "ExecutionFailed", error)
        return
    failure = children.failed(step, frame, error)
    if failure is not None:
        parent = step.frame(children.parent_id(frame))
        fail(step, parent, children.state_of(step, parent), failure)
    else:
        _settle_parent(step, frame)


def finish_branch(step: Step, frame: Frame, output: JsonValue) -> None:
    """The frame's branch ended well: so does the execution, or the parent goes on."""
    frame.wait = None
    if frame.id == ROOT_FRAME:
        step.succeed(output)
        return
    children.succeeded(step, frame, output)
    _settle_parent(step, frame)


def _settle_parent(step: Step, frame: Frame) -> None:
    """After a child ended: start the next ones, or leave the parent's state when all are through."""
    parent = step.frame(children.parent_id(frame))
    state = children.state_of(step, parent)
    try:
        settle(step, parent, state, frame.previous_event_id)
    except EvaluationError as error:
        fail_evaluation(step, parent, state, error)


def settle(step: Step, frame: Frame, state: State, follows: int) -> None:
    """Start what may start of a Parallel or Map, after the event `follows`; leave it when all children are through."""
    children.start_more(step, frame, state, follows)
    results = children.gathered(step, frame)
    if results is None:
        return
    children.record_success(step, frame, state)
    frame.wait = frame.items = frame.items_input = None
    scope = step.scope(frame)
    scope.growth = UNKNOWN_GROWTH
    leave(step, frame, state, scope, scope.admit(results))


def _exit(
    step: Step, frame: Frame, state: State, output: JsonValue, assigned: JsonObject | None, next_state: str | None
) -> None:
    details: dict[str, JsonValue] = {"name": state.name, "output": output}
    if assigned:
        details["assignedVariables"] = assigned
        frame.variables = {**frame.variables, **assigned}
    step.record(frame, state.exited_event_type, details)
    if next_state is None:
        finish_branch(step, frame, output)
        return
    frame.state, frame.input = next_state, output
    frame.wait, frame.retries, frame.entered_event_id = None, (), 0
    if frame.phase is not READY:
        frame.phase = READY
        step.ready.append(frame.id)


def _catch(step: Step, frame: Frame, state: State, catcher: Catcher, error: StatesError) -> None:
    try:
        left = leaving_by_catch(state, catcher, step.scope(frame), frame.input, error.error_output())
    except EvaluationError as broken:  # no rule takes the failure of a rule: it would take it for ever
        failure = evaluation_failure(frame, broken)
        if failure.error == QUERY_EVALUATION_ERROR:
            _record_evaluation_failed(step, frame, state, broken, failure)
        fail_branch(step, frame, failure)
        return
    if is_too_large(step, left.output):
        fail_branch(step, frame, too_large(state.name))
        return
    _exit(step, frame, state, left.output, left.assigned, catcher.next)


def _record_evaluation_failed(
    step: Step, frame: Frame, state: State, error: EvaluationError, failure: StatesError
) -> None:
    details = {**failure.details(), "state": state.name}
    if error.location is not None:
        details["location"] = error.location
    step.record(frame, "EvaluationFailed", details)


def _retry(step: Step, frame: Frame, state: State, error: StatesError) -> bool:
    index = applying_rule(state.retry, error)
    if index is None:
        return False
    rule = state.retry[index]
    counts = frame.retries or (0,) * len(state.retry)
    if counts[index] >= rule.max_attempts:
        return False
    at = step.now + delay_milliseconds(rule, counts[index], step.draw)
    frame.retries = (*counts[:index], counts[index] + 1, *counts[index + 1 :])
    frame.wait, frame.phase = RetryWait(frame.previous_event_id, at), Phase.WAITING
    step.commands.append(StartTimer(frame.id, frame.previous_event_id, at))
    return True


def _step_back(step: Step, frame: Frame) -> None:
    """AWS lets EvaluationFailed follow what came before the state, if the state has done nothing but be entered."""
    if frame.map_run is None and frame.previous_event_id == frame.entered_event_id:
        for event in reversed(step.history):
            if event.id == frame.entered_event_id:
                frame.previous_event_id = event.previous_event_id
                return
