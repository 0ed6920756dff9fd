"""What may differ between hosts: AWS's limits on or off, and how much one advance may do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from asl_engine import limits
from asl_engine.interpreter.execution import Execution
from asl_engine.json_value import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """None switches a limit off. `advance_history_events_max` bounds one advance, not the execution.

    `owner` names the queue message that is being handled. The attempts that it schedules carry it, so that the message,
    delivered again after a crash, dispatches exactly those. `context_object` takes the place of the Context object, as
    TestState lets its caller write one. `default_task_timeout_seconds` is for tasks whose state gives no
    TimeoutSeconds; None lets them take as long as they do. A task of one of the `missing_activities` fails as it is
    scheduled.
    """

    payload_bytes_max: int | None = None
    history_events_max: int | None = None
    advance_history_events_max: int = limits.ADVANCE_HISTORY_EVENTS_MAX
    owner: str = ""
    context_object: JsonObject | None = None
    default_task_timeout_seconds: int | None = None
    missing_activities: frozenset[str] = frozenset()

    @property
    def aws_limits(self) -> bool:
        """Whether AWS's limits are on."""
        return self.payload_bytes_max is not None or self.history_events_max is not None

    def pinned(self, execution: Execution) -> Options:
        """These options with the limits that an execution started under."""
        if execution.aws_limits == self.aws_limits:
            return self
        limited = AWS_COMPATIBLE if execution.aws_limits else _UNLIMITED
        return replace(self, payload_bytes_max=limited.payload_bytes_max, history_events_max=limited.history_events_max)


_UNLIMITED = Options()
AWS_COMPATIBLE = Options(
    payload_bytes_max=limits.PAYLOAD_BYTES_MAX,
    history_events_max=limits.HISTORY_EVENTS_MAX,
)
