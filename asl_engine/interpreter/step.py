"""Step: one advance in the making. It is what the behaviours of states write to.

Only this class copies frames, numbers history events and collects commands; a behaviour decides which. Nothing of the
Execution that came in is changed: a frame is copied when it is first touched.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from asl_engine.errors import EvaluationError
from asl_engine.expressions.scope import ABSENT, Entropy, Scope
from asl_engine.interpreter.commands import CancelTask, Command, Continue
from asl_engine.interpreter.context_object import context_object
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import ROOT_FRAME, RUNNING, Execution, ExecutionStatus, Frame, TaskAttempt
from asl_engine.interpreter.failure import RUNTIME, StatesError
from asl_engine.interpreter.frames import Frames
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.options import Options
from asl_engine.interpreter.outcome import Outcome
from asl_engine.interpreter.payload_sizes import PayloadSizes
from asl_engine.interpreter.task_token import TokenClaims, issue
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import StateMachine
from asl_engine.limits import ADVANCE_BYTES_MAX

_new = tuple.__new__
_EVENTS_PER_LOOK: Final = 64


class Step:
    """Working state of one advance. `now` is epoch milliseconds, `written` counts history events."""

    __slots__ = (
        "_last_event_id",
        "_owned",
        "_scope",
        "_scope_frame",
        "_token_wait_id",
        "cause",
        "commands",
        "error",
        "execution",
        "extents",
        "frames",
        "history",
        "ignored_events",
        "machine",
        "next_look",
        "now",
        "options",
        "output",
        "ready",
        "sizes",
        "status",
        "stopped_at",
        "token_drawn",
        "written",
    )

    def __init__(self, machine: StateMachine, execution: Execution, now: int, options: Options) -> None:
        self.machine, self.execution, self.options = machine, execution, options
        self.now = now = max(now, execution.at)
        frames = execution.frames
        self.frames = frames.copy() if isinstance(frames, Frames) else Frames(frames)
        self.ready: deque[str] = deque(execution.ready)
        self.history: list[HistoryEvent] = []
        self.commands: list[Command] = []
        self.status = execution.status
        self.output, self.error, self.cause = execution.output, execution.error, execution.cause
        self.stopped_at = execution.stopped_at
        self.ignored_events = 0
        self.token_drawn = False
        self.sizes = PayloadSizes()
        self._token_wait_id: int | None = None
        self._owned: dict[str, Frame | None] = {}  # what was touched; None for what is gone
        self._last_event_id = execution.last_event_id
        self.written = 0
        self.next_look = min(_EVENTS_PER_LOOK, options.advance_history_events_max)
        entropy = Entropy(f"{execution.seed}:{execution.sequence + 1}")
        self._scope = Scope(None, context=self._context, entropy=entropy, now=now)
        self.extents = self._scope.extents
        self._scope_frame: Frame | None = None

    # Frames

    def frame(self, frame_id: str) -> Frame:
        """The frame, free to be changed."""
        owned = self._owned.get(frame_id)
        if owned is None:
            owned = self.frames[frame_id] = self._owned[frame_id] = self.frames[frame_id].copy()
        return owned

    def add_frame(self, frame: Frame) -> None:
        """A new frame, ready to run."""
        self.frames[frame.id] = self._owned[frame.id] = frame
        self.ready.append(frame.id)

    def drop_frame(self, frame_id: str) -> None:
        """Forget a frame whose work is over."""
        del self.frames[frame_id]
        self._owned[frame_id] = None

    def descendants(self, frame: Frame) -> list[Frame]:
        """All frames under a frame, those nearest to it first."""
        prefix = f"{frame.id}/"
        return [found for frame_id, found in self.frames.items() if frame_id.startswith(prefix)]

    # Expressions

    def scope(self, frame: Frame) -> Scope:
        """The scope of a frame's state, its raw input as `input`. Valid until the next call."""
        scope = self._scope
        scope.input = frame.input
        scope.variables = frame.variables
        scope.result = scope.error_output = ABSENT
        self._scope_frame = frame
        self._token_wait_id = None
        return scope

    def offer_task_token(self, frame: Frame) -> None:
        """Let the Context object hold the token of the attempt that is about to be scheduled."""
        self._token_wait_id = self.next_event_id(frame)
        self.token_drawn = False

    def task_token(self, frame: Frame, wait_id: int) -> str:
        """The token of an attempt of this frame."""
        return issue(self.execution.seed, TokenClaims(self.execution.arn, frame.id, wait_id))

    def draw(self) -> float:
        """A number in [0, 1) that a replay repeats."""
        return self._scope.entropy.random()

    def draw_uuid(self) -> str:
        """A UUID that a replay repeats."""
        return self._scope.entropy.uuid()

    def _context(self) -> JsonObject:
        assert self._scope_frame is not None
        if self.options.context_object is not None:
            return self.options.context_object
        token = None
        if self._token_wait_id is not None:
            token = self.task_token(self._scope_frame, self._token_wait_id)
            self.token_drawn = True
        return context_object(self.machine, self.execution, self.frames, self._scope_frame, token)

    # What goes out

    def next_event_id(self, frame: Frame) -> int:
        """The id that the frame's next history event will have."""
        return (self._last_event_id if frame.map_run is None else frame.previous_event_id) + 1

    def record(self, frame: Frame, event_type: str, details: JsonObject | None = None) -> int:
        """Write a history event that follows the frame's last one, and return its id."""
        self.written += 1
        if frame.map_run is not None:
            frame.previous_event_id += 1
            return frame.previous_event_id
        self._last_event_id = event_id = self._last_event_id + 1
        # What the class would do, at half the price: two of these are made in every state.
        self.history.append(_new(HistoryEvent, (event_id, frame.previous_event_id, event_type, self.now, details)))
        frame.previous_event_id = event_id
        return event_id

    def record_aside(self, frame: Frame, event_type: str, details: JsonObject | None = None) -> int:
        """Write a history event that nothing follows: it stands beside the frame's chain.

        What happens inside a Map Run is history of its child executions, not of this one: it is only counted.
        """
        self.written += 1
        if frame.map_run is not None:
            return frame.previous_event_id + 1
        event_id = self._last_event_id = self._last_event_id + 1
        self.history.append(HistoryEvent(event_id, frame.previous_event_id, event_type, self.now, details))
        return event_id

    def cancel(self, frame: Frame) -> None:
        """Stop the work that a frame waits for, if any."""
        if isinstance(frame.wait, TaskAttempt):
            self.commands.append(CancelTask(frame.id, frame.wait))

    @property
    def is_over(self) -> bool:
        """Whether the execution has ended."""
        return self.status is not RUNNING

    @property
    def is_full(self) -> bool:
        """Whether this advance has done enough."""
        return self.written >= self.options.advance_history_events_max or self.extents.total >= ADVANCE_BYTES_MAX

    def look(self, frame: Frame) -> bool:
        """Whether this advance has done enough; a look from time to time at how large the payloads have become."""
        most = self.options.advance_history_events_max
        if self.written < most:
            try:
                self.extents.total += _EVENTS_PER_LOOK * self.extents.size(frame.input)
            except EvaluationError:  # it came so deep from outside
                self.extents.total = ADVANCE_BYTES_MAX
        self.next_look = min(self.written + _EVENTS_PER_LOOK, most)
        return self.is_full

    def succeed(self, output: JsonValue) -> None:
        """End the execution well."""
        self.record(self.frame(ROOT_FRAME), "ExecutionSucceeded", {"output": output})
        self._end(ExecutionStatus.SUCCEEDED)
        self.output = output

    def end_with_error(self, status: ExecutionStatus, event_type: str, error: StatesError) -> None:
        """End the execution with an error: failed, timed out or aborted."""
        self.record(self.frame(ROOT_FRAME), event_type, error.details())
        self._end(status)
        self.error, self.cause = error.error, error.cause

    def _end(self, status: ExecutionStatus) -> None:
        self.status, self.stopped_at = status, self.now
        self._owned.update(dict.fromkeys(self.frames))
        self.frames.clear()
        self.ready.clear()

    def outcome(self, events: tuple[Event, ...]) -> Outcome:
        """The finished advance."""
        maximum = self.options.history_events_max
        # The last event that fits is kept for the end: an execution that goes on has none left to end with.
        if maximum is not None and self._last_event_id + (not self.is_over) > maximum:
            self._cut_history(maximum)
        ready = tuple(frame_id for frame_id in self.ready if frame_id in self.frames)
        if ready:
            self.commands.append(Continue())
        before = self.execution
        after = before.changed(
            {
                "status": self.status,
                "output": self.output,
                "error": self.error,
                "cause": self.cause,
                "stopped_at": self.stopped_at,
                "sequence": before.sequence + 1,
                "at": self.now,
                "last_event_id": self._last_event_id,
                "frames": self.frames,
                "ready": ready,
                "ignored_events": before.ignored_events + self.ignored_events,
            }
        )
        return Outcome(
            before=before if before.sequence >= 0 else None,
            execution=after,
            at=self.now,
            events=events,
            touched=tuple(self._owned),
            history=tuple(self.history),
            commands=tuple(self.commands),
        )

    def _cut_history(self, maximum: int) -> None:
        """Event number `maximum` is the failure itself, as on AWS; what came after it never happened."""
        surplus = self._last_event_id - maximum
        last = self.history[-surplus - 1]
        error = StatesError(RUNTIME, f"The execution reached the maximum number of history events ({maximum}).")
        self.history[-surplus - 1 :] = [last._replace(type="ExecutionFailed", details=error.details())]
        self._last_event_id = maximum
        for frame in self.frames.values():
            self.cancel(frame)
        self.commands = [command for command in self.commands if self._cancels_what_was_open(command)]
        self._end(ExecutionStatus.FAILED)
        self.output, self.error, self.cause = None, error.error, error.cause

    def _cancels_what_was_open(self, command: Command) -> bool:
        if not isinstance(command, CancelTask):
            return False
        before = self.execution.frames.get(command.frame_id)
        return before is not None and before.wait is not None and before.wait.wait_id == command.attempt.wait_id
