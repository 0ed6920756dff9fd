"""Amazon Athena: `athena:startQueryExecution`, whose client token makes a repeated start find the first.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
"""

from __future__ import annotations

from typing import Any, Final

from asl_engine.integrations.aws_errors import ErrorNames, OptimizedNames, call_errors, error_code, error_message
from asl_engine.integrations.aws_jobs import Job, JobState, Started, attempt_key
from asl_engine.integrations.aws_values import Moments, request_of, require, result_of
from asl_engine.integrations.sdk_metadata import with_metadata
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import Resource
from asl_engine.runtime.tasks import TaskCall

NAMES: Final = OptimizedNames(prefix="Athena", service="AmazonAthena", base="AmazonAthenaException")
_STATES: Final = {"SUCCEEDED": JobState.SUCCEEDED, "FAILED": JobState.FAILED, "CANCELLED": JobState.FAILED}


class AthenaQueries:
    """A `JobService`."""

    service = "athena"
    detail_type = "Athena Query State Change"
    names: ErrorNames = NAMES

    def starts(self, resource: Resource) -> bool:
        """Whether it is `athena:startQueryExecution`."""
        return (resource.service, resource.action) == ("athena", "startQueryExecution")

    async def start(self, client: Any, call: TaskCall) -> Started:
        """Start the query, or find it if it was started. Raises UnusableArguments."""
        operation = client.meta.service_model.operation_model("StartQueryExecution")
        request = request_of(call.attempt.arguments, operation.input_shape)
        request.setdefault("ClientRequestToken", attempt_key(call))
        require(request, operation.input_shape)
        answer = await client.start_query_execution(**request)
        output = with_metadata(result_of(answer, operation.output_shape, Moments.MILLISECONDS), answer)
        return Started(job_key=_key(answer["QueryExecutionId"]), output=output)

    async def find(self, client: Any, call: TaskCall) -> str | None:
        """The query, by starting it again. None if it may not have been started: to ask would be to start it."""
        return (await self.start(client, call)).job_key if call.attempt.submitted else None

    async def describe(self, client: Any, job_key: str) -> Job | None:
        """The query, as GetQueryExecution describes it."""
        try:
            answer = await client.get_query_execution(QueryExecutionId=_query_id(job_key))
        except call_errors() as error:
            if error_code(error) == "InvalidRequestException" and "not found" in error_message(error):
                return None
            raise
        shape = client.meta.service_model.operation_model("GetQueryExecution").output_shape
        return Job(
            state=_STATES.get(answer["QueryExecution"]["Status"]["State"], JobState.RUNNING),
            description=result_of(answer, shape, Moments.MILLISECONDS),
        )

    async def stop(self, client: Any, job_key: str) -> None:
        """Cancel the query."""
        await client.stop_query_execution(QueryExecutionId=_query_id(job_key))

    def ended_job(self, detail: JsonObject) -> str | None:
        """The query of a state change to its end."""
        query_id = detail.get("queryExecutionId")
        return _key(query_id) if isinstance(query_id, str) and detail.get("currentState") in _STATES else None


def _key(query_id: str) -> str:
    return f"athena/{query_id}"


def _query_id(job_key: str) -> str:
    return job_key.removeprefix("athena/")
