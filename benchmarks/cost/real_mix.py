"""Machines with the states of 163 real workflows of the public aws-samples collection, dealt out like cards.

Only the totals are known here: how many states of each type, and how many tasks of each integration pattern. So the
states are shuffled and dealt to 163 machines in turns, which gives each 6 or 7 where 6.9 is the average, and are
chained. Three rules make machines of them: a Fail or Succeed comes last and no machine gets two; Choices come first and
go on to the next state; a Map or Parallel takes the states after it for its iteration (of one item) or its branches, so
that every state is entered once. Where nothing is left for an inside, a Pass stands in.

What becomes of results is drawn from the tasks as well: most replace the payload, some are put into it, few are
dropped. Every payload that comes in or that a function returns has 1 KB. Waits last what the workflows name, from 5 s
to 1,000 s, most of them 10, 20, 30 or 60 s. Few of their tasks have a timeout; here every task that is answered from
outside has one of a day, as the deployed engine gives each that has none, so that each of them sets a durable timer.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain as joined
from random import Random
from typing import Any, Final

from benchmarks.cost.tasks import FUNCTION, callback_task, job_task, lambda_task, sdk_task, service_task
from benchmarks.workloads import Definition, State, machine

WORKFLOWS: Final = 163
PASSES: Final = 126
CHOICES: Final = 135
WAITS: Final = 68
FAILS: Final = 60
SUCCEEDS: Final = 40
MAPS: Final = 53
PARALLELS: Final = 27
LAMBDA_INVOKES: Final = 139
LAMBDA_ARNS: Final = 48
SDK_REQUESTS: Final = 191  # aws-sdk:…
OTHER_REQUESTS: Final = 169  # request-response tasks are 499 in all
CALLBACKS: Final = 39
JOBS: Final = 28
STATES: Final = 1_123

# As often as the workflows have them; those that are given by a path or a placeholder are left out.
_WAIT_SECONDS: Final = (*[10] * 7, *[60] * 7, *[20] * 6, *[30] * 6, *[5] * 5, *[600] * 4, *[15] * 2, 300, 25, 1_000)
_SEED: Final = 163
_LAST: Final = ("Fail", "Succeed")
# What needs a state after it comes before those that do not.
_PLACES: Final = {"Fail": 0, "Succeed": 0, "Choice": 1, "Map": 2, "Parallel": 3}


def machines() -> list[Definition]:
    """The 163 machines, the same every time."""
    chance = Random(_SEED)
    ends, states = list(_ends()), list(_states(chance))
    chance.shuffle(ends)
    chance.shuffle(states)
    deck = ends + states
    assert len(deck) == STATES, "every state is dealt"
    return [_machine(deck[number::WORKFLOWS]) for number in range(WORKFLOWS)]


def ends_in_failure(definition: Definition) -> bool:
    """Whether its last state is a Fail."""
    return any(state["Type"] == "Fail" for state in definition["States"].values())


def _ends() -> Iterator[State]:
    yield from ({"Type": "Fail", "Error": "Rejected", "Cause": "The order was rejected"} for _ in range(FAILS))
    yield from ({"Type": "Succeed"} for _ in range(SUCCEEDS))


def _states(chance: Random) -> Iterator[State]:
    choice = {"Variable": "$.customer.id", "IsPresent": True}
    return joined(
        ({"Type": "Pass", "Parameters": {"by": "workflow"}, "ResultPath": "$.checked"} for _ in range(PASSES)),
        ({"Type": "Choice", "Choices": [dict(choice)]} for _ in range(CHOICES)),
        ({"Type": "Wait", "Seconds": chance.choice(_WAIT_SECONDS)} for _ in range(WAITS)),
        ({"Type": "Map"} for _ in range(MAPS)),
        ({"Type": "Parallel"} for _ in range(PARALLELS)),
        (lambda_task() for _ in range(LAMBDA_INVOKES)),
        ({"Type": "Task", "Resource": FUNCTION} for _ in range(LAMBDA_ARNS)),
        (_with_result(sdk_task(), number, 6) for number in range(SDK_REQUESTS)),
        (_with_result(_named_by_execution(service_task(), number), number, 7) for number in range(OTHER_REQUESTS)),
        (_with_result(callback_task(), number, 4) for number in range(CALLBACKS)),
        (_with_result(job_task(), number, 7) for number in range(JOBS)),
    )


def _with_result(task: State, number: int, replacing: int) -> State:
    """Of ten tasks so many results replace the payload, one is dropped, and the others are put into it."""
    if number % 10 < replacing:
        return task
    return task | {"ResultPath": None if number % 10 == 9 else "$.result"}


def _named_by_execution(task: State, number: int) -> State:
    """Every fourth looks at the Context object."""
    return task if number % 4 else task | {"Parameters": task["Parameters"] | {"Subject.$": "$$.Execution.Name"}}


def _machine(hand: list[State]) -> Definition:
    ordered = sorted(hand, key=lambda state: _PLACES.get(state["Type"], len(_PLACES)))
    if ordered[0]["Type"] in _LAST:  # it is the first place of the list, and the last of the machine
        ordered.append(ordered.pop(0))
    numbers = iter(range(1, len(ordered) + 3))
    return _chained(_contained(ordered, numbers), numbers)


def _contained(states: list[State], numbers: Iterator[int]) -> list[State]:
    """The states with each Map and Parallel given those that follow it for its inside."""
    rest = list(states)
    outer: list[State] = []
    while rest:
        state = rest.pop(0)
        match state["Type"]:
            case "Map":
                outer.append(_map(_inside(rest, 1), numbers))
            case "Parallel":
                outer.append(_parallel(_inside(rest, 2), numbers))
            case _:
                outer.append(state)
    return outer


def _inside(rest: list[State], wanted: int) -> list[State]:
    """Take up to this many of the states that follow, if they may stand in an iteration or a branch."""
    taken: list[State] = []
    while rest and len(taken) < wanted and rest[0]["Type"] not in _PLACES:
        taken.append(rest.pop(0))
    return taken


def _map(inside: list[State], numbers: Iterator[int]) -> State:
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, **_chained(inside or [{"Type": "Pass"}], numbers)}
    return {"Type": "Map", "ItemsPath": "$.lines[0:1]", "ItemProcessor": processor, "ResultPath": "$.mapped"}


def _parallel(inside: list[State], numbers: Iterator[int]) -> State:
    branches = [_chained([state], numbers) for state in inside or [{"Type": "Pass"}]]
    return {"Type": "Parallel", "Branches": branches, "ResultPath": "$.parallel"}


def _chained(states: list[State], numbers: Iterator[int]) -> Definition:
    names = [f"{state['Type']} {next(numbers)}" for state in states]
    named: dict[str, Any] = {}
    for name, following, state in zip(names, [*names[1:], None], states, strict=True):
        named[name] = _leading_to(state, following)
    return machine(named)


def _leading_to(state: State, following: str | None) -> State:
    if state["Type"] in _LAST:
        return state
    if state["Type"] == "Choice":
        return state | {"Choices": [state["Choices"][0] | {"Next": following}]}
    return state | ({"Next": following} if following else {"End": True})
