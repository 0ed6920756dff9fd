"""Small definitions drawn at random: every type of state, nested, in both query languages, with Retry and Catch.

A branch only leads forward, so every definition ends as soon as its work is answered. Nothing in them draws chance of
its own, and tasks, rules and expressions that fail are among them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from hypothesis import strategies as st

from asl_engine.json_value import JsonObject, JsonValue
from tests.interpreter.machines import ACTIVITY, CALLBACK, JOB, LAMBDA, QUEUE, machine

ERRORS = ("E1", "E2", "States.Timeout", "States.TaskFailed", "States.Runtime", "States.QueryEvaluationError")
INPUT: JsonObject = {"list": [1, {"n": 2}, "three"], "n": 5, "deep": {"a": [True, None]}}
_RULE_ERRORS: list[JsonValue] = [
    ["States.ALL"],
    ["States.TaskFailed"],
    ["E1"],
    ["E2", "States.Timeout"],
    ["States.HeartbeatTimeout"],
]
_DEPTH_MAX = 3


@st.composite
def definitions(draw: st.DrawFn) -> JsonObject:
    """A definition, to be run with INPUT."""
    numbers = count()
    language = draw(st.sampled_from(["JSONPath", "JSONata"]))
    drawn = _Drawing(draw, lambda: f"S{next(numbers)}", is_jsonata=language == "JSONata")
    fields: JsonObject = {"QueryLanguage": language}
    if draw(st.integers(0, 4)) == 0:
        fields["TimeoutSeconds"] = draw(st.integers(1, 20))
    return {**drawn.branch(0), **fields}


class _Drawing:
    """One definition in the making."""

    def __init__(self, draw: st.DrawFn, new_name: Callable[[], str], *, is_jsonata: bool) -> None:
        self.draw, self.new_name, self.is_jsonata = draw, new_name, is_jsonata

    def pick(self, *choices: JsonValue) -> JsonValue:
        return self.draw(st.sampled_from(choices))

    def branch(self, depth: int) -> JsonObject:
        names = [self.new_name() for _ in range(self.draw(st.integers(1, 3)))]
        return machine({name: self.state(depth, names[index + 1 :]) for index, name in enumerate(names)})

    def state(self, depth: int, following: list[str]) -> JsonObject:
        kinds: list[Callable[[int, list[str]], JsonObject]] = [self.pass_, self.task, self.task, self.wait]
        if depth < _DEPTH_MAX:
            kinds += [self.parallel, self.map_]
        kinds += [self.choice] if following else [self.succeed, self.fail]
        return self.draw(st.sampled_from(kinds))(depth, following)

    def pass_(self, _depth: int, following: list[str]) -> JsonObject:
        return {"Type": "Pass", **self.shaping(), **_leads(following)}

    def wait(self, _depth: int, following: list[str]) -> JsonObject:
        return {"Type": "Wait", "Seconds": self.pick(0, 1, 3), **_leads(following)}

    def succeed(self, _depth: int, _following: list[str]) -> JsonObject:
        return {"Type": "Succeed"}

    def fail(self, _depth: int, _following: list[str]) -> JsonObject:
        return {"Type": "Fail", "Error": self.pick("E1", "E2"), "Cause": "drawn"}

    def choice(self, _depth: int, following: list[str]) -> JsonObject:
        target = self.pick(*following)
        rule: JsonObject = {"Variable": "$$.Execution.Input.n", "NumericGreaterThan": self.pick(1, 9), "Next": target}
        if self.is_jsonata:
            rule = {"Condition": self.pick("{% true %}", "{% $states.input.n > 1 %}"), "Next": target}
        return {"Type": "Choice", "Choices": [rule], "Default": following[0]}

    def task(self, _depth: int, following: list[str]) -> JsonObject:
        deadlines: JsonObject = {"TimeoutSeconds": 6, "HeartbeatSeconds": 2} if self.pick(True, False) else {}
        resource = self.pick(LAMBDA, ACTIVITY, QUEUE, CALLBACK, JOB)
        return {"Type": "Task", "Resource": resource, **deadlines, **self.shaping(), **self.guarded(following)}

    def parallel(self, depth: int, following: list[str]) -> JsonObject:
        branches: list[JsonValue] = [self.branch(depth + 1) for _ in range(self.draw(st.integers(1, 3)))]
        return {"Type": "Parallel", "Branches": branches, **self.shaping(), **self.guarded(following)}

    def map_(self, depth: int, following: list[str]) -> JsonObject:
        fields: JsonObject = {"Items": [1, 2, {}]} if self.is_jsonata else {"ItemsPath": "$$.Execution.Input.list"}
        fields["MaxConcurrency"] = self.pick(0, 1, 2)
        if self.pick(True, False):
            fields["ToleratedFailureCount"] = self.pick(0, 1)
        processor = self.branch(depth + 1)
        if self.pick(True, False, False):
            processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        return {"Type": "Map", "ItemProcessor": processor, **fields, **self.shaping(), **self.guarded(following)}

    def shaping(self) -> JsonObject:
        """Fields that shape input and output, some of which fail on some data."""
        if self.is_jsonata:
            output = self.pick(1, {"n": "{% $states.input %}"}, "{% $states.input.gone %}", "{% $states.context %}")
            return self.draw(st.sampled_from([{}, {}, {"Output": output}, {"Assign": {self.new_name(): 1}}]))
        return self.draw(
            st.sampled_from(
                [
                    {},
                    {},
                    {"ResultPath": "$.r"},
                    {"ResultPath": None},
                    {"OutputPath": "$.gone"},
                    {"Parameters": {"all.$": "$$.Execution.Input", "in.$": "$"}},
                    {"Assign": {f"{self.new_name()}.$": "$"}},
                ]
            )
        )

    def guarded(self, following: list[str]) -> JsonObject:
        """Retry, Catch, and where the state leads."""
        fields: JsonObject = {}
        if self.pick(True, False):
            fields["Retry"] = [{"ErrorEquals": self.pick(*_RULE_ERRORS), "MaxAttempts": self.pick(0, 1, 2)}]
        if following and self.pick(True, False):
            fields["Catch"] = [{"ErrorEquals": self.pick(*_RULE_ERRORS), "Next": self.pick(*following)}]
        return {**fields, **_leads(following)}


def _leads(following: list[str]) -> JsonObject:
    return {"Next": following[0]} if following else {"End": True}
