"""The Context object: `$$` in JSONPath, `$states.context` in JSONata. Built only for expressions that ask for it.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
"""

from __future__ import annotations

from collections.abc import Mapping

from asl_engine.expressions.scope import Absent
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.interpreter.execution import Execution, Frame
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine, StateType


def context_object(
    machine: StateMachine,
    execution: Execution,
    frames: Mapping[str, Frame],
    frame: Frame,
    task_token: str | None,
) -> JsonObject:
    """What the state of `frame` sees. `task_token` is given where a task attempt is about to be scheduled."""
    state: JsonObject = {"EnteredTime": format_timestamp(frame.entered_at), "Name": frame.state}
    if machine.branches[frame.branch].states[frame.state].type is StateType.TASK:
        state["RetryCount"] = frame.retry_count
    context: JsonObject = {
        "Execution": {
            "Id": execution.arn,
            "Input": execution.input,
            "Name": execution.name,
            "RoleArn": execution.role_arn,
            "StartTime": format_timestamp(execution.started_at),
            **_redrive_count(execution),
        },
        "StateMachine": {"Id": execution.state_machine_arn, "Name": execution.state_machine_name},
        "State": state,
    }
    if task_token is not None:
        context["Task"] = {"Token": task_token}
    iteration = _iteration_of(frames, frame)
    if iteration is not None:
        assert not isinstance(iteration.item, Absent)
        context["Map"] = {"Item": {"Index": iteration.index, "Value": iteration.item}}
    return context


def _redrive_count(execution: Execution) -> JsonObject:
    """Express executions, which cannot be redriven, do not have it."""
    return {} if ":express:" in execution.arn else {"RedriveCount": execution.redrive_count}


def _iteration_of(frames: Mapping[str, Frame], frame: Frame) -> Frame | None:
    """The nearest Map iteration that the frame is in."""
    while isinstance(frame.item, Absent):
        if frame.parent is None:
            return None
        frame = frames[frame.parent]
    return frame
