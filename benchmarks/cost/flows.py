"""The reference workloads: what is run, how often, and what the same would be elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from benchmarks.cost import real_mix
from benchmarks.cost.payloads import noise, order
from benchmarks.cost.tasks import FUNCTION, lambda_task
from benchmarks.workloads import Definition, State, chain, machine, map_state

Payload = Callable[[Random], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Machines of which each is run `executions` times, and the payload that goes in and that every task returns.

    `must_fail` are the machines, by index, whose executions fail; all others must succeed.
    """

    name: str
    title: str
    machines: Sequence[Definition]
    executions: int
    payload: Payload = order
    items: int = 0  # of the array under `items` in the input
    must_fail: frozenset[int] = field(default_factory=frozenset)

    def input(self, chance: Random) -> Any:
        """An execution's input."""
        return {"items": [self.payload(chance) for _ in range(self.items)]} if self.items else self.payload(chance)


CHAIN_TASKS: Final = 20


def lambda_chain(name: str = "lambda_chain", payload: Payload = order, what: str = "1 KB of JSON") -> Flow:
    """Twenty functions one after the other: `lambda:invoke`, the payload in, the payload out."""
    definition = machine(chain(CHAIN_TASKS, lambda _: lambda_task()))
    return Flow(
        name=name,
        title=f"chain of {CHAIN_TASKS} Lambda tasks, {what}",
        machines=[definition],
        executions=50,
        payload=payload,
    )


def direct_chain() -> Flow:
    """The same with the functions' ARNs as Resource: no response around the payload."""
    task: State = {"Type": "Task", "Resource": FUNCTION}
    definition = machine(chain(CHAIN_TASKS, lambda _: dict(task)))
    return Flow(
        name="direct_chain",
        title=f"chain of {CHAIN_TASKS} Lambda tasks by function ARN, 1 KB of JSON",
        machines=[definition],
        executions=50,
    )


def pure_flow(states: int = 20) -> Flow:
    """Pass and Choice in turns, and every tenth state a task."""
    return Flow(
        name="pass_choice",
        title=f"{states} states, 45% Pass, 45% Choice, 10% Lambda task",
        machines=[machine(_pure_states(states))],
        executions=50,
    )


def inline_map(items: int = 1_000, concurrency: int = 40) -> Flow:
    """A Map whose iterations are one Lambda task each."""
    processor = {"Work": {**lambda_task(), "End": True}}
    return Flow(
        name="inline_map",
        title=f"inline Map of {items:,} items, one Lambda task each, MaxConcurrency {concurrency}",
        machines=[machine({"Each": map_state("$.items", processor, MaxConcurrency=concurrency)})],
        executions=1,
        payload=_small_order,
        items=items,
    )


def real_flow() -> Flow:
    """The states of the 163 real workflows, each entered once."""
    machines = real_mix.machines()
    return Flow(
        name="real_mix",
        title=f"the states of {len(machines)} real workflows",
        machines=machines,
        executions=3,
        must_fail=frozenset(number for number, each in enumerate(machines) if real_mix.ends_in_failure(each)),
    )


def all_flows() -> Sequence[Flow]:
    """Every workload, in the order of the report."""
    return (
        lambda_chain(),
        direct_chain(),
        lambda_chain("noise_chain", noise, "1 KB that does not compress"),
        pure_flow(),
        real_flow(),
        inline_map(),
    )


def _small_order(chance: Random) -> Any:
    return order(chance, 256)


def _pure_states(states: int) -> dict[str, State]:
    def state(number: int) -> State:
        if number % 10 == 9:
            return lambda_task()
        if number % 2:
            choice = {"Variable": "$.customer.id", "NumericGreaterThanEquals": 0, "Next": f"S{number + 1}"}
            return {"Type": "Choice", "Choices": [choice]}
        return {"Type": "Pass", "Parameters": {"number": number, "order.$": "$.orderId"}, "ResultPath": "$.step"}

    chained = chain(states, state)
    for each in chained.values():
        if each["Type"] == "Choice":
            each.pop("Next")
    return chained
