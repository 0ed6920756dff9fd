"""One JSON line for each thing that happened, metrics in the same line (CloudWatch embedded metric format).

Everything outside ASCII, and every control character, is escaped: no name that a user chose can end a line, begin
another or colour a terminal.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

_TEXT_LENGTH_MAX: Final = 4_096
_dumps: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Metric(StrEnum):
    """The metrics of the engine, as CloudWatch shows them."""

    STARTED = "ExecutionsStarted"
    SUCCEEDED = "ExecutionsSucceeded"
    FAILED = "ExecutionsFailed"
    TIMED_OUT = "ExecutionsTimedOut"
    ABORTED = "ExecutionsAborted"
    OPEN = "OpenExecutions"
    ADVANCE_LATENCY = "AdvanceLatency"
    CONFLICTS = "Conflicts"
    IGNORED_EVENTS = "IgnoredEvents"
    QUEUE_AGE = "QueueAge"
    FAILED_MESSAGES = "FailedMessages"
    POISON = "PoisonMessages"
    UNKNOWN = "UnknownExecutions"
    UNSTOPPED = "UnstoppedJobs"
    UNSEEN = "UnseenJobs"
    SWEEPER_FINDINGS = "SweeperFindings"


_UNITS: Final = {Metric.ADVANCE_LATENCY: "Milliseconds", Metric.QUEUE_AGE: "Milliseconds"}


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Log:
    """Writes lines. `now` gives epoch milliseconds."""

    def __init__(self, namespace: str, now: Callable[[], int], write: Callable[[str], None] = _print) -> None:
        self._namespace, self._now, self._write = namespace, now, write

    def write(
        self, level: str, message: str, facts: Mapping[str, Any], metrics: Mapping[Metric, int] | None = None
    ) -> None:
        """A line of facts, and metrics that CloudWatch takes from it."""
        now = self._now()
        line: dict[str, Any] = {"level": level, "timestamp": now, "message": message}
        line |= {name: _short(value) for name, value in facts.items() if value not in (None, "", ())}
        if metrics:
            line |= {metric.value: value for metric, value in metrics.items()}
            line["_aws"] = {"Timestamp": now, "CloudWatchMetrics": [self._directive(metrics)]}
        self._write(_dumps(line))

    def _directive(self, metrics: Mapping[Metric, int]) -> dict[str, Any]:
        named = [{"Name": metric.value, "Unit": _UNITS.get(metric, "Count")} for metric in metrics]
        return {"Namespace": self._namespace, "Dimensions": [[]], "Metrics": named}


def _short(value: object) -> object:
    """CloudWatch bounds a line, and causes may be long."""
    if isinstance(value, str) and len(value) > _TEXT_LENGTH_MAX:
        return f"{value[:_TEXT_LENGTH_MAX]}… ({len(value)} characters)"
    return value
