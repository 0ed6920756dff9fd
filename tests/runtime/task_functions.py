"""A Python function performed as a task, for tests of all that it may do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.tasks import Failed, TaskCall, TaskResult
from tests.runtime.task_calls import NOON, perform, task_call


def run(function: Callable[..., Any], call: TaskCall, clock: VirtualClock | None = None) -> TaskResult:
    """What becomes of the call when this function performs it."""
    clock = clock or VirtualClock(NOON)
    tasks = PythonTasks({call.attempt.state_name: function}, clock)
    try:
        return perform(tasks, call, clock)
    finally:
        asyncio.run(tasks.close())


def failed(function: Callable[..., Any], call: TaskCall | None = None) -> tuple[str, dict[str, Any]]:
    """The error and the parsed cause of a function that fails."""
    result = run(function, call or task_call())
    assert isinstance(result, Failed)
    cause: dict[str, Any] = json.loads(result.cause)
    return result.error, cause
