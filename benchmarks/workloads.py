"""The workloads: definitions that use the public specification only, each with the one output that is right.

`states` counts the states that one execution enters, iterations and branches included; speed is given in those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

INCREMENT = "arn:aws:lambda:us-east-1:123456789012:function:increment"

State = dict[str, Any]
Definition = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing to run: `executions` times the same machine on the same input."""

    name: str
    definition: Definition
    input: Any
    output: Any
    states: int
    executions: int = 1
    needs_tasks: bool = False


def all_workloads() -> Sequence[Workload]:
    """Every workload, from the cheapest engine feature to the dearest."""
    return (
        single_pass(),
        pass_chain(),
        loop_in_jsonpath(),
        loop_in_jsonata(),
        map_of_two_states(max_concurrency=0),
        map_of_two_states(max_concurrency=40),
        nested_map(),
        parallel(),
        intrinsic_functions(),
        large_payload(),
        task_chain(20),
        many_executions(),
    )


def increment(event: dict[str, int], _context: object) -> dict[str, int]:
    """What the Task workloads call. It blocks, as far as the engine can know, so it runs in a thread."""
    return {"n": event["n"] + 1}


async def increment_async(event: dict[str, int], _context: object) -> dict[str, int]:
    """The same on the event loop."""
    return {"n": event["n"] + 1}


def single_pass() -> Workload:
    """The floor: what an execution costs before it does anything."""
    definition = machine({"Only": {"Type": "Pass", "End": True}})
    return Workload(name="pass_1", definition=definition, input={"x": 1}, output={"x": 1}, states=1)


def pass_chain(length: int = 100) -> Workload:
    """A payload template and a ResultPath per state."""
    return Workload(
        name=f"pass_chain_{length}",
        definition=machine(chain(length, _remember)),
        input={"id": "x", "r": {"n": -1}},
        output={"id": "x", "r": {"n": length - 1, "prev": length - 2, "id": "x"}},
        states=length,
    )


def many_executions(executions: int = 200, length: int = 10) -> Workload:
    """Many short executions."""
    return Workload(
        name=f"executions_{executions}x{length}",
        definition=machine(chain(length, _remember)),
        input={"id": "x", "r": {"n": -1}},
        output={"id": "x", "r": {"n": length - 1, "prev": length - 2, "id": "x"}},
        states=length,
        executions=executions,
    )


def loop_in_jsonpath(turns: int = 1_000) -> Workload:
    """A counter that goes through Choice and States.MathAdd."""
    check: State = {"Variable": "$.i", "NumericLessThan": turns, "Next": "Increment"}
    definition = machine(
        {
            "Begin": {"Type": "Pass", "Result": {"i": 0}, "Next": "Check"},
            "Check": {"Type": "Choice", "Choices": [check], "Default": "Done"},
            "Increment": {"Type": "Pass", "Parameters": {"i.$": "States.MathAdd($.i, 1)"}, "Next": "Check"},
            "Done": {"Type": "Succeed"},
        }
    )
    return _loop("loop_jsonpath", turns, definition)


def loop_in_jsonata(turns: int = 1_000) -> Workload:
    """The same counter as a variable, in JSONata."""
    check: State = {"Condition": f"{{% $i < {turns} %}}", "Next": "Increment"}
    definition = machine(
        {
            "Begin": {"Type": "Pass", "Assign": {"i": 0}, "Next": "Check"},
            "Check": {"Type": "Choice", "Choices": [check], "Default": "Done"},
            "Increment": {"Type": "Pass", "Assign": {"i": "{% $i + 1 %}"}, "Next": "Check"},
            "Done": {"Type": "Pass", "Output": {"i": "{% $i %}"}, "End": True},
        }
    )
    return _loop("loop_jsonata", turns, {"QueryLanguage": "JSONata", **definition})


def map_of_two_states(items: int = 1_000, *, max_concurrency: int) -> Workload:
    """An inline Map with two states per item."""
    processor: dict[str, State] = {
        "Wrap": {"Type": "Pass", "Parameters": {"v.$": "$"}, "Next": "Add"},
        "Add": {"Type": "Pass", "Parameters": {"v.$": "States.MathAdd($.v, 1)"}, "End": True},
    }
    return Workload(
        name=f"map_{items}x2_concurrency_{max_concurrency}",
        definition=machine({"Each": map_state("$.items", processor, MaxConcurrency=max_concurrency)}),
        input={"items": list(range(1, items + 1))},
        output=[{"v": item + 1} for item in range(1, items + 1)],
        states=1 + 2 * items,
    )


def nested_map(rows: int = 30, columns: int = 30) -> Workload:
    """A Map within a Map."""
    cell: dict[str, State] = {"Cell": {"Type": "Pass", "Parameters": {"v.$": "States.MathAdd($, 1)"}, "End": True}}
    inner = {"Inner": map_state("$.cells", cell)}
    return Workload(
        name=f"map_nested_{rows}x{columns}",
        definition=machine({"Outer": map_state("$.rows", inner)}),
        input={"rows": [{"cells": [row * columns + column + 1 for column in range(columns)]} for row in range(rows)]},
        output=[[{"v": row * columns + column + 2} for column in range(columns)] for row in range(rows)],
        states=1 + rows + rows * columns,
    )


