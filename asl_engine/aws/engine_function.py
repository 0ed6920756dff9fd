"""What the function `engine` does: it handles batches of messages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from asl_engine.aws.assembly import Engine, engine_on
from asl_engine.aws.container import Container
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.aws.records import RecordReader

# What the host needs at the end to hand over what is in hand: an append, a message for each execution.
HAND_OVER_MILLISECONDS: Final = 15_000


class LambdaContext(Protocol):
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still run."""

    @property
    def aws_request_id(self) -> str:
        """What its log calls this invocation."""


class EngineFunction:
    """Advances executions whose messages have arrived."""

    def __init__(self, ports: Ports, engine: Engine) -> None:
        self._container = Container(ports)
        self._clock, self._host = ports.clock, engine.host
        self._reader = RecordReader(ports)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> EngineFunction:
        """Raises AslError for what the environment lacks."""
        ports = open_ports(environ)
        function = cls(ports, engine_on(ports))
        function._container.warm_up()
        return function

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The answer names the messages to deliver again (ReportBatchItemFailures)."""
        records = event["Records"]
        left = context.get_remaining_time_in_millis()
        deadline = self._clock.elapsed() + left - min(HAND_OVER_MILLISECONDS, left // 2)
        handled = self._container.run(self._handle(records, deadline, f"in request {context.aws_request_id}"))
        failed = [each["messageId"] for each in records if each["receiptHandle"] not in handled]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    async def _handle(self, records: Sequence[Mapping[str, Any]], deadline: int, runner: str) -> frozenset[str]:
        received, foreign = self._reader.read(records)
        handled = await asyncio.gather(self._host.handle(received, deadline, runner), self._reader.set_aside(foreign))
        return frozenset().union(*handled)

    def close(self) -> None:
        """Let go of connections."""
        self._container.close()
