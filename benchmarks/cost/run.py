"""Running a workload, and what it came to."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Final

from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.language.parser import compile_definition
from benchmarks.cost import prices
from benchmarks.cost.account import Account, Assumptions
from benchmarks.cost.flows import Flow
from benchmarks.cost.usage import Usage
from benchmarks.engines import WrongAnswer

_EXPRESS_SECONDS_MAX: Final = 300
_DURABLE_OPERATIONS: Final = ("Task", "Wait", "Map", "Parallel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a workload used. A transition is a state that is entered, as in the bill of Step Functions.

    `seconds` is the time from start to end, summed over the executions.
    """

    flow: Flow
    usage: Usage
    executions: int
    transitions: int
    task_states: int
    durable_operations: int  # of a Lambda durable function: its start and a step, wait or child context for each state
    seconds: float

    def per_million(self, dollars: float) -> float:
        """Dollars for a million transitions."""
        return dollars / self.transitions * prices.MILLION

    @property
    def usd_per_million_transitions(self) -> float:
        """All orchestration; the time that runners wait is apart."""
        return self.per_million(sum(self.usage.dollars().values()))

    @property
    def suits_express(self) -> bool:
        """Whether it could run as an Express workflow at all."""
        return self.seconds / self.executions <= _EXPRESS_SECONDS_MAX


def run_flow(flow: Flow, assumptions: Assumptions) -> Result:
    """Run all executions of a workload at once, to the last timer. Raises WrongAnswer."""
    return asyncio.run(_run(flow, assumptions))


async def _run(flow: Flow, assumptions: Assumptions) -> Result:
    account, chance = Account(flow.payload, assumptions), Random(flow.name)
    machines = [compile_definition(json.dumps(definition)) for definition in flow.machines]
    for machine in machines:
        await account.publish(machine)
    published = account.usage.less(Usage())
    started = [
        (number, account.start(machine, flow.input(chance)))
        for number, machine in enumerate(machines)
        for _ in range(flow.executions)
    ]
    await account.until_idle()
    return await _result(flow, account, started, account.usage.less(published))


async def _result(flow: Flow, account: Account, started: list[tuple[int, str]], usage: Usage) -> Result:
    if account.observer.errors:
        raise WrongAnswer(f"{flow.name}: {account.observer.errors[0]!r}")
    entered: Counter[str] = Counter()
    seconds = 0.0
    account.clock.begin()
    for number, arn in started:
        execution = await account.store.load(arn)
        expected = ExecutionStatus.FAILED if number in flow.must_fail else ExecutionStatus.SUCCEEDED
        if execution.status is not expected:
            raise WrongAnswer(f"{flow.name}: {arn} is {execution.status}: {execution.error}: {execution.cause}")
        seconds += ((execution.stopped_at or 0) - execution.started_at) / 1000
        async for event in account.store.history(arn):
            entered[event.type] += event.type.endswith("StateEntered")
    account.clock.end()
    return Result(
        flow=flow,
        usage=usage,
        executions=len(started),
        transitions=entered.total(),
        task_states=entered["TaskStateEntered"],
        durable_operations=len(started) + sum(entered[f"{kind}StateEntered"] for kind in _DURABLE_OPERATIONS),
        seconds=seconds,
    )
