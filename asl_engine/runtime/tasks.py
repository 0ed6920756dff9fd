"""The port through which work is performed, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from asl_engine.interpreter.execution import TaskAttempt
from asl_engine.json_value import JsonValue
from asl_engine.language.definition import Resource, ResourceType

# A name ends at the colon before its version; those in a template's ${AWS::Placeholder} are part of the name.
_BARE_NAME = re.compile(r"(?:\$\{[^}]*\}|[^:])*")


def _unheard() -> None:
    """Nobody listens."""


def _unheard_output(_output: JsonValue) -> None:
    """Nobody listens."""


def _not_over() -> bool:
    """Nothing is known to have ended the attempt."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """One attempt to perform. `idempotency_key` is the same whenever this attempt is performed again.

    Moments are epoch milliseconds, 0 if unknown: `execution_started_at` tells executions apart that have the same ARN
    in different stores; before `state_entered_at` nothing was done for this attempt.

    `heartbeat` tells the execution that the attempt is alive. Whoever does an activity's work in this process says
    `begun` first; whoever goes on to wait for a job says `submitted`, with the service's answer. `is_over` says whether
    the attempt's result no longer counts: then no request for it is repeated. When performing is cancelled while it
    counts, only this process stops, and the attempt may be taken up later. Performers call these on the event loop, not
    from threads.
    """

    execution_arn: str
    execution_name: str
    state_machine_name: str
    frame_id: str
    resource: Resource
    attempt: TaskAttempt
    execution_started_at: int = 0
    state_entered_at: int = 0
    state_entered_event_id: int = 0
    heartbeat: Callable[[], None] = field(default=_unheard, compare=False, repr=False)
    begun: Callable[[], None] = field(default=_unheard, compare=False, repr=False)
    submitted: Callable[[JsonValue], None] = field(default=_unheard_output, compare=False, repr=False)
    is_over: Callable[[], bool] = field(default=_not_over, compare=False, repr=False)

    @property
    def idempotency_key(self) -> str:
        """Names this attempt for ever."""
        return f"{self.execution_arn}/{self.frame_id}/{self.attempt.wait_id}"

    @property
    def is_lambda_invoke(self) -> bool:
        """Whether the resource is `arn:aws:states:::lambda:invoke`, whatever its pattern."""
        return self.resource.service == "lambda" and self.resource.action == "invoke"

    @property
    def function_name(self) -> str:
        """The Lambda function as the definition names it: a name, a partial or a full ARN; empty for other tasks."""
        if self.resource.type is ResourceType.LAMBDA_FUNCTION:
            return self.resource.arn
        arguments = self.attempt.arguments
        if self.is_lambda_invoke and isinstance(arguments, dict):
            name = arguments.get("FunctionName")
            return name if isinstance(name, str) else ""
        return ""

    def names(self) -> Iterator[str]:
        """What a task or a mock for this call may be filed under, the most specific first.

        The state; the function as written, without its version, `name:version`, `name`; the Resource; the activity's
        name; `service:action` with and without its pattern.
        """
        yield self.attempt.state_name
        if self.function_name:
            yield from _function_names(self.function_name)
        resource = self.resource
        yield resource.arn
        if resource.type is ResourceType.ACTIVITY:
            yield resource.arn.rpartition(":")[2]
        if resource.type is ResourceType.SERVICE:
            yield f"{resource.service}:{resource.action}{resource.pattern}"
            yield f"{resource.service}:{resource.action}"


def _function_names(written: str) -> Iterator[str]:
    yield written
    prefix, separator, qualified = written.rpartition("function:")
    bare = bare_function_name(written)
    if bare != qualified:
        yield f"{prefix}{separator}{bare}"
    if separator:
        yield qualified
        yield bare


def bare_function_name(written: str) -> str:
    """The function's own name out of a name, partial or full ARN, without its version or alias."""
    match = _BARE_NAME.match(written.rpartition("function:")[2])
    return match[0] if match else ""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task's result."""

    output: JsonValue


@dataclass(frozen=True, slots=True)
class Failed:
    """The task's error, as Retry and Catch see it."""

    error: str
    cause: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """The request was taken; the result will arrive by task token. `output` is what the service answered."""

    output: JsonValue


@dataclass(frozen=True, slots=True)
class Taken:
    """A worker has the activity task, which the execution knows already; the result will arrive by task token."""


TaskResult: TypeAlias = Succeeded | Failed | Submitted | Taken


class TaskPerformer(Protocol):
    """Performs task attempts. It may be asked to perform the same attempt again after a crash."""

    def handles(self, call: TaskCall) -> bool:
        """Whether this performer knows the call's resource."""

    async def perform(self, call: TaskCall) -> TaskResult:
        """Do the work. Cancelled (asyncio) when its result no longer counts. Never raises for what a task did."""

    async def close(self) -> None:
        """Let go of connections and threads."""