def parallel(branches: int = 10, length: int = 10) -> Workload:
    """A Parallel whose branches are chains."""
    state = {
        "Type": "Parallel",
        "Branches": [machine(chain(length, _numbered(branch), f"B{branch}S")) for branch in range(branches)],
        "End": True,
    }
    return Workload(
        name=f"parallel_{branches}x{length}",
        definition=machine({"Fan": state}),
        input={"id": "p"},
        output=[{"b": branch, "i": length - 1, "id": "p"} for branch in range(branches)],
        states=1 + branches * length,
    )


def intrinsic_functions(length: int = 40) -> Workload:
    """Six intrinsic functions per state."""
    kept = {"tag": "t1", "list": list(range(20)), "json": '{"k": [1, 2, {"z": true}]}', "a": {"x": 1}, "b": {"w": 3}}
    calls = {
        "n.$": "States.MathAdd($.n, 1)",
        "text.$": "States.Format('item-{}-{}', $.n, $.tag)",
        "parts.$": "States.ArrayPartition($.list, 4)",
        "parsed.$": "States.StringToJson($.json)",
        "hash.$": "States.Hash($.tag, 'SHA-256')",
        "merged.$": "States.JsonMerge($.a, $.b, false)",
    }
    results = {
        "n": length,
        "text": f"item-{length - 1}-t1",
        "parts": [list(range(start, start + 4)) for start in range(0, 20, 4)],
        "parsed": {"k": [1, 2, {"z": True}]},
        "hash": hashlib.sha256(b"t1").hexdigest(),
        "merged": {"x": 1, "w": 3},
    }
    parameters = calls | {f"{name}.$": f"$.{name}" for name in kept}
    return Workload(
        name=f"intrinsics_{length}",
        definition=machine(chain(length, lambda _: {"Type": "Pass", "Parameters": parameters})),
        input={"n": 0, **kept},
        output=results | kept,
        states=length,
    )


def map_of_tasks(items: int = 1_000, *, max_concurrency: int) -> Workload:
    """An inline Map whose iterations wait for a task each: every result is an event from outside."""
    task: State = {"Type": "Task", "Resource": INCREMENT, "End": True}
    return Workload(
        name=f"map_{items}_tasks_concurrency_{max_concurrency}",
        definition=machine({"Each": map_state("$.items", {"Call": task}, MaxConcurrency=max_concurrency)}),
        input={"items": [{"n": item} for item in range(items)]},
        output=[{"n": item + 1} for item in range(items)],
        states=1 + items,
        needs_tasks=True,
    )


def large_payload(length: int = 20, *, kilobytes: int = 200) -> Workload:
    """A large input that passes through every state unchanged but for one number."""
    row = {"name": "customer", "tags": ["a", "b", "c"], "active": True, "amount": 1.5}
    rows = [{"id": number, **row} for number in range(kilobytes * 1000 // 88)]
    return Workload(
        name=f"payload_{kilobytes}k_{length}",
        definition=machine(chain(length, lambda i: {"Type": "Pass", "Result": i, "ResultPath": "$.n"})),
        input={"rows": rows, "n": -1},
        output={"rows": rows, "n": length - 1},
        states=length,
    )


def task_chain(length: int) -> Workload:
    """Tasks that a Python callable performs at once: what is left is the engine's own cost per task."""
    task = {"Type": "Task", "Resource": INCREMENT}
    return Workload(
        name=f"task_chain_{length}",
        definition=machine(chain(length, lambda _: dict(task))),
        input={"n": 0},
        output={"n": length},
        states=length,
        needs_tasks=True,
    )


def machine(states: dict[str, State]) -> Definition:
    """A definition that starts at the first of these states."""
    return {"StartAt": next(iter(states)), "States": states}


def chain(length: int, state: Callable[[int], State], prefix: str = "S") -> dict[str, State]:
    """States in a row: `state(i)` is the i-th, without its Next or End."""
    last = length - 1
    return {
        f"{prefix}{i}": state(i) | ({"End": True} if i == last else {"Next": f"{prefix}{i + 1}"}) for i in range(length)
    }


def map_state(items_path: str, states: dict[str, State], **fields: Any) -> State:
    """An inline Map that ends its machine."""
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, **machine(states)}
    return {"Type": "Map", "ItemsPath": items_path, "ItemProcessor": processor, "End": True, **fields}


def _loop(name: str, turns: int, definition: Definition) -> Workload:
    states = 1 + (turns + 1) + turns + 1
    return Workload(name=f"{name}_{turns}", definition=definition, input={}, output={"i": turns}, states=states)


def _remember(number: int) -> State:
    parameters = {"n": number, "prev.$": "$.r.n", "id.$": "$.id"}
    return {"Type": "Pass", "Parameters": parameters, "ResultPath": "$.r"}


def _numbered(branch: int) -> Callable[[int], State]:
    return lambda i: {"Type": "Pass", "Parameters": {"b": branch, "i": i, "id.$": "$.id"}}
