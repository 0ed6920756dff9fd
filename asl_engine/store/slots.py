"""Slots: how one value of a record is written as JSON, with payloads and waits kept in tables beside it.

A payload is named by its object identity: a value that passes through ten states is written once, and is one object
again when read. Where a value stands, a slot is written:

    scalar, short string     itself
    payload                  [number]
    wait of a frame          ["w", number], so that a command's attempt is the frame's own wait again
    mapping of payloads      {name: slot}
    ABSENT                   []

Members of events, commands and waits go by position: a new one is added at the end, with a default. Any other change
needs a new version of the codec and a reader for the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, TypeAlias

from asl_engine.expressions.scope import ABSENT
from asl_engine.interpreter import commands, events, execution

# What each kind of event, command and wait is called in a record. A tag never comes to mean something else.
KINDS: Final[dict[type, str]] = {
    events.TaskSubmitted: "task-submitted",
    events.ActivityStarted: "activity-started",
    events.TaskSucceeded: "task-succeeded",
    events.TaskFailed: "task-failed",
    events.TaskHeartbeat: "task-heartbeat",
    events.TimerFired: "timer-fired",
    events.ExecutionTimerFired: "execution-timer-fired",
    events.StopRequested: "stop-requested",
    events.FailRequested: "fail-requested",
    commands.ScheduleTask: "schedule-task",
    commands.CancelTask: "cancel-task",
    commands.StartTimer: "start-timer",
    commands.StartExecutionTimer: "start-execution-timer",
    commands.Continue: "continue",
    execution.TimerWait: "timer-wait",
    execution.RetryWait: "retry-wait",
    execution.TaskAttempt: "task-attempt",
    execution.ChildrenWait: "children-wait",
}

Json: TypeAlias = Any  # what json takes and gives; JsonValue has no tuples

_MEMBERS: Final = {kind: tuple(f.name for f in fields(kind)) for kind in KINDS}
_CLASSES: Final[dict[str, Callable[..., Any]]] = {tag: kind for kind, tag in KINDS.items()}
_NAMES: Final = {tag: _MEMBERS[kind] for kind, tag in KINDS.items()}
_WAITS: Final = frozenset({execution.TimerWait, execution.RetryWait, execution.TaskAttempt, execution.ChildrenWait})
_SCALARS: Final = frozenset({int, float, bool, type(None), execution.ExecutionStatus, execution.Phase})
_INLINE_CHARACTERS_MAX: Final = 64
# Members whose values are payloads of their own: variables, and the changes of a wait.
_MAPPINGS: Final = frozenset({"variables", "assignedVariables", "wait"})
# Fields of Execution and Frame that hold neither a payload nor a wait.
_FIELD_READERS: Final[dict[str, Callable[[Json], object]]] = {
    "status": execution.ExecutionStatus,
    "phase": execution.Phase,
    "ready": tuple,
    "retries": tuple,
}


class SlotWriter:
    """Writes slots, and collects the payloads and waits that they number."""

    __slots__ = ("_numbers", "payloads", "waits")

    def __init__(self) -> None:
        self.payloads: list[Json] = []
        self.waits: list[Json] = []
        self._numbers: dict[int, Json] = {}

    def slot(self, value: object) -> Json:
        """The slot of any value that an event, a command, a wait, a frame or history holds."""
        kind = type(value)
        if kind in _SCALARS or (kind is str and len(value) <= _INLINE_CHARACTERS_MAX):  # type: ignore[arg-type]
            return value
        return self._numbers.get(id(value)) or self._enter(value, kind)

    def members(self, values: Mapping[str, object]) -> Json:
        """The slots of a frame's or the execution's fields, or of a history event's details."""
        return {
            name: self._mapping(value) if name in _MAPPINGS and isinstance(value, Mapping) else self.slot(value)
            for name, value in values.items()
        }

    def kind(self, value: object) -> Json:
        """An event, a command or a wait: its tag and the slots of its members."""
        kind = type(value)
        return [KINDS[kind], *[self.slot(getattr(value, name)) for name in _MEMBERS[kind]]]

    def _mapping(self, values: Mapping[str, object]) -> Json:
        return {name: self.slot(value) for name, value in values.items()}

    def _enter(self, value: object, kind: type) -> Json:
        if value is ABSENT:
            return []
        if kind is tuple:
            return value
        if kind in _WAITS:
            number = ["w", len(self.waits)]
            self.waits.append(self.kind(value))
        else:
            number = [len(self.payloads)]
            self.payloads.append(value)
        self._numbers[id(value)] = number
        return number


class SlotReader:
    """Reads slots. What one number names is one object."""

    __slots__ = ("_payloads", "_waits")

    def __init__(self, payloads: list[Json], waits: list[Json]) -> None:
        self._payloads = payloads
        self._waits = [self.kind(wait) for wait in waits]

    def slot(self, slot: Json) -> Any:
        """The value that the slot stands for."""
        if type(slot) is dict:
            return self.members(slot)
        if type(slot) is not list:
            return slot
        match slot:
            case []:
                return ABSENT
            case [number]:
                return self._payloads[number]
            case ["w", number]:
                return self._waits[number]
        raise ValueError(f"no slot: {slot}")

    def members(self, slots: Json) -> dict[str, Any]:
        """A history event's details, or a mapping of payloads."""
        return {name: self.slot(slot) for name, slot in slots.items()}

    def fields(self, slots: Json) -> dict[str, object]:
        """Fields of a frame or of the execution."""
        return {
            name: _FIELD_READERS[name](slot) if name in _FIELD_READERS else self.slot(slot)
            for name, slot in slots.items()
        }

    def kind(self, slots: Json) -> Any:
        """An event, a command or a wait."""
        tag, *values = slots
        names = _NAMES[tag][: len(values)]
        return _CLASSES[tag](**{name: self.slot(value) for name, value in zip(names, values, strict=True)})
