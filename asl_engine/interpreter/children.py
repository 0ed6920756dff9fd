"""Child frames: the branches of a Parallel and the iterations of a Map.

A child that ended keeps its result in its own frame until all are through, so the parent's frame never grows. The
parent's chain of history events goes on from the child that ended last: AWS lets what ends a Map follow the last
MapIterationSucceeded, but the next MapIterationStarted, and what follows a failure, the child's own last event.
"""

from __future__ import annotations

from dataclasses import replace

from asl_engine.interpreter.execution import ChildrenWait, Frame, Phase
from asl_engine.interpreter.failure import EXCEED_TOLERATED_FAILURE_THRESHOLD, StatesError
from asl_engine.interpreter.step import Step
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import MapState, ParallelState, State, StateType

_EXECUTION_STARTED = 1  # the id of the first event of a child execution's own history
_CAN_BE_ABORTED = frozenset({StateType.TASK, StateType.WAIT, StateType.MAP, StateType.PARALLEL})


def parent_id(frame: Frame) -> str:
    """The id of the frame that waits for this one."""
    assert frame.parent is not None, "only the root has no parent"
    return frame.parent


def state_of(step: Step, frame: Frame) -> State:
    """The state that a frame is in."""
    return step.machine.branches[frame.branch].states[frame.state]


def child_id(frame: Frame, wait: ChildrenWait, index: int) -> str:
    """The id of a child frame."""
    return f"{frame.id}/{wait.wait_id}.{index}"


def start_more(step: Step, frame: Frame, state: State, follows: int) -> None:
    """Start as many children as MaxConcurrency allows. Their history follows the event `follows`."""
    wait = frame.wait
    assert isinstance(wait, ChildrenWait)
    running = wait.started - wait.succeeded - wait.failed
    room = wait.total if wait.concurrency == 0 else wait.concurrency
    first, last = wait.started, min(wait.total, wait.started + room - running)
    if first >= last:
        return
    frame.wait = replace(wait, started=last)
    for index in range(first, last):
        child = _child(step, frame, state, wait, index)
        child.previous_event_id = follows
        if wait.map_run is not None:
            child.map_run, child.previous_event_id = wait.map_run, _EXECUTION_STARTED
        elif isinstance(state, MapState):
            step.record(child, "MapIterationStarted", {"name": state.name, "index": index})
        step.add_frame(child)


def _child(step: Step, frame: Frame, state: State, wait: ChildrenWait, index: int) -> Frame:
    identifier = child_id(frame, wait, index)
    if isinstance(state, ParallelState):
        branch = state.branches[index]
        return Frame(
            id=identifier,
            branch=branch.key,
            state=branch.start_at,
            input=frame.items_input,
            parent=frame.id,
            index=index,
            variables=frame.variables,
            map_run=frame.map_run,
        )
    assert isinstance(state, MapState)
    assert frame.items is not None
    item = frame.items[index]
    return Frame(
        id=identifier,
        branch=state.item_processor.key,
        state=state.item_processor.start_at,
        input=_iteration_input(step, frame, state, index, item),
        parent=frame.id,
        index=index,
        variables=frame.variables,
        item=item,
        map_run=frame.map_run,
    )


def _iteration_input(step: Step, frame: Frame, state: MapState, index: int, item: JsonValue) -> JsonValue:
    if state.item_selector is None:
        return item
    seen = frame.copy()
    seen.item, seen.index = item, index
    scope = step.scope(seen)
    scope.input = frame.items_input
    return scope.admit(state.item_selector.evaluate(scope))


def succeeded(step: Step, frame: Frame, output: JsonValue) -> None:
    """A child ended well: keep its output and count it."""
    parent = step.frame(parent_id(frame))
    wait = parent.wait
    assert isinstance(wait, ChildrenWait)
    parent.wait = replace(wait, succeeded=wait.succeeded + 1)
    frame.phase, frame.output = Phase.DONE, output
    frame.input, frame.variables = None, {}
    if wait.map_run is not None:
        return
    parent.previous_event_id = frame.previous_event_id
    state = state_of(step, parent)
    if isinstance(state, MapState):
        details: JsonObject = {"name": state.name, "index": frame.index}
        parent.previous_event_id = step.record_aside(frame, "MapIterationSucceeded", details)


def failed(step: Step, frame: Frame, error: StatesError) -> StatesError | None:
    """A child failed. Returns the parent's own error, or None when the parent tolerates this one."""
    parent = step.frame(parent_id(frame))
    wait = parent.wait
    assert isinstance(wait, ChildrenWait)
    if wait.map_run is None:
        parent.previous_event_id = frame.previous_event_id
    state = state_of(step, parent)
    if isinstance(state, MapState):
        step.record_aside(frame, "MapIterationFailed", {"name": state.name, "index": frame.index})
        parent.wait = wait = replace(wait, failed=wait.failed + 1)
        frame.input, frame.variables = None, {}
        if not error.is_fatal and _tolerates(wait):
            return None
    elif state_of(step, frame).type in _CAN_BE_ABORTED:
        step.record_aside(frame, f"{state_of(step, frame).type}StateAborted")
    step.drop_frame(frame.id)
    abort(step, parent)
    if not error.is_fatal and _has_tolerance(wait):
        error = StatesError(
            EXCEED_TOLERATED_FAILURE_THRESHOLD, "The specified tolerated failure threshold was exceeded"
        )
    if wait.map_run is not None:
        step.record(parent, "MapRunFailed", error.details())
    return error


def record_success(step: Step, frame: Frame, state: State) -> None:
    """Write that all children are through; the frame's chain goes on from where it was."""
    wait = frame.wait
    assert isinstance(wait, ChildrenWait)
    previous = frame.previous_event_id
    if wait.map_run is not None:
        step.record(frame, "MapRunSucceeded")
    step.record_aside(frame, state.type + "StateSucceeded")
    frame.previous_event_id = previous


def _has_tolerance(wait: ChildrenWait) -> bool:
    return wait.tolerated_failure_count is not None or wait.tolerated_failure_percentage is not None


def _tolerates(wait: ChildrenWait) -> bool:
    if not _has_tolerance(wait):
        return False
    if wait.tolerated_failure_count is not None and wait.failed > wait.tolerated_failure_count:
        return False
    percentage = wait.tolerated_failure_percentage
    return percentage is None or wait.failed * 100 <= percentage * wait.total


def abort(step: Step, frame: Frame) -> None:
    """End all that runs under a frame: cancel its tasks and forget it."""
    for child in step.descendants(frame):
        record_aborted(step, child)
        step.cancel(child)
        step.drop_frame(child.id)
    frame.items = frame.items_input = None


def record_aborted(step: Step, frame: Frame) -> None:
    """Write that the state a frame waits in was aborted. One that is about to enter a state is in none."""
    if frame.phase is Phase.WAITING:
        step.record_aside(frame, f"{state_of(step, frame).type}StateAborted")


def gathered(step: Step, frame: Frame) -> list[JsonValue] | None:
    """The results of all children in order, their frames forgotten; None while some are still to end.

    Iterations whose failure was tolerated have no result.
    """
    wait = frame.wait
    assert isinstance(wait, ChildrenWait)
    if wait.succeeded + wait.failed < wait.total:
        return None
    results: list[JsonValue] = []
    for index in range(wait.total):
        identifier = child_id(frame, wait, index)
        child = step.frames[identifier]
        if child.phase is Phase.DONE:
            results.append(child.output)
        step.drop_frame(identifier)
    return results
