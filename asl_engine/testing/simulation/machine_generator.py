"""Valid machines, drawn from a seed: nested Parallel and Map, loops, waits, retries, catches, in both query languages.

A `comparable` machine has one result, whatever the order in which its tasks end and however long they take: of several
branches at most one may fail, iterations fail only within a tolerance, time-outs are far away, and no expression reads
the time, chance or an event id. What is built reads the same in both languages; `Dialect` knows how each spells it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.simulation.behaviour import ERRORS
from asl_engine.testing.simulation.dialect import DIALECTS

_FAR_AWAY: Final = 1_000_000  # seconds
_DEPTH_MAX: Final = 2
_BLOCKS_MAX: Final = (4, 2, 1)  # of a branch, by its depth
_LONG_LOOP: Final = 12  # rounds
_RESOURCES: Final = (
    "arn:aws:lambda:us-east-1:123456789012:function:work",
    "arn:aws:states:::lambda:invoke",
    "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "arn:aws:states:us-east-1:123456789012:activity:work",
    "arn:aws:states:::states:startExecution.sync:2",
)
_JOBS: Final = (_RESOURCES[-1], _RESOURCES[-1], _RESOURCES[0])

_States: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class GeneratedMachine:
    """A definition, an input for it, and whether runs of it can be compared."""

    definition: JsonObject
    input: JsonValue
    comparable: bool


def generate(seed: str, *, mostly_jobs: bool = False) -> GeneratedMachine:
    """The machine of a seed. `mostly_jobs`: of jobs and functions, many with a time-out, so it is not comparable."""
    draws = Random(seed)  # noqa: S311 - the same machine for the same seed, and no secret
    comparable = draws.random() < 0.7 and not mostly_jobs
    generator = _Generator(draws, comparable=comparable, resources=_JOBS if mostly_jobs else _RESOURCES)
    definition = generator.branch(depth=0, may_fail=True)
    definition["QueryLanguage"] = generator.dialect.query_language
    if not comparable and draws.random() < 0.2:
        definition["TimeoutSeconds"] = draws.randint(1, 120)
    return GeneratedMachine(definition, {"order": draws.randint(0, 9)}, comparable)


class _Generator:
    """Builds branches from their ends: each block of states is given the name of the state that follows it."""

    def __init__(self, draws: Random, *, comparable: bool, resources: Sequence[str]) -> None:
        self._draws, self._comparable, self._resources = draws, comparable, resources
        self.dialect = draws.choice(DIALECTS)
        self._named = 0

    def branch(self, *, depth: int, may_fail: bool) -> JsonObject:
        """A StartAt with its States."""
        states: _States = {}
        following = self._name("End")
        states[following] = self._ending(may_fail=may_fail)
        for _ in range(self._draws.randint(1, _BLOCKS_MAX[depth])):
            following = self._block(depth)(states, following, depth, may_fail)
        return {"StartAt": following, "States": states}

    def _ending(self, *, may_fail: bool) -> JsonObject:
        if may_fail and self._draws.random() < 0.1:
            return {"Type": "Fail", "Error": "Planned", "Cause": "as generated"}
        if self._draws.random() < 0.5:
            return {"Type": "Succeed"}
        return {"Type": "Pass", "End": True}

    def _block(self, depth: int) -> Callable[[_States, str, int, bool], str]:
        blocks = [self._pass, self._wait, self._task, self._task, self._task, self._loop, self._choice]
        if depth < _DEPTH_MAX:
            blocks += [self._parallel, self._map, self._map]
        return self._draws.choice(blocks)

    def _name(self, kind: str) -> str:
        self._named += 1
        return f"{kind}{self._named}"

    def _pass(self, states: _States, following: str, _depth: int, _may_fail: bool) -> str:
        name = self._name("Pass")
        value: JsonValue = {"set": self._named}
        states[name] = {"Type": "Pass", **self.dialect.keep_value(name, value), "Next": following}
        return name

    def _wait(self, states: _States, following: str, _depth: int, _may_fail: bool) -> str:
        name = self._name("Wait")
        states[name] = {"Type": "Wait", "Seconds": self._draws.choice((0, 1, 7, 90)), "Next": following}
        return name

    def _task(self, states: _States, following: str, _depth: int, may_fail: bool) -> str:
        name = self._name("Task")
        resource = self._draws.choice(self._resources)
        states[name] = {
            "Type": "Task",
            "Resource": resource,
            **self.dialect.arguments(resource, name),
            **self.dialect.keep_result(name),
            **self._deadlines(),
            **self._rules(states, following, may_fail=may_fail),
            "Next": following,
        }
        return name

    def _deadlines(self) -> JsonObject:
        if self._comparable:
            return {"TimeoutSeconds": _FAR_AWAY} if self._draws.random() < 0.5 else {}
        deadlines: JsonObject = {}
        if self._draws.random() < 0.6:
            deadlines["TimeoutSeconds"] = self._draws.choice((5, 30, 100))
        if self._draws.random() < 0.4:
            deadlines["HeartbeatSeconds"] = self._draws.choice((1, 3, 4))
        return deadlines

    def _rules(self, states: _States, following: str, *, may_fail: bool) -> JsonObject:
        """Retry and Catch. What may not fail catches everything."""
        rules: JsonObject = {}
        if self._draws.random() < 0.5:
            rules["Retry"] = [self._retrier() for _ in range(self._draws.randint(1, 2))]
        if not may_fail or self._draws.random() < 0.4:
            handler = self._name("Caught")
            states[handler] = {"Type": "Pass", **self.dialect.keep_value(handler, {"caught": True}), "Next": following}
            rules["Catch"] = [
                {"ErrorEquals": ["States.ALL"], **self.dialect.keep_error(handler), "Next": handler},
            ]
        return rules

    def _retrier(self) -> JsonObject:
        retrier: JsonObject = {
            "ErrorEquals": [self._draws.choice((*ERRORS, "States.TaskFailed"))],
            "IntervalSeconds": self._draws.randint(1, 5),
            "MaxAttempts": self._draws.randint(0, 3),
            "BackoffRate": self._draws.choice((1, 1.5, 2.0)),
        }
        if self._draws.random() < 0.3:
            retrier |= {"MaxDelaySeconds": self._draws.randint(6, 9), "JitterStrategy": "FULL"}
        return retrier

    def _loop(self, states: _States, following: str, depth: int, may_fail: bool) -> str:
        """Count, do something, and go back until it was done often enough."""
        start, count, test = self._name("Start"), self._name("Count"), self._name("Again")
        rounds = self._draws.choice((2, 3, _LONG_LOOP))
        body = self._task if rounds < _LONG_LOOP else self._pass
        inside = body(states, count, depth, may_fail)
        states[start] = {"Type": "Pass", **self.dialect.set_variable(start, 0), "Next": inside}
        states[count] = {"Type": "Pass", **self.dialect.increment(start), "Next": test}
        states[test] = {
            "Type": "Choice",
            "Choices": [{**self.dialect.variable_below(start, rounds), "Next": inside}],
            "Default": following,
        }
        return start

    def _choice(self, states: _States, following: str, depth: int, may_fail: bool) -> str:
        """A task, and another block only if its result is small."""
        name = self._name("Choice")
        detour = self._task(states, following, depth, may_fail)
        task = self._task(states, name, depth, may_fail)
        states[name] = {
            "Type": "Choice",
            "Choices": [{**self.dialect.result_below(task, self._draws.randint(2, 8)), "Next": detour}],
            "Default": following,
        }
        return task

    def _parallel(self, states: _States, following: str, depth: int, may_fail: bool) -> str:
        name = self._name("Parallel")
        count = self._draws.randint(1, 3)
        fails = self._draws.randrange(count) if self._comparable else -1
        branches: list[JsonValue] = [
            self.branch(depth=depth + 1, may_fail=not self._comparable or number == fails) for number in range(count)
        ]
        states[name] = {
            "Type": "Parallel",
            "Branches": branches,
            **self.dialect.keep_result(name),
            **self._rules(states, following, may_fail=may_fail),
            "Next": following,
        }
        return name

    def _map(self, states: _States, following: str, depth: int, may_fail: bool) -> str:
        name, source = self._name("Map"), self._name("Items")
        items: list[JsonValue] = list(range(self._draws.choice((0, 1, 3) if depth else (0, 2, 3, 6))))
        tolerance = self._tolerance()
        states[source] = {"Type": "Pass", **self.dialect.keep_value(source, items), "Next": name}
        states[name] = {
            "Type": "Map",
            **self.dialect.items(source),
            "MaxConcurrency": self._draws.choice((0, 1, 2, 3)),
            **tolerance,
            "ItemProcessor": {
                **self._processor(),
                **self.branch(depth=depth + 1, may_fail=bool(tolerance) or not self._comparable),
            },
            **self.dialect.keep_result(name),
            **self._rules(states, following, may_fail=may_fail),
            "Next": following,
        }
        return source

    def _tolerance(self) -> JsonObject:
        if self._draws.random() < 0.4:
            return {"ToleratedFailurePercentage": 100}
        return {}

    def _processor(self) -> JsonObject:
        if self._draws.random() < 0.8:
            return {"ProcessorConfig": {"Mode": "INLINE"}}
        return {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
