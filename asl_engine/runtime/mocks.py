"""Answer tasks from a script instead of doing them.

A script files cases under a call's names (`TaskCall.names`). The first case whose `when` is contained in the arguments
answers; which of its answers is chosen by counting attempts, the last one repeating. An answer's value is the task's
whole result: for `lambda:invoke` it is the service's response, {"StatusCode": 200, "Payload": …}, and not the Payload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from asl_engine.expressions.scope import ABSENT, Absent
from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.definition import IntegrationPattern
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one attempt is answered, and when. `result` None is no answer at all, ever."""

    result: Succeeded | Failed | None
    after_milliseconds: int = 0
    heartbeat_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The answers for calls whose arguments contain `when`, in order of the attempts."""

    answers: Sequence[Answer]
    when: JsonValue | Absent = ABSENT


Script: TypeAlias = Mapping[str, Sequence[Case]]


class AttemptIndex(Protocol):
    """Which attempt a call is, from 0."""

    def __call__(self, call: TaskCall, /) -> int:
        """The number of the attempt."""


def by_retry_count(call: TaskCall) -> int:
    """Counts attempts within one entry of the state: it is durable, so it goes on after a restart."""
    return call.attempt.retry_count


class InvocationCount:
    """Counts how often an execution has called a state, as Step Functions Local does: loops and iterations count too.

    The count lives in memory; after a restart it goes on from the retry count.
    """

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], dict[str, int]] = {}

    def __call__(self, call: TaskCall, /) -> int:
        """The number of different attempts before this one."""
        calls = self._calls.setdefault((call.execution_arn, call.attempt.state_name), {})
        return max(calls.setdefault(call.idempotency_key, len(calls)), call.attempt.retry_count)


class ScriptedTasks:
    """Answers the tasks that its script names. It holds no thread or connection, and all its waiting is the clock's."""

    def __init__(self, script: Script, clock: Clock, attempt_index: AttemptIndex = by_retry_count) -> None:
        self._script, self._clock, self._attempt_index = script, clock, attempt_index

    def handles(self, call: TaskCall) -> bool:
        """Whether the script has one of the call's names."""
        return any(name in self._script for name in call.names())

    async def perform(self, call: TaskCall) -> TaskResult:
        """Answer as the script says. See `TaskPerformer.perform`."""
        call.begun()
        name = next(name for name in call.names() if name in self._script)
        case = next((case for case in self._script[name] if _applies(case, call.attempt.arguments)), None)
        if case is None:
            return Failed(
                "States.Runtime",
                f'no case of the mock "{name}" fits the arguments {dump_json(call.attempt.arguments)}; '
                "add one whose When they contain, or a last one without When",
            )
        answer = case.answers[min(self._attempt_index(call), len(case.answers) - 1)]
        if answer.result is None and answer.heartbeat_milliseconds is None and _has_token(call):
            return Submitted({})  # left to whoever holds the token
        await self._wait(call, answer)
        assert answer.result is not None, "waiting for no answer never ends"
        return answer.result

    async def close(self) -> None:
        """Nothing is held."""

    async def _wait(self, call: TaskCall, answer: Answer) -> None:
        ends_at = None if answer.result is None else self._clock.now() + answer.after_milliseconds
        if answer.heartbeat_milliseconds is not None:
            await self._beat(call, answer.heartbeat_milliseconds, ends_at)
        if ends_at is None:
            await self._never()
        elif answer.after_milliseconds:
            await self._clock.sleep_until(ends_at)

    async def _never(self) -> None:
        """Wait to be cancelled. That is no work, so virtual time may jump on to the task's timeout."""
        self._clock.end()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._clock.begin()

    async def _beat(self, call: TaskCall, interval: int, ends_at: int | None) -> None:
        beats_at = self._clock.now() + interval
        while ends_at is None or beats_at < ends_at:
            await self._clock.sleep_until(beats_at)
            call.heartbeat()
            beats_at += interval


