"""Data that grows in a loop: it ends in an error of its state, and takes no memory on the way."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.advance import advance, start
from asl_engine.interpreter.commands import Continue
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.outcome import Outcome
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from tests.interpreter.machines import NOON, catcher, machine, parallel, pass_, state

TWIN = machine({"L": pass_()})


def endless(growing: JsonObject, **others: JsonObject) -> JsonObject:
    """The state "Grow" again and again; there is an end, but nothing leads to it."""
    never: JsonObject = {"Variable": "$$.Execution.Name", "StringEquals": "never", "Next": "End"}
    loop = {name: value for name, value in growing.items() if name != "End"} | {"Next": "Again"}
    again = state("Choice", Choices=[never], Default="Grow")
    return machine({"Grow": loop, "Again": again, "End": state("Succeed"), **others})


def begin(definition: JsonObject, input: JsonValue) -> tuple[StateMachine, Outcome]:
    compiled = compile_definition(definition)
    execution = Execution(
        arn="arn:aws:states:us-east-1:123456789012:execution:m:e",
        name="e",
        state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:m",
        definition_sha256=compiled.sha256,
        input=input,
        started_at=NOON,
        seed="seed",
    )
    return compiled, start(compiled, execution)


def run(definition: JsonObject, input: JsonValue) -> Execution:
    compiled, outcome = begin(definition, input)
    while outcome.execution.status is ExecutionStatus.RUNNING:
        outcome = advance(compiled, outcome.execution, (), NOON)
    return outcome.execution


@pytest.mark.parametrize(
    "growing",
    [
        pass_(Parameters={"a.$": "$", "b.$": "$"}),
        pass_(Parameters={"a.$": "States.Array($, $)"}),
        pass_(Parameters={"s.$": "States.Format('{}{}{}{}{}{}{}{}', $.s, $.s, $.s, $.s, $.s, $.s, $.s, $.s)"}),
        pass_(Parameters={"s.$": "States.JsonToString($)"}),
        parallel(TWIN, ResultSelector={"a.$": "$", "b.$": "$"}),
        parallel(TWIN, machine({"R": pass_()})),
    ],
)
def test_data_that_grows_for_ever_ends_in_the_error_for_too_large_data(growing: JsonObject) -> None:
    """No memory is taken for data that is only shared, so nothing but a measure ends the loop."""
    ended = run(endless(growing), {"s": "abcdefgh"})

    assert ended.error == "States.DataLimitExceeded"
    assert ended.cause == (
        "The state/task 'Grow' returned a result with a size exceeding the maximum number of bytes service limit."
    )


@pytest.mark.parametrize(
    "growing", [pass_(Parameters={"a.$": "$"}), pass_(Parameters={"a": [{"b.$": "$.a"}]}), pass_(ResultPath="$.a")]
)
def test_data_that_becomes_deeper_for_ever_fails_before_nothing_can_write_it(growing: JsonObject) -> None:
    ended = run(endless(growing), {"a": [1]})

    assert ended.error == "States.Runtime"
    assert (ended.cause or "").endswith("The data is nested more than 500 levels deep.")


def test_data_that_is_too_large_can_be_caught() -> None:
    twice: JsonObject = {"x.$": "States.Array($x, $x)"}
    growing = parallel(TWIN, ResultPath=None, Assign=twice, Catch=[catcher("Caught")])
    definition = endless(
        growing, First=pass_(Assign={"x": "x" * 100}, Next="Grow"), Caught=pass_(Parameters={"error.$": "$.Error"})
    )

    assert run({**definition, "StartAt": "First"}, {}).output == {"error": "States.DataLimitExceeded"}


def test_an_advance_is_bounded_in_bytes_too() -> None:
    """A loop over a payload of a megabyte would otherwise write half a gigabyte into one record."""
    growing = pass_(Parameters={"s.$": "$.s", "at.$": "$$.State.EnteredTime"})
    _, outcome = begin(endless(growing), {"s": "x" * 1_000_000})

    assert outcome.commands == (Continue(),)
    assert len(outcome.history) < 100


def test_input_that_came_too_deep_from_outside_does_not_stop_a_loop_that_leaves_it_alone() -> None:
    deep: JsonValue = 1
    for _ in range(600):
        deep = [deep]
    compiled, outcome = begin(endless(pass_()), deep)

    assert advance(compiled, outcome.execution, (), NOON).commands == (Continue(),)
