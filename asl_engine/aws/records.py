"""Records of the queue, as Lambda or a worker gets them, read into messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asl_engine.aws.log import Log, Metric
from asl_engine.aws.ports import Ports
from asl_engine.aws.sqs_queue import read_record
from asl_engine.errors import AslError, QueueUnavailable
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.queued.ports import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """What came from the queue and is no message of ours, or one of a newer engine; why."""

    message_id: str
    receipt: str
    body: str
    deliveries: int
    reason: str


class RecordReader:
    """Reads batches, and sets aside what cannot be read. Another engine may read it: it is kept for some deliveries."""

    def __init__(self, ports: Ports) -> None:
        self._clock: Clock = ports.clock
        self._log: Log = ports.log
        self._queue, self._settings = ports.queue, ports.settings

    def read(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[Received], list[Foreign]]:
        """The messages of the records that have one, and the others."""
        read = [_read(record) for record in records]
        received = [each for each in read if isinstance(each, Received)]
        if received:
            ages = {Metric.QUEUE_AGE: max(map(self._age, received))}
            self._log.write("INFO", "received", {"messages": len(records)}, ages)
        return received, [each for each in read if isinstance(each, Foreign)]

    async def set_aside(self, foreign: Sequence[Foreign]) -> frozenset[str]:
        """The receipts of those that are dead letters now. The others come again within a minute."""
        done = [each.receipt for each in foreign if await self._is_set_aside(each)]
        left = [each.receipt for each in foreign if each.receipt not in done]
        if left:
            await self._come_again(left)
        return frozenset(done)

    async def _is_set_aside(self, foreign: Foreign) -> bool:
        facts = {"messageId": foreign.message_id, "error": "ForeignMessage", "cause": foreign.reason}
        if foreign.deliveries < self._settings.deliveries_max or self._settings.dead_letters_url is None:
            self._log.write("ERROR", "a message cannot be read: it is left to be delivered again", facts)
            return False
        try:
            await self._queue.set_text_aside(foreign.body, foreign.reason)
        except QueueUnavailable as error:
            self._log.write("WARN", "cannot set a message aside", {"cause": str(error)})
            return False
        self._log.write("ERROR", "a message cannot be read: it is a dead letter", facts)
        return True

    async def _come_again(self, receipts: Sequence[str]) -> None:
        try:
            await self._queue.extend(receipts, self._settings.visibility_seconds)
        except QueueUnavailable as error:
            self._log.write("WARN", "cannot give messages back", {"cause": str(error)})

    def _age(self, received: Received) -> int:
        """How long it has been due. A timer was sent long before."""
        return max(0, self._clock.now() - (received.message.timer_at or received.sent_at))


def _read(record: Mapping[str, Any]) -> Received | Foreign:
    try:
        return read_record(record)
    except AslError as error:
        return Foreign(
            message_id=record["messageId"],
            receipt=record["receiptHandle"],
            body=record["body"],
            deliveries=int(record["attributes"]["ApproximateReceiveCount"]),
            reason=str(error),
        )
