"""Many executions open at once in one process, in real time: how long an advance takes, and what memory they need.

Each execution has ten states: two tasks, a wait during which all of them are open, and two tasks more, with Pass and
Choice between. AWS answers after 5 ms here, and tasks take a tenth of a second.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import RealClock
from benchmarks.cost.account import Account, Assumptions
from benchmarks.cost.payloads import order
from benchmarks.cost.tasks import lambda_task
from benchmarks.workloads import State, chain, machine

STATES: Final = 10
_TASK_SECONDS: Final = 0.1
_WAIT_STATE: Final = 5
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What came of it. Memory is that of the process less what the table in it takes."""

    executions: int
    ended: int
    open_at_once: int
    seconds: float
    advances: int
    advance_milliseconds_median: int
    advance_milliseconds_p99: int
    megabytes_before: float
    megabytes_when_open: float
    megabytes_after: float
    wake_ups: int


async def crowd(executions: int, starts_per_second: int) -> Crowd:
    """Start them evenly; every one waits until the last has come to its wait."""
    wait_seconds = executions // starts_per_second + 10
    definition = compile_definition(json.dumps(_definition(wait_seconds)))
    account = Account(order, Assumptions(task_seconds=_TASK_SECONDS), clock=RealClock())
    chance, began_at = Random("crowd"), time.monotonic()
    await account.publish(definition)
    before = _engine_megabytes(account)
    for number in range(executions):
        await asyncio.sleep(max(0.0, began_at + number / starts_per_second - time.monotonic()))
        account.start(definition, order(chance))
    await asyncio.sleep(_LOOK_SECONDS)
    open_at_once = executions - account.observer.ended.total()
    when_open = _engine_megabytes(account)
    while account.observer.ended.total() < executions and not account.failures:
        await asyncio.sleep(_LOOK_SECONDS)
    for failure in account.failures:
        raise failure
    milliseconds = account.observer.advance_milliseconds
    return Crowd(
        executions=executions,
        ended=account.observer.ended[ExecutionStatus.SUCCEEDED],
        open_at_once=open_at_once,
        seconds=time.monotonic() - began_at,
        advances=milliseconds.total(),
        advance_milliseconds_median=_quantile(milliseconds, 0.5),
        advance_milliseconds_p99=_quantile(milliseconds, 0.99),
        megabytes_before=before,
        megabytes_when_open=when_open,
        megabytes_after=_engine_megabytes(account),
        wake_ups=account.usage.engine_wake_ups,
    )


def _definition(wait_seconds: int) -> dict[str, Any]:
    def state(number: int) -> State:
        if number == _WAIT_STATE:
            return {"Type": "Wait", "Seconds": wait_seconds}
        if number in (1, 3, 6, 8):
            return lambda_task()
        return {"Type": "Pass", "Parameters": {"number": number}, "ResultPath": "$.step"}

    return machine(chain(STATES, state))


def _quantile(counts: Counter[int], share: float) -> int:
    left = share * counts.total()
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    raise ValueError("nothing was counted")


def _engine_megabytes(account: Account) -> float:
    resident = next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if line.startswith("VmRSS")
    )
    return resident - account.aws.table.memory_bytes / 1024**2
