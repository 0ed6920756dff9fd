"""Several performers as one, and the tasks that a machine needs and nobody performs."""

from __future__ import annotations

import asyncio

import pytest

from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.definition import (
    Branch,
    MapState,
    ParallelState,
    PassState,
    State,
    StateMachine,
    StateType,
    TaskState,
)
from asl_engine.language.resource import parse_resource
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.mocks import AutomaticMocks
from asl_engine.runtime.performer_chain import PerformerChain, missing_resources
from asl_engine.runtime.tasks import Failed, Succeeded, TaskCall, TaskResult
from tests.runtime.task_calls import INVOKE, NOON, perform, task_call

SNS = "arn:aws:states:::sns:publish"


def python(**tasks: str) -> PythonTasks:
    """Tasks of these names, each giving its value."""
    functions = {name.replace("__", ":"): lambda event, value=value, **_: value for name, value in tasks.items()}
    return PythonTasks(functions, VirtualClock(NOON))


def machine(definition: JsonObject) -> StateMachine:
    """As much of a compiled machine as the search reads."""
    branches: dict[str, Branch] = {}

    def branch(key: str, block: JsonObject) -> Branch:
        states: dict[str, State] = {}
        branches[key] = Branch(key=key, start_at="", states=states)
        for name, raw in block["States"].items():  # type: ignore[union-attr]
            assert isinstance(raw, dict)
            match raw["Type"]:
                case "Task":
                    resource = parse_resource(str(raw["Resource"]))
                    states[name] = TaskState(name=name, type=StateType.TASK, resource=resource)
                case "Parallel":
                    inner = tuple(branch(f"{name}/{n}", b) for n, b in enumerate(raw["Branches"]))  # type: ignore[arg-type]
                    states[name] = ParallelState(name=name, type=StateType.PARALLEL, branches=inner)
                case "Map":
                    processor = branch(f"{name}/0", raw["ItemProcessor"])  # type: ignore[arg-type]
                    states[name] = MapState(name=name, type=StateType.MAP, item_processor=processor)
                case _:
                    states[name] = PassState(name=name, type=StateType.PASS)
        return branches[key]

    root = branch("", definition)
    return StateMachine(definition=definition, sha256="", root=root, branches=branches)


def task(resource: str, **fields: object) -> JsonObject:
    return {"Type": "Task", "Resource": resource, **fields}  # type: ignore[dict-item]


def test_the_first_performer_that_handles_a_call_performs_it() -> None:
    chain = PerformerChain([python(Ship="no"), python(Charge="first"), python(Charge="second")])
    assert chain.handles(task_call())
    assert perform(chain, task_call(), VirtualClock(NOON)) == Succeeded("first")


def test_a_call_that_nobody_handles_fails_with_an_error_that_no_catch_all_hides() -> None:
    chain = PerformerChain([python(Ship="no")])
    call = task_call(INVOKE, {"FunctionName": "charge"})
    assert not chain.handles(call)
    assert perform(chain, call, VirtualClock(NOON)) == Failed(
        "States.Runtime",
        'no task is given for Resource arn:aws:states:::lambda:invoke with FunctionName charge (state "Charge"): '
        "add it to --tasks FILE, mock it with --mocks FILE, or set AWS_ENDPOINT_URL_LAMBDA",
    )


@pytest.mark.parametrize("name", [7, None, ["charge"]])
def test_a_function_whose_computed_name_is_no_text_fails_in_the_words_of_aws(name: JsonValue) -> None:
    failed = perform(PerformerChain([python(Ship="no")]), task_call(INVOKE, {"FunctionName": name}), VirtualClock(NOON))

    assert failed == Failed(
        "States.Runtime",
        f"""The Parameters '{{"FunctionName":{dump_json(name)}}}' could not be used to start the Task: """
        """[The value for the field "FunctionName" must be a STRING]""",
    )


def test_closing_closes_every_performer_even_after_one_fails() -> None:
    closed: list[int] = []

    class Stubborn:
        def __init__(self, number: int) -> None:
            self.number = number

        def handles(self, call: TaskCall) -> bool:
            return False

        async def perform(self, call: TaskCall) -> TaskResult:
            raise NotImplementedError

        async def close(self) -> None:
            closed.append(self.number)
            if self.number == 1:
                raise OSError("stuck")

    with pytest.raises(OSError, match="stuck"):
        asyncio.run(PerformerChain([Stubborn(1), Stubborn(2), Stubborn(3)]).close())
    assert closed == [1, 2, 3]


def test_the_missing_tasks_are_told_wherever_they_hide() -> None:
    nested = machine(
        {
            "States": {
                "Known": task(SNS),
                "Nothing": {"Type": "Pass"},
                "Fan": {
                    "Type": "Parallel",
                    "Branches": [{"States": {"Left": task("arn:aws:states:::sqs:sendMessage")}}],
                },
                "Each": {"Type": "Map", "ItemProcessor": {"States": {"Inner": task("${Function}")}}},
            }
        }
    )
    advice = "add it to --tasks FILE, mock it with --mocks FILE"
    assert missing_resources(nested, [python(sns__publish="ok")]) == [
        f'no task is given for Resource arn:aws:states:::sqs:sendMessage (state "Left"): {advice}',
        f'no task is given for Resource ${{Function}} (state "Inner"): {advice}, or set AWS_ENDPOINT_URL_LAMBDA',
    ]
    assert missing_resources(nested, [AutomaticMocks()]) == []


@pytest.mark.parametrize("field", ["Parameters", "Arguments"])
def test_a_function_named_in_the_definition_is_looked_up(field: str) -> None:
    invoking = machine({"States": {"A": task(INVOKE, **{field: {"FunctionName": "charge:prod"}})}})
    assert missing_resources(invoking, [python(charge="ok")]) == []
    assert len(missing_resources(invoking, [python(ship="ok")])) == 1


def test_a_function_named_in_a_branch_or_an_iteration_is_looked_up() -> None:
    block: JsonObject = {"States": {"Inner": task(INVOKE, Parameters={"FunctionName": "charge"})}}
    for outer in ({"Type": "Parallel", "Branches": [block]}, {"Type": "Map", "ItemProcessor": block}):
        nested = machine({"States": {"Outer": outer}})  # type: ignore[dict-item]
        assert missing_resources(nested, [python(charge="ok")]) == []
        assert "FunctionName charge" in missing_resources(nested, [python(ship="ok")])[0]


@pytest.mark.parametrize(
    "arguments", [{"FunctionName.$": "$.name"}, {"FunctionName": "{% $states.input.name %}"}, "{% $states.input %}"]
)
def test_a_function_named_at_run_time_is_only_missing_when_nothing_is_given(arguments: object) -> None:
    invoking = machine({"States": {"A": task(INVOKE, Parameters=arguments)}})
    assert missing_resources(invoking, [python(charge="ok")]) == []
    assert len(missing_resources(invoking, [])) == 1
