from __future__ import annotations

import json
from typing import Any

from asl_engine.aws.host_log import HostLog
from asl_engine.aws.log import Log, Metric
from asl_engine.errors import StoreCorrupt, StoreUnavailable
from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.runtime.queued.observer import Advanced
from asl_engine.runtime.queued.ports import Message, Received

NOON = 1_700_000_000_000
ARN = "arn:aws:states:eu-west-1:123456789012:execution:orders:run"


class Lines:
    """What a log has written."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.log = Log("Orders", lambda: NOON, self.texts.append)

    @property
    def last(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self.texts[-1])
        return line

    def metrics(self) -> dict[str, Any]:
        """The metrics of the last line as CloudWatch extracts them."""
        (directive,) = self.last["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("Orders", [[]])
        assert self.last["_aws"]["Timestamp"] == NOON
        return {each["Name"]: self.last[each["Name"]] for each in directive["Metrics"]}


def advanced(sequence: int = 3, status: ExecutionStatus = ExecutionStatus.RUNNING) -> Advanced:
    return Advanced(
        execution_arn=ARN,
        sequence=sequence,
        owner="m1",
        status=status,
        events=("TaskSucceeded",),
        commands=("ScheduleTask",),
        duration_milliseconds=12,
    )


def received(event: TaskSucceeded | None = None) -> Received:
    return Received(
        message=Message(execution_arn=ARN, owner="m1", event=event), id="r", receipt="r", deliveries=2, sent_at=NOON
    )


def test_an_advance_is_one_line_with_its_metrics() -> None:
    lines = Lines()
    HostLog(lines.log).advanced(advanced())

    (text,) = lines.texts
    line = json.loads(text)
    assert line | {"_aws": None} == {
        "level": "INFO",
        "timestamp": NOON,
        "message": "advanced",
        "executionArn": ARN,
        "sequence": 3,
        "owner": "m1",
        "status": "RUNNING",
        "events": ["TaskSucceeded"],
        "commands": ["ScheduleTask"],
        "AdvanceLatency": 12,
        "_aws": None,
    }
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "AdvanceLatency", "Unit": "Milliseconds"}]


def test_the_first_record_counts_as_a_start_and_the_last_by_its_status() -> None:
    lines = Lines()
    log = HostLog(lines.log)

    log.advanced(advanced(sequence=0))
    assert lines.metrics() == {"AdvanceLatency": 12, "ExecutionsStarted": 1}
    log.lost_race(ARN, 3)
    assert (lines.last["executionArn"], lines.last["sequence"], lines.metrics()) == (ARN, 3, {"Conflicts": 1})
    for status, name in (
        (ExecutionStatus.SUCCEEDED, "ExecutionsSucceeded"),
        (ExecutionStatus.FAILED, "ExecutionsFailed"),
        (ExecutionStatus.TIMED_OUT, "ExecutionsTimedOut"),
        (ExecutionStatus.ABORTED, "ExecutionsAborted"),
    ):
        log.advanced(advanced(status=status))
        assert lines.metrics() == {"AdvanceLatency": 12, name: 1}


def test_what_went_wrong_is_told_with_its_cause() -> None:
    lines = Lines()
    log = HostLog(lines.log)

    log.failed(received(), StoreUnavailable("the table is gone"))
    assert (lines.last["level"], lines.last["error"], lines.last["cause"]) == (
        "ERROR",
        "StoreUnavailable",
        "the table is gone",
    )
    assert (lines.last["executionArn"], lines.last["deliveries"], lines.metrics()) == (ARN, 2, {"FailedMessages": 1})
    log.poisoned(received(), ValueError("again"))
    assert lines.metrics() == {"PoisonMessages": 1}
    log.set_aside(received(), StoreCorrupt("its body is missing"))
    assert (lines.last["executionArn"], lines.last["cause"]) == (ARN, "its body is missing")
    assert lines.metrics() == {"PoisonMessages": 1}
    log.unknown(received())
    assert lines.metrics() == {"UnknownExecutions": 1}
    log.ignored(ARN, ("TimerFired", "TaskSucceeded"))
    assert lines.metrics() == {"IgnoredEvents": 2}


def test_a_defect_is_told_with_its_place_and_not_with_a_text_that_may_quote_a_payload() -> None:
    lines = Lines()
    try:
        int("hunter2")
    except ValueError as error:
        HostLog(lines.log).poisoned(received(), error)
        assert "hunter2" not in json.dumps(lines.last)
        assert (lines.last["error"], lines.last["raisedAt"][:12]) == ("ValueError", "test_log.py:")
        HostLog(lines.log, payloads=True).poisoned(received(), error)
        assert "hunter2" in lines.last["cause"]


def test_payloads_are_logged_only_when_asked_for() -> None:
    lines, message = Lines(), received(TaskSucceeded("0", 1, {"card": "4111"}))
    HostLog(lines.log).failed(message, ValueError("no"))
    assert "payload" not in lines.last
    HostLog(lines.log, payloads=True).failed(message, ValueError("no"))
    assert json.loads(lines.last["payload"])["execution"] == ARN


def test_no_name_can_break_or_colour_a_line() -> None:
    lines = Lines()
    lines.log.write(
        "INFO", "told", {"executionArn": 'a\r\n{"level":"ERROR"}\x1b[31m\x9b31m\u2028\ud800'}, {Metric.STARTED: 1}
    )

    (text,) = lines.texts
    assert text.isascii()
    assert text.isprintable()
    assert lines.last["executionArn"].startswith("a\r\n")


def test_a_long_cause_is_cut() -> None:
    lines = Lines()
    lines.log.write("ERROR", "failed", {"cause": "x" * 300_000})

    assert len(lines.texts[0]) < 5_000
    assert lines.last["cause"].endswith("x… (300000 characters)")
