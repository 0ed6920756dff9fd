"""What the function `sweeper` does: on a schedule it looks for executions that nothing moves, and moves them on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from asl_engine.aws.assembly import Engine, engine_on
from asl_engine.aws.container import Container
from asl_engine.aws.log import Metric
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.runtime.queued.sweeper import SweepReport, sweep


class SweeperFunction:
    """In a healthy deployment it finds nothing: each finding is worth an alarm."""

    def __init__(self, ports: Ports, engine: Engine) -> None:
        self._container = Container(ports)
        self._log, self._wiring = ports.log, engine.wiring

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> SweeperFunction:
        """Raises AslError for what the environment lacks."""
        ports = open_ports(environ)
        return cls(ports, engine_on(ports))

    def handle(self, _event: Mapping[str, Any], _context: object) -> None:
        """Sweep once, and tell. Raises StoreError or QueueUnavailable: the next round will do."""
        self._tell(self._container.run(sweep(self._wiring)))

    def _tell(self, report: SweepReport) -> None:
        for finding in report.findings:
            facts = {"executionArn": finding.execution_arn, "reason": finding.reason.value}
            self._log.write("ERROR", "found an execution that nothing moved", facts)
        metrics = {Metric.OPEN: report.looked_at, Metric.SWEEPER_FINDINGS: len(report.findings)}
        self._log.write("INFO", "swept", {}, metrics)

    def close(self) -> None:
        """Let go of connections."""
        self._container.close()
