"""What became of a tested state: whether its error would be retried, was caught or failed it; where it went, and how.

Retry is taken out of the state that runs and judged here: TestState tells that an error would be retried, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from asl_engine.api.testing_state.inspection import Inspection
from asl_engine.api.testing_state.request import StateTest
from asl_engine.expressions.scope import Entropy
from asl_engine.interpreter.execution import ROOT_FRAME, Execution, ExecutionStatus
from asl_engine.interpreter.failure import StatesError
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.retry import applying_rule, delay_milliseconds
from asl_engine.json_value import JsonObject, JsonValue


class TestExecutionStatus(StrEnum):
    """`status` of the answer."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    RETRIABLE = "RETRIABLE"
    CAUGHT_ERROR = "CAUGHT_ERROR"


@dataclass(frozen=True, slots=True)
class Departure:
    """How the state was left. `next_state` None: it ends its branch."""

    output: JsonValue
    next_state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a test. `error` is that of the state, caught or not."""

    status: TestExecutionStatus
    variables: JsonObject
    error: StatesError | None = None
    departure: Departure | None = None


def judge(test: StateTest, execution: Execution, history: Sequence[HistoryEvent], inspection: Inspection) -> Verdict:
    """The verdict on a state that ran without its Retry; which rules took its error is added to the inspection."""
    error = _error(execution, inspection)
    details: JsonObject = {}
    if error is not None and _is_retried(test, execution, error, details):
        verdict = Verdict(status=TestExecutionStatus.RETRIABLE, variables=test.variables, error=error)
    else:
        verdict = _verdict(test, execution, history, error)
    if verdict.status is TestExecutionStatus.CAUGHT_ERROR and inspection.caught is not None:
        details["catchIndex"] = inspection.caught.catch_index
    if details:
        inspection.facts["errorDetails"] = details
    return verdict


def _error(execution: Execution, inspection: Inspection) -> StatesError | None:
    """The error of the state itself: not that of a Catch rule which failed in turn."""
    if inspection.caught is not None:
        return inspection.caught.error
    return _failure(execution) if execution.status is ExecutionStatus.FAILED else None


def _failure(execution: Execution) -> StatesError:
    return StatesError(execution.error, execution.cause)


def _is_retried(test: StateTest, execution: Execution, error: StatesError, details: JsonObject) -> bool:
    """Whether Retry would try again. The rule that names the error is told even when its attempts are used up."""
    rules, count = test.state.retry, test.retrier_retry_count
    index = None if error.is_fatal else applying_rule(rules, error)
    if index is None:
        return False
    details["retryIndex"] = index
    if count >= rules[index].max_attempts:
        return False
    delay = delay_milliseconds(rules[index], count, Entropy(execution.seed).random)
    details["retryBackoffIntervalSeconds"] = round(delay / 1000)
    return True


def _verdict(
    test: StateTest, execution: Execution, history: Sequence[HistoryEvent], error: StatesError | None
) -> Verdict:
    exited = next((event.details for event in history if event.type.endswith("StateExited")), None)
    if exited is None:
        return Verdict(status=TestExecutionStatus.FAILED, variables=test.variables, error=_failure(execution))
    assigned = exited.get("assignedVariables", {})
    assert isinstance(assigned, dict)
    frame = execution.frames.get(ROOT_FRAME)
    return Verdict(
        status=TestExecutionStatus.SUCCEEDED if error is None else TestExecutionStatus.CAUGHT_ERROR,
        variables={**test.variables, **assigned},
        error=error,
        departure=Departure(exited["output"], None if frame is None else frame.state),
    )
