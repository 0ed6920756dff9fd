"""What the host does, as log lines and metrics: one line for each record. No payloads, unless they are asked for."""

from __future__ import annotations

from typing import Any, Final

from asl_engine.aws.log import Log, Metric
from asl_engine.errors import AslError
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.interpreter.outcome import Outcome
from asl_engine.runtime.queued.message_text import message_text
from asl_engine.runtime.queued.observer import Advanced, place_of
from asl_engine.runtime.queued.ports import Received
from asl_engine.runtime.tasks import TaskCall

_ENDED: Final = {
    ExecutionStatus.SUCCEEDED: Metric.SUCCEEDED,
    ExecutionStatus.FAILED: Metric.FAILED,
    ExecutionStatus.TIMED_OUT: Metric.TIMED_OUT,
    ExecutionStatus.ABORTED: Metric.ABORTED,
}


class HostLog:
    """A `HostObserver`. With `payloads`, the messages that failed are logged whole."""

    def __init__(self, log: Log, *, payloads: bool = False) -> None:
        self._log, self._payloads = log, payloads

    def advanced(self, advanced: Advanced) -> None:
        """See HostObserver."""
        metrics = {Metric.ADVANCE_LATENCY: advanced.duration_milliseconds}
        if advanced.sequence == 0:
            metrics[Metric.STARTED] = 1
        if advanced.status in _ENDED:
            metrics[_ENDED[advanced.status]] = 1
        facts = {
            "executionArn": advanced.execution_arn,
            "sequence": advanced.sequence,
            "owner": advanced.owner,
            "status": advanced.status.value,
            "events": advanced.events,
            "commands": advanced.commands,
        }
        self._log.write("INFO", "advanced", facts, metrics)

    def lost_race(self, execution_arn: str, sequence: int) -> None:
        """See HostObserver."""
        facts = {"executionArn": execution_arn, "sequence": sequence}
        self._log.write("INFO", "lost a race for a record", facts, {Metric.CONFLICTS: 1})

    def advanced_in_memory(self, outcome: Outcome) -> None:
        """Tell the start and the end of an Express execution, which writes no records."""
        execution = outcome.execution
        metrics = {Metric.STARTED: 1} if outcome.before is None else {}
        if execution.status in _ENDED:
            metrics[_ENDED[execution.status]] = 1
        if metrics:
            facts = {"executionArn": execution.arn, "status": execution.status.value}
            self._log.write("INFO", "express execution", facts, metrics)

    def ignored(self, execution_arn: str, events: tuple[str, ...]) -> None:
        """See HostObserver."""
        facts = {"executionArn": execution_arn, "events": events}
        self._log.write("INFO", "ignored events of waits that are over", facts, {Metric.IGNORED_EVENTS: len(events)})

    def failed(self, received: Received, error: Exception) -> None:
        """See HostObserver."""
        self._tell(received, "could not handle a message: it will be delivered again", error, Metric.FAILED_MESSAGES)

    def poisoned(self, received: Received, error: Exception) -> None:
        """See HostObserver."""
        self._tell(received, "failed an execution whose message cannot be handled", error, Metric.POISON)

    def set_aside(self, received: Received, error: Exception) -> None:
        """See HostObserver."""
        self._tell(
            received, "set a message aside: its execution can be neither advanced nor failed", error, Metric.POISON
        )

    def unknown(self, received: Received) -> None:
        """See HostObserver."""
        self._tell(received, "dropped a message for an execution that does not exist", None, Metric.UNKNOWN)

    def unstopped(self, call: TaskCall, reason: str) -> None:
        """See HostObserver."""
        facts = {**_of_call(call), "reason": reason}
        self._log.write("ERROR", "a job runs on although its result no longer counts", facts, {Metric.UNSTOPPED: 1})

    def unseen(self, call: TaskCall, reason: str) -> None:
        """See HostObserver."""
        self._log.write("WARN", "could not look at a job", {**_of_call(call), "reason": reason}, {Metric.UNSEEN: 1})

    def _tell(self, received: Received, message: str, error: Exception | None, metric: Metric) -> None:
        facts: dict[str, Any] = {
            "executionArn": received.message.execution_arn,
            "owner": received.message.owner,
            "event": type(received.message.event).__name__ if received.message.event is not None else None,
            "deliveries": received.deliveries,
        }
        if error is not None:
            facts |= {"error": type(error).__name__, "raisedAt": place_of(error)}
            if self._payloads or isinstance(error, AslError):  # the text of any other may quote a payload
                facts["cause"] = str(error)
        if self._payloads:
            facts["payload"] = message_text(received.message)
        self._log.write("ERROR", message, facts, {metric: 1})


def _of_call(call: TaskCall) -> dict[str, str]:
    return {"executionArn": call.execution_arn, "state": call.attempt.state_name, "resource": call.resource.arn}
