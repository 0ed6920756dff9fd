"""Executions and outcomes built by hand, as an interpreter would return them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from asl_engine.interpreter.commands import Command, ScheduleTask
from asl_engine.interpreter.events import Event, TaskSucceeded
from asl_engine.interpreter.execution import ROOT_FRAME, Execution, Frame, Phase, TaskAttempt
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.outcome import Outcome
from asl_engine.json_value import JsonValue
from asl_engine.store.journal import Record, record_of

NOON = 1_700_000_000_000
MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:Orders"
EVENTS_PER_TASK = 3


def arn_of(name: str) -> str:
    return f"arn:aws:states:us-east-1:123456789012:execution:Orders:{name}"


def frame_of(frame_id: str = ROOT_FRAME, **fields: Any) -> Frame:
    return Frame(**{"id": frame_id, "branch": "", "state": "Charge", "input": {"order": 7}, **fields})


def started(name: str = "first", *, at: int = NOON, history: Sequence[HistoryEvent] = (), **fields: Any) -> Outcome:
    """The outcome of starting an execution, which now waits for its first task."""
    execution = Execution(
        arn=arn_of(name),
        name=name,
        state_machine_arn=MACHINE_ARN,
        definition_sha256="d" * 64,
        input={"order": 7},
        started_at=at,
        seed="seed",
        sequence=0,
        at=at,
    )
    execution = replace(execution, **{"frames": {ROOT_FRAME: frame_of()}, **fields})
    return Outcome(before=None, execution=execution, at=at, events=(), touched=(), history=tuple(history), commands=())


def followed(
    before: Execution,
    *,
    frames: Mapping[str, Frame] | None = None,
    events: Sequence[Event] = (),
    history: Sequence[HistoryEvent] = (),
    commands: Sequence[Command] = (),
    **fields: Any,
) -> Outcome:
    """The outcome of one more advance. `frames` replaces all frames, `fields` those of the execution."""
    after = replace(
        before,
        sequence=before.sequence + 1,
        at=NOON + 1000 * (before.sequence + 1),
        frames=before.frames if frames is None else frames,
        **fields,
    )
    return Outcome(
        before=before,
        execution=after,
        at=after.at,
        events=tuple(events),
        touched=tuple({**before.frames, **after.frames}),
        history=tuple(history),
        commands=tuple(commands),
    )


def task_done(before: Execution, output: JsonValue = None) -> Outcome:
    """A typical outcome: a task succeeded, and the root frame waits for the next one."""
    first = before.last_event_id + 1
    at = NOON + 1000 * (before.sequence + 1)
    frame = before.frames[ROOT_FRAME].copy()
    answered = frame.wait.wait_id if frame.wait else 0
    attempt = TaskAttempt(wait_id=first + 2, state_name="Charge", resource="charge", arguments=output)
    frame.input, frame.phase, frame.wait, frame.previous_event_id = output, Phase.WAITING, attempt, first + 2
    return followed(
        before,
        frames={**before.frames, ROOT_FRAME: frame},
        events=[TaskSucceeded(ROOT_FRAME, answered, output)],
        history=[
            HistoryEvent(first, first - 1, "TaskStateExited", at, {"name": "Charge", "output": output}),
            HistoryEvent(first + 1, first, "TaskStateEntered", at, {"name": "Charge", "input": output}),
            HistoryEvent(first + 2, first + 1, "LambdaFunctionScheduled", at, {"resource": "charge", "input": output}),
        ],
        commands=[ScheduleTask(ROOT_FRAME, attempt)],
        last_event_id=first + 2,
    )


def journal_of(name: str, tasks: int) -> tuple[list[Record], Execution]:
    """The records of an execution after a number of tasks, and what it is in the end."""
    outcome = started(name)
    records = [record_of(outcome)]
    for number in range(tasks):
        outcome = task_done(outcome.execution, {"task": number})
        records.append(record_of(outcome))
    return records, outcome.execution
