"""Small machines, one for each thing that can be open when a process dies."""

from __future__ import annotations

from typing import Final

from asl_engine.json_value import JsonObject, JsonValue

_FUNCTION: Final = "arn:aws:lambda:us-east-1:123456789012:function:work"
_CALLBACK: Final = "arn:aws:states:::lambda:invoke.waitForTaskToken"
_ACTIVITY: Final = "arn:aws:states:us-east-1:123456789012:activity:work"
_JOB: Final = "arn:aws:states:::states:startExecution.sync:2"


def _machine(**states: JsonObject) -> JsonObject:
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


def _task(resource: str, **fields: JsonValue) -> JsonObject:
    arguments: JsonObject = {"input": "{% $states.input %}"}
    if resource == _CALLBACK:
        payload: JsonObject = {**arguments, "token": "{% $states.context.Task.Token %}"}
        arguments = {"FunctionName": "work", "Payload": payload}
    elif resource == _JOB:
        other = "arn:aws:states:us-east-1:123456789012:stateMachine:other"
        arguments = {"StateMachineArn": other, "Input": arguments}
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **fields}


def _retrying() -> JsonObject:
    return {"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 5}]}


def _catching(following: str) -> JsonObject:
    return {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": following}]}


def _map(inside: JsonObject, items: int, concurrency: int, mode: str = "INLINE") -> JsonObject:
    config: JsonObject = {"Mode": mode} if mode == "INLINE" else {"Mode": mode, "ExecutionType": "STANDARD"}
    branch = {name: value for name, value in inside.items() if name != "QueryLanguage"}
    return {
        "Type": "Map",
        "Items": list(range(items)),
        "MaxConcurrency": concurrency,
        "ItemProcessor": {"ProcessorConfig": config, **branch},
    }


def _parallel(*branches: JsonObject) -> JsonObject:
    kept: list[JsonValue] = [
        {name: value for name, value in branch.items() if name != "QueryLanguage"} for branch in branches
    ]
    return {"Type": "Parallel", "Branches": kept}


_WAIT: Final[JsonObject] = {"Type": "Wait", "Seconds": 30}
_PASS: Final[JsonObject] = {"Type": "Pass"}

TEMPLATES: Final[dict[str, JsonObject]] = {
    "nothing to wait for": _machine(First=_PASS, Second=_PASS),
    "a wait": _machine(Hold=_WAIT, Then=_PASS),
    "a chain of tasks": _machine(
        First=_task(_FUNCTION, **_retrying()),
        Second=_task(_FUNCTION, **_retrying()),
        Third=_task(_FUNCTION, **_retrying()),
    ),
    "a task that is retried": _machine(Work=_task(_FUNCTION, **_retrying(), Assign={"done": True})),
    "an error that is caught": _machine(
        Work=_task(_FUNCTION, **_catching("Recover")),
        Again=_task(_FUNCTION, **_catching("Recover")),
        Recover=_task(_FUNCTION, **_retrying()),
    ),
    "a failure": _machine(Work=_task(_FUNCTION, **_retrying()), Fails={"Type": "Fail", "Error": "Planned"}),
    "a callback": _machine(Ask=_task(_CALLBACK, **_retrying()), Then=_task(_FUNCTION, **_retrying())),
    "an activity": _machine(Work=_task(_ACTIVITY, **_retrying()), Then=_WAIT),
    "a job": _machine(Run=_task(_JOB, **_retrying()), Then=_task(_FUNCTION, **_retrying())),
    "two branches": _machine(
        Both=_parallel(
            _machine(Left=_task(_FUNCTION, **_retrying())), _machine(Hold=_WAIT, Right=_task(_CALLBACK, **_retrying()))
        )
    ),
    "a branch that fails": _machine(
        Both={
            **_parallel(
                _machine(Work=_task(_FUNCTION), Fails={"Type": "Fail", "Error": "Planned"}), _machine(Hold=_WAIT)
            ),
            **_catching("Then"),
        },
        Then=_task(_FUNCTION, **_retrying()),
    ),
    "a map, two at a time": _machine(Each=_map(_machine(Item=_task(_FUNCTION, **_retrying())), 4, 2), Then=_PASS),
    "a distributed map": _machine(Each=_map(_machine(Do=_task(_FUNCTION, **_retrying())), 3, 2, "DISTRIBUTED")),
    "a map in a map": _machine(
        Each=_map(
            _machine(
                Outer=_task(_FUNCTION, **_retrying()), Inner=_map(_machine(Item=_task(_FUNCTION, **_retrying())), 2, 1)
            ),
            2,
            0,
        )
    ),
    "a loop": _machine(
        Start={"Type": "Pass", "Assign": {"i": 0}},
        Work=_task(_FUNCTION, **_retrying(), Assign={"i": "{% $i + 1 %}"}),
        Again={"Type": "Choice", "Choices": [{"Condition": "{% $i < 3 %}", "Next": "Work"}], "Default": "Done"},
        Done={"Type": "Succeed"},
    ),
}
