"""Athena: the client token is the attempt's, so a query that is started again is the same query."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from asl_engine.integrations.athena import AthenaQueries
from asl_engine.integrations.aws_jobs import AwsJobs, attempt_key
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.runtime.jobs import JobLink, MemoryJobLinks
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall
from tests.integrations.aws_services import FakeService, Fault, Refused, serving
from tests.runtime.task_calls import task_call

SYNC = "arn:aws:states:::athena:startQueryExecution.sync"
CHANGE = "Athena Query State Change"

T = TypeVar("T")


class Athena(FakeService):
    """Queries by their client token."""

    def __init__(self) -> None:
        self.queries: dict[str, dict[str, Any]] = {}
        super().__init__(
            {"startqueryexecution": self._start, "getqueryexecution": self._get, "stopqueryexecution": self._stop}
        )

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        named = {"QueryExecutionId": f"q-{len(self.queries) + 1}", "Query": request["QueryString"]}
        query = self.queries.setdefault(
            request["ClientRequestToken"], {**named, "Status": {"State": "RUNNING", "SubmissionDateTime": 1.5}}
        )
        return {"QueryExecutionId": query["QueryExecutionId"]}

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"QueryExecution": self._query(request)}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._query(request)["Status"]["State"] = "CANCELLED"
        return {}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        return next(
            query for query in self.queries.values() if query["QueryExecutionId"] == request["QueryExecutionId"]
        )


@pytest.fixture
def athena() -> Iterator[Athena]:
    service = Athena()
    with serving(service):
        yield service


async def _at_once(_seconds: float) -> None:
    """Pause without taking time."""


def asking(athena: Athena, ask: Callable[[AwsJobs], Awaitable[T]], links: MemoryJobLinks | None = None) -> T:
    """Ask a process of its own: it remembers nothing but the links."""

    async def asked() -> T:
        jobs = AwsJobs(AwsClients(endpoint_url=athena.url, environ={}), (AthenaQueries(),), links, pause=_at_once)
        try:
            return await ask(jobs)
        finally:
            await jobs.close()

    return asyncio.run(asked())


def query(*, submitted: bool = False, **fields: Any) -> TaskCall:
    call = task_call(SYNC, {"QueryString": "SELECT 1", "WorkGroup": "primary"}, **fields)
    return replace(call, attempt=replace(call.attempt, submitted=submitted))


def test_a_query_is_started_once_whatever_happens_to_the_answer(athena: Athena) -> None:
    athena.faults.append(Fault("startqueryexecution", None, before=False))
    assert isinstance(asking(athena, lambda jobs: jobs.submit(query())), Submitted)
    assert isinstance(asking(athena, lambda jobs: jobs.submit(query())), Submitted)
    assert list(athena.queries) == [attempt_key(query())]


def test_a_query_gives_its_description_when_it_has_succeeded(athena: Athena) -> None:
    asking(athena, lambda jobs: jobs.submit(query()))
    assert asking(athena, lambda jobs: jobs.look(query(submitted=True))) is None
    athena.queries[attempt_key(query())]["Status"]["State"] = "SUCCEEDED"
    assert asking(athena, lambda jobs: jobs.look(query(submitted=True))) == Succeeded(
        {
            "QueryExecution": {
                "Query": "SELECT 1",
                "QueryExecutionId": "q-1",
                "Status": {"State": "SUCCEEDED", "SubmissionDateTime": 1_500},
            }
        }
    )


def test_a_query_is_stopped_and_has_then_failed(athena: Athena) -> None:
    asking(athena, lambda jobs: jobs.submit(query()))
    assert asking(athena, lambda jobs: jobs.stop(query(submitted=True))) is None
    result = asking(athena, lambda jobs: jobs.look(query(submitted=True)))
    assert isinstance(result, Failed)
    assert result.error == "States.TaskFailed"
    assert json.loads(result.cause)["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_a_query_that_athena_has_forgotten_has_failed(athena: Athena) -> None:
    links = MemoryJobLinks()
    asking(athena, lambda jobs: jobs.submit(query()), links)
    unknown = Refused(400, "InvalidRequestException", "QueryExecution q-1 was not found")
    athena.faults += [Fault("getqueryexecution", unknown)] * 4
    result = asking(athena, lambda jobs: jobs.look(query(submitted=True)), links)
    assert result == Failed("States.TaskFailed", "athena does not know the job of this attempt any more")


def test_stopping_what_may_never_have_begun_does_not_begin_it(athena: Athena) -> None:
    assert asking(athena, lambda jobs: jobs.stop(query())) is None
    assert asking(athena, lambda jobs: jobs.look(query())) is None
    assert not athena.requests


def test_what_athena_refuses_is_named_as_step_functions_names_it(athena: Athena) -> None:
    athena.faults.append(Fault("startqueryexecution", Refused(400, "InvalidRequestException", "no output location")))
    assert asking(athena, lambda jobs: jobs.submit(query())) == Failed(
        "Athena.InvalidRequestException",
        "no output location (Service: AmazonAthena; Status Code: 400; Error Code: InvalidRequestException; "
        "Request ID: request-1; Proxy: null)",
    )


def test_an_event_leads_to_the_attempt(athena: Athena) -> None:
    links = MemoryJobLinks()
    asking(athena, lambda jobs: jobs.submit(query()), links)
    athena.queries[attempt_key(query())]["Status"]["State"] = "SUCCEEDED"
    running: dict[str, Any] = {"queryExecutionId": "q-1", "currentState": "RUNNING"}
    assert asking(athena, lambda jobs: jobs.completed(CHANGE, running), links) is None
    ended: dict[str, Any] = {**running, "currentState": "SUCCEEDED"}
    completion = asking(athena, lambda jobs: jobs.completed(CHANGE, ended), links)
    assert completion is not None
    assert completion.link == JobLink.of(query())
    assert isinstance(completion.result, Succeeded)
