"""StatesError: an error inside a workflow, the value that Retry and Catch consume.

https://states-language.net/spec.html#errors and https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from dataclasses import dataclass

from asl_engine.errors import EvaluationError
from asl_engine.expressions.extents import DATA_LIMIT_EXCEEDED
from asl_engine.interpreter.execution import Frame
from asl_engine.json_value import JsonObject

ALL = "States.ALL"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
RUNTIME = "States.Runtime"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"

# AWS records a missed heartbeat as States.Timeout and documents States.HeartbeatTimeout for rules: both match.
_TIMEOUTS = frozenset({TIMEOUT, HEARTBEAT_TIMEOUT})


@dataclass(frozen=True, slots=True)
class StatesError:
    """An error name and a cause; either may be missing, as in a Fail state without them.

    `missed_heartbeat` tells a heartbeat timeout, which is named States.Timeout, from a plain one.
    """

    error: str | None
    cause: str | None = None
    missed_heartbeat: bool = False

    @property
    def is_fatal(self) -> bool:
        """States.Runtime ends the execution whatever its rules say, even one that names it."""
        return self.error == RUNTIME

    def matches(self, error_equals: tuple[str, ...]) -> bool:
        """Whether a rule with these error names applies."""
        return any(self._matches(name) for name in error_equals)

    def _matches(self, name: str) -> bool:
        if name == self.error:
            return True
        if name == ALL:  # States.DataLimitExceeded included: AWS documents that it is not, and was recorded to take it
            return True
        if name == TASK_FAILED:
            return self.error not in _TIMEOUTS
        return name == HEARTBEAT_TIMEOUT and self.missed_heartbeat

    def error_output(self) -> JsonObject:
        """What a Catch receives: the Error Output of the specification."""
        return {"Error": self.error or "", "Cause": self.cause or ""}

    def details(self) -> JsonObject:
        """The members of a …Failed history event: those that exist."""
        shown: JsonObject = {}
        if self.error is not None:
            shown["error"] = self.error
        if self.cause is not None:
            shown["cause"] = self.cause
        return shown


def too_large(what: str) -> StatesError:
    """The error of a payload over the limit; `what` is the state or task that returned it."""
    return StatesError(
        DATA_LIMIT_EXCEEDED,
        f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit.",
    )


def evaluation_failure(frame: Frame, error: EvaluationError) -> StatesError:
    """The error of a state one of whose expressions failed, with the sentence that opens its cause on AWS."""
    if error.error == DATA_LIMIT_EXCEEDED:
        return too_large(frame.state)
    return StatesError(
        error.error,
        f"An error occurred while executing the state '{frame.state}' "
        f"(entered at the event id #{frame.entered_event_id}). {error.cause}",
    )
