"""Records of the queue, as Lambda or a worker gets them, read into messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asl_engine.aws.log import Log, Metric
from asl_engine.aws.sqs_queue import read_record
from asl_engine.errors import AslError
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.queued.ports import Received


class RecordReader:
    """Reads batches. What cannot be read is logged and left alone: after enough deliveries it is a dead letter."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock, self._log = clock, log

    def read(self, records: Sequence[Mapping[str, Any]]) -> list[Received]:
        """The messages of the records that have one."""
        readable = [each for each in map(self._read, records) if each is not None]
        if readable:
            ages = {Metric.QUEUE_AGE: max(map(self._age, readable))}
            self._log.write("INFO", "received", {"messages": len(records)}, ages)
        return readable

    def _read(self, record: Mapping[str, Any]) -> Received | None:
        try:
            return read_record(record)
        except AslError as error:
            facts = {"messageId": record.get("messageId"), "error": type(error).__name__, "cause": str(error)}
            self._log.write("ERROR", "a message cannot be read: it is left for the dead-letter queue", facts)
            return None

    def _age(self, received: Received) -> int:
        """How long it has been due. A timer was sent long before."""
        return max(0, self._clock.now() - (received.message.timer_at or received.sent_at))
