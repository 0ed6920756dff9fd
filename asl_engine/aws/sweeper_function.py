"""What the function `sweeper` does: on a schedule it looks for executions that nothing moves, and moves them on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any, Final

from asl_engine.aws.assembly import Engine, engine_on
from asl_engine.aws.container import Container
from asl_engine.aws.engine_function import LambdaContext
from asl_engine.aws.log import Metric
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.errors import Conflict
from asl_engine.runtime.queued.sweeper import SweepReport, sweep
from asl_engine.store.resources import Document, created, removed, replaced

_ROUND: Final = "sweep"
# For the loads that are under way at the deadline, and for what is kept of the round.
_RESERVE_MILLISECONDS: Final = 30_000


class SweeperFunction:
    """In a healthy deployment it finds nothing: each finding is worth an alarm.

    A round that takes longer than an invocation is gone on with by the next one: a document says where.
    """

    def __init__(self, ports: Ports, engine: Engine) -> None:
        self._container = Container(ports)
        self._log, self._wiring, self._resources = ports.log, engine.wiring, ports.resources

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> SweeperFunction:
        """Raises AslError for what the environment lacks."""
        ports = open_ports(environ)
        return cls(ports, engine_on(ports))

    def handle(self, _event: Mapping[str, Any], context: LambdaContext) -> None:
        """Sweep, and tell. Raises StoreError or QueueUnavailable: the next invocation will do."""
        left = context.get_remaining_time_in_millis()
        deadline = self._wiring.clock.now() + left - min(_RESERVE_MILLISECONDS, left // 2)
        self._container.run(self._sweep(deadline))

    async def _sweep(self, deadline: int) -> None:
        kept = await self._resources.get(_ROUND, _ROUND)
        so_far: Document = {"after": "", "lookedAt": 0} if kept is None else kept.document
        report = await sweep(self._wiring, after=so_far["after"], deadline=deadline)
        looked_at = so_far["lookedAt"] + report.looked_at
        self._tell(report, looked_at)
        with contextlib.suppress(Conflict):  # two at once look at some executions twice
            if report.stopped_at is not None:
                document = {"after": report.stopped_at, "lookedAt": looked_at}
                await self._resources.write(
                    created(_ROUND, _ROUND, document) if kept is None else replaced(kept, document)
                )
            elif kept is not None:
                await self._resources.write(removed(kept))

    def _tell(self, report: SweepReport, looked_at: int) -> None:
        for finding in report.findings:
            facts = {
                "executionArn": finding.execution_arn,
                "reason": finding.reason.value,
                "repaired": finding.is_repaired,
            }
            self._log.write("ERROR", "found an execution that nothing moved", facts)
        metrics = {Metric.SWEEPER_FINDINGS: len(report.findings)}
        if report.stopped_at is None:  # else how many are open is not known yet
            metrics[Metric.OPEN] = looked_at
        if report.queue_is_behind:
            self._log.write("WARN", "repaired nothing: the queue is behind, and what seems lost may wait there", {})
        self._log.write("INFO", "swept", {"lookedAt": looked_at, "toTheEnd": report.stopped_at is None}, metrics)

    def close(self) -> None:
        """Let go of connections."""
        self._container.close()
