"""Usage: every request of AWS that a run made, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil
from typing import Final

from benchmarks.cost import prices

WAKE_UP_SECONDS: Final = 0.040  # processor time of a function for one message, all SDK calls included
ENGINE_GB: Final = 0.5
API_GB: Final = 0.5
JOB_EVENTS_GB: Final = 0.25


@dataclass(slots=True, kw_only=True)
class Usage:
    """What was used. Units are those that AWS bills; `awaited_seconds` is how long runners were alive for nothing but
    to wait: for tasks and for the answers of AWS."""

    write_units: int = 0
    record_write_units: int = 0  # of these, for records of journals
    record_puts: int = 0  # conditional puts of records, those that lost a race included
    records: int = 0
    transactional_writes: int = 0
    read_units: float = 0
    sqs_requests: int = 0
    scheduler_invocations: int = 0
    engine_wake_ups: int = 0
    api_requests: int = 0
    job_event_wake_ups: int = 0
    awaited_seconds: float = 0
    s3_puts: int = 0
    s3_gets: int = 0
    log_lines: int = 0

    def less(self, earlier: Usage) -> Usage:
        """What was used since an earlier look."""
        return Usage(**{f.name: getattr(self, f.name) - getattr(earlier, f.name) for f in fields(Usage)})

    def dollars(self) -> dict[str, float]:
        """The bill, line by line. Waiting and logs are not in it: see `awaiting_dollars` and `log_dollars`."""
        return {
            "dynamodb_writes": self.write_units * prices.WRITE_UNIT,
            "dynamodb_reads": self.read_units * prices.READ_UNIT,
            "sqs": self.sqs_requests * prices.SQS_REQUEST,
            "scheduler": self.scheduler_invocations * prices.SCHEDULER_INVOCATION,
            "lambda_engine": self.engine_wake_ups * _wake_up(ENGINE_GB),
            "lambda_api": self.api_requests * _wake_up(API_GB),
            "lambda_job_events": self.job_event_wake_ups * _wake_up(JOB_EVENTS_GB),
            "api_gateway": self.api_requests * prices.API_REQUEST,
            "s3": self.s3_puts * prices.S3_PUT + self.s3_gets * prices.S3_GET,
        }

    def awaiting_dollars(self) -> float:
        """What it costs that runners live while they wait."""
        return self.awaited_seconds * ENGINE_GB * prices.LAMBDA_GB_SECOND

    def log_dollars(self, bytes_per_line: int) -> float:
        """What it costs to ingest one log line per record and per wake-up."""
        return (self.log_lines + self.engine_wake_ups) * bytes_per_line * prices.LOG_BYTE


def sqs_requests(payload_bytes: int) -> int:
    """How many requests SQS bills for an action with this payload."""
    return max(1, ceil(payload_bytes / prices.SQS_REQUEST_BYTES))


def _wake_up(gigabytes: float) -> float:
    return prices.LAMBDA_REQUEST + WAKE_UP_SECONDS * gigabytes * prices.LAMBDA_GB_SECOND
