"""The engine on its ports: the host that advances executions, and the API that is asked about them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from asl_engine.api.nested_executions import NestedExecutions
from asl_engine.api.pages import PageTokens
from asl_engine.api.service import StepFunctions
from asl_engine.aws.host_log import HostLog
from asl_engine.aws.job_chain import JobChain
from asl_engine.aws.nested_jobs import NestedJobs, Parents
from asl_engine.aws.ports import Ports
from asl_engine.aws.queued_executions import QueuedExecutions
from asl_engine.aws.settings import Settings
from asl_engine.aws.stored_offers import StoredOffers
from asl_engine.aws.stored_trials import StoredTrials
from asl_engine.integrations.registry import integrations
from asl_engine.interpreter.options import AWS_COMPATIBLE
from asl_engine.runtime.express import ExpressExecutions
from asl_engine.runtime.jobs import JobPerformer
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.wiring import Wiring
from asl_engine.runtime.tasks import TaskPerformer

# API Gateway waits for 30 seconds, and workers ask again at once: half of AWS's own 60.
_ACTIVITY_POLL_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The host, and the API on it: tasks of the host may be operations of the API."""

    wiring: Wiring
    host: QueuedHost
    service: StepFunctions


def engine_on(ports: Ports) -> Engine:
    """The engine on some ports. Raises AslError for endpoints that are none."""
    nested, nested_jobs = NestedExecutions(), NestedJobs(ports.links)
    reached = integrations(ports.environ, clients=ports.clients, links=ports.links)
    offers = StoredOffers(ports.resources, ports.clock)
    performers: list[TaskPerformer] = [nested, offers]
    jobs: list[JobPerformer] = [nested_jobs]
    if reached is not None:
        performers.append(reached.tasks)
        jobs.append(reached.jobs)
    performer, observer = PerformerChain(performers), HostLog(ports.log, payloads=ports.settings.log_payloads)
    wiring = Wiring(
        store=ports.store,
        queue=ports.queue,
        clock=ports.clock,
        performer=performer,
        jobs=JobChain(jobs),
        options=replace(AWS_COMPATIBLE, default_task_timeout_seconds=ports.settings.default_task_timeout_seconds),
        observer=observer,
        visibility_seconds=ports.settings.visibility_seconds,
        trials=StoredTrials(ports.resources, ports.clock),
        deliveries_max=ports.settings.deliveries_max,
        set_aside=ports.queue.set_aside if ports.settings.dead_letters_url else None,
        ended=Parents(ports.links, ports.store, ports.queue).tell,
    )
    host = QueuedHost(wiring)
    service = StepFunctions(
        executions=ports.store,
        resources=ports.resources,
        host=QueuedExecutions(host, ports.store),
        express=ExpressExecutions(performer, ports.clock, wiring.options, observer=observer.advanced_in_memory),
        desk=offers,
        performer=performer,
        clock=ports.clock,
        region=ports.settings.region,
        account=ports.settings.account_id,
        tokens=PageTokens(_page_token_key(ports.settings)),
        activity_poll_seconds=_ACTIVITY_POLL_SECONDS,
    )
    nested.attach(service)
    nested_jobs.attach(service)
    return Engine(wiring=wiring, host=host, service=service)


def _page_token_key(settings: Settings) -> bytes:
    """The same in every function: a page that one issued is read by another. It guards against mistakes only."""
    return hashlib.sha256(f"{settings.account_id}:{settings.region}:{settings.table}".encode()).digest()
