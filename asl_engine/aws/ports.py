"""The ports of the engine on AWS: what all functions need, and none of what only some do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from asl_engine.aws.job_links import StoredJobLinks
from asl_engine.aws.log import Log
from asl_engine.aws.service_clock import ServiceClock
from asl_engine.aws.settings import Settings
from asl_engine.aws.sqs_queue import SqsQueue
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.store.dynamodb.client import Client, Observers
from asl_engine.store.dynamodb.connection import Connection
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.resources import ResourceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the engine knows of the world. Belongs to one event loop."""

    settings: Settings
    environ: Mapping[str, str]
    clock: ServiceClock
    clients: AwsClients
    store: DynamoDbStore
    resources: ResourceStore
    queue: SqsQueue
    links: StoredJobLinks
    log: Log

    async def open(self) -> None:
        """Make the clients that every invocation needs. No request is sent."""
        await self.store.client.connection.client("dynamodb")
        await self.clients.client("sqs")

    async def close(self) -> None:
        """Let go of connections."""
        await self.store.close()
        await self.clients.close()


def open_ports(environ: Mapping[str, str] = os.environ) -> Ports:
    """The ports of a deployment; nothing is connected yet. Raises AslError for what the environment lacks."""
    settings = Settings.from_environment(environ)
    clock, clients = ServiceClock(), AwsClients(region=settings.region, environ=environ)
    table = Client(settings.table, Connection(environ, clients.session), Observers(on_server_time=clock.observe))
    store = DynamoDbStore(table, bucket=settings.bucket, expire_days=settings.expire_days)
    resources = store.resources()
    return Ports(
        settings=settings,
        environ=environ,
        clock=clock,
        clients=clients,
        store=store,
        resources=resources,
        queue=SqsQueue(clients, settings, clock),
        links=StoredJobLinks(resources, clock, settings.expire_days),
        log=Log(settings.metrics_namespace, clock.now),
    )
