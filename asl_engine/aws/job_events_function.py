"""What the function `job_events` does: EventBridge says that a job may have ended, and its execution is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from asl_engine.aws.container import Container
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.errors import AslError
from asl_engine.integrations.aws_jobs import AwsJobs
from asl_engine.integrations.registry import integrations
from asl_engine.runtime.queued.ports import Message
from asl_engine.runtime.queued.wiring import new_owner


class JobEventsFunction:
    """Sends the execution of a job what became of it. Jobs that are not the engine's are none of its business."""

    def __init__(self, ports: Ports, jobs: AwsJobs) -> None:
        self._container = Container(ports)
        self._ports, self._jobs = ports, jobs

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> JobEventsFunction:
        """Raises AslError for what the environment lacks."""
        ports = open_ports(environ)
        reached = integrations(environ, clients=ports.clients, links=ports.links)
        if reached is None:
            raise AslError("no AWS credentials are in the environment: give the function a role")
        return cls(ports, reached.jobs)

    def handle(self, event: Mapping[str, Any], _context: object) -> None:
        """Raising, it lets EventBridge deliver the event again."""
        self._container.run(self.tell(event))

    async def tell(self, event: Mapping[str, Any]) -> None:
        """Pass the end of a job on. Raises StoreError, QueueUnavailable, and what the job's service raises."""
        completion = await self._jobs.completed(event["detail-type"], event["detail"])
        facts = {"detailType": event["detail-type"], "resources": event.get("resources")}
        if completion is None:
            self._ports.log.write("INFO", "ignored an event of a job that has not ended, or is not ours", facts)
            return
        arn = completion.link.execution_arn
        await self._ports.queue.send(Message(execution_arn=arn, owner=new_owner(), event=completion.event))
        self._ports.log.write("INFO", "passed on the end of a job", {**facts, "executionArn": arn})

    def close(self) -> None:
        """Let go of connections."""
        self._container.close()