class AutomaticMocks:
    """Answers every task at once with the least that its service would say, so that any workflow can be tried out."""

    def handles(self, _call: TaskCall) -> bool:
        """Every call."""
        return True

    async def perform(self, call: TaskCall) -> TaskResult:
        """Succeed with the service's smallest response."""
        call.begun()
        resource = call.resource
        answer = _RESPONSES.get(f"{resource.service.removeprefix('aws-sdk:')}:{resource.action}", _nothing)
        return Succeeded(answer(call))

    async def close(self) -> None:
        """Nothing is held."""


def _has_token(call: TaskCall) -> bool:
    return call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN


def _applies(case: Case, arguments: JsonValue) -> bool:
    return isinstance(case.when, Absent) or contains(arguments, case.when)


def contains(value: JsonValue, pattern: JsonValue) -> bool:
    """Whether `value` has all that `pattern` has. Objects may have more members; arrays match item by item."""
    match pattern, value:
        case dict(), dict():
            return all(name in value and contains(value[name], part) for name, part in pattern.items())
        case list(), list():
            return len(pattern) == len(value) and all(map(contains, value, pattern))
        case bool(), _:
            return value is pattern  # True == 1 in Python, not in JSON
        case _, bool():
            return False
    return value == pattern


def _nothing(_call: TaskCall) -> JsonObject:
    return {}


def _invoked(_call: TaskCall) -> JsonObject:
    return {"ExecutedVersion": "$LATEST", "Payload": {}, "StatusCode": 200}


def _message(call: TaskCall) -> JsonObject:
    return {"MessageId": call.idempotency_key}


def _child_execution(call: TaskCall) -> JsonObject:
    started: JsonObject = {"ExecutionArn": f"{call.idempotency_key}:child", "StartDate": 0}
    match call.resource.pattern:
        case IntegrationPattern.SYNC:
            return started | {"Input": "{}", "Output": "{}", "Status": "SUCCEEDED", "StopDate": 0}
        case IntegrationPattern.SYNC_2:
            return started | {"Input": {}, "Output": {}, "Status": "SUCCEEDED", "StopDate": 0}
    return started


def _fixed(response: JsonObject) -> Callable[[TaskCall], JsonObject]:
    return lambda _call: response


_RESPONSES: Final[Mapping[str, Callable[[TaskCall], JsonObject]]] = {
    "lambda:invoke": _invoked,
    "sns:publish": _message,
    "sqs:sendMessage": _message,
    "states:startExecution": _child_execution,
    "sfn:startExecution": _child_execution,
    "events:putEvents": _fixed({"Entries": [], "FailedEntryCount": 0}),
    "dynamodb:getItem": _fixed({"Item": {}}),
    "dynamodb:query": _fixed({"Count": 0, "Items": [], "ScannedCount": 0}),
    "dynamodb:scan": _fixed({"Count": 0, "Items": [], "ScannedCount": 0}),
    "dynamodb:updateItem": _fixed({"Attributes": {}}),
    "s3:listObjectsV2": _fixed({"Contents": [], "IsTruncated": False, "KeyCount": 0}),
    "s3:getObject": _fixed({"Body": "", "ContentLength": 0}),
    "http:invoke": _fixed({"Headers": {}, "ResponseBody": {}, "StatusCode": 200, "StatusText": "OK"}),
    "apigateway:invoke": _fixed({"Headers": {}, "ResponseBody": {}, "StatusCode": 200, "StatusText": "OK"}),
    "batch:submitJob": _fixed({"JobId": "job", "JobName": "job", "Status": "SUCCEEDED"}),
    "glue:startJobRun": _fixed({"JobRunId": "run", "JobRunState": "SUCCEEDED"}),
    "athena:startQueryExecution": _fixed(
        {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}, "QueryExecutionId": "query"}
    ),
    "ecs:runTask": _fixed({"Failures": [], "Tasks": []}),
    "bedrock:invokeModel": _fixed({"Body": {}, "ContentType": "application/json"}),
}
