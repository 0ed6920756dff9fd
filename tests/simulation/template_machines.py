"""Small machines, one for each thing that can be open when a process dies."""

from __future__ import annotations

from typing import Final

from asl_engine.json_value import JsonObject, JsonValue

FUNCTION: Final = "arn:aws:lambda:us-east-1:123456789012:function:work"
CALLBACK: Final = "arn:aws:states:::lambda:invoke.waitForTaskToken"
ACTIVITY: Final = "arn:aws:states:us-east-1:123456789012:activity:work"
JOB: Final = "arn:aws:states:::states:startExecution.sync:2"


def machine(**states: JsonObject) -> JsonObject:
    """The states in order, each followed by the next."""
    names = list(states)
    linked: dict[str, JsonValue] = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = states[name]
        ends = following is None or state["Type"] in ("Choice", "Fail", "Succeed")
        linked[name] = {**state, **({} if ends else {"Next": following})}
        if following is None and state["Type"] not in ("Choice", "Fail", "Succeed"):
            linked[name] = {**state, "End": True}
    return {"QueryLanguage": "JSONata", "StartAt": names[0], "States": linked}


def task(resource: str, **fields: JsonValue) -> JsonObject:
    arguments: JsonObject = {"input": "{% $states.input %}"}
    if resource == CALLBACK:
        payload: JsonObject = {**arguments, "token": "{% $states.context.Task.Token %}"}
        arguments = {"FunctionName": "work", "Payload": payload}
    elif resource == JOB:
        other = "arn:aws:states:us-east-1:123456789012:stateMachine:other"
        arguments = {"StateMachineArn": other, "Input": arguments}
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **fields}


def retrying() -> JsonObject:
    return {"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 5}]}


def catching(following: str) -> JsonObject:
    return {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": following}]}


def map_(inside: JsonObject, items: int, concurrency: int, mode: str = "INLINE") -> JsonObject:
    config: JsonObject = {"Mode": mode} if mode == "INLINE" else {"Mode": mode, "ExecutionType": "STANDARD"}
    branch = {name: value for name, value in inside.items() if name != "QueryLanguage"}
    return {
        "Type": "Map",
        "Items": list(range(items)),
        "MaxConcurrency": concurrency,
        "ItemProcessor": {"ProcessorConfig": config, **branch},
    }


def parallel(*branches: JsonObject) -> JsonObject:
    kept: list[JsonValue] = [
        {name: value for name, value in branch.items() if name != "QueryLanguage"} for branch in branches
    ]
    return {"Type": "Parallel", "Branches": kept}


_WAIT: Final[JsonObject] = {"Type": "Wait", "Seconds": 30}
_PASS: Final[JsonObject] = {"Type": "Pass"}

TEMPLATES: Final[dict[str, JsonObject]] = {
    "nothing to wait for": machine(First=_PASS, Second=_PASS),
    "a wait": machine(Hold=_WAIT, Then=_PASS),
    "a chain of tasks": machine(
        First=task(FUNCTION, **retrying()),
        Second=task(FUNCTION, **retrying()),
        Third=task(FUNCTION, **retrying()),
    ),
    "a task that is retried": machine(Work=task(FUNCTION, **retrying(), Assign={"done": True})),
    "an error that is caught": machine(
        Work=task(FUNCTION, **catching("Recover")),
        Again=task(FUNCTION, **catching("Recover")),
        Recover=task(FUNCTION, **retrying()),
    ),
    "a failure": machine(Work=task(FUNCTION, **retrying()), Fails={"Type": "Fail", "Error": "Planned"}),
    "a callback": machine(Ask=task(CALLBACK, **retrying()), Then=task(FUNCTION, **retrying())),
    "an activity": machine(Work=task(ACTIVITY, **retrying()), Then=_WAIT),
    "a job": machine(Run=task(JOB, **retrying()), Then=task(FUNCTION, **retrying())),
    "two branches": machine(
        Both=parallel(
            machine(Left=task(FUNCTION, **retrying())), machine(Hold=_WAIT, Right=task(CALLBACK, **retrying()))
        )
    ),
    "a branch that fails": machine(
        Both={
            **parallel(machine(Work=task(FUNCTION), Fails={"Type": "Fail", "Error": "Planned"}), machine(Hold=_WAIT)),
            **catching("Then"),
        },
        Then=task(FUNCTION, **retrying()),
    ),
    "a map, two at a time": machine(Each=map_(machine(Item=task(FUNCTION, **retrying())), 4, 2), Then=_PASS),
    "a distributed map": machine(Each=map_(machine(Do=task(FUNCTION, **retrying())), 3, 2, "DISTRIBUTED")),
    "a map in a map": machine(
        Each=map_(
            machine(Outer=task(FUNCTION, **retrying()), Inner=map_(machine(Item=task(FUNCTION, **retrying())), 2, 1)),
            2,
            0,
        )
    ),
    "a loop": machine(
        Start={"Type": "Pass", "Assign": {"i": 0}},
        Work=task(FUNCTION, **retrying(), Assign={"i": "{% $i + 1 %}"}),
        Again={"Type": "Choice", "Choices": [{"Condition": "{% $i < 3 %}", "Next": "Work"}], "Default": "Done"},
        Done={"Type": "Succeed"},
    ),
}
