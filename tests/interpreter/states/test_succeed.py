"""Succeed: ends its branch, and no more than its branch."""

from __future__ import annotations

from asl_engine.testing.drive import Drive
from tests.interpreter.machines import jsonata, machine, only, parallel, pass_, state


def test_succeed_ends_the_execution_with_its_input() -> None:
    run = Drive(only(state("Succeed")), input=[1, 2])

    assert run.succeeded_with([1, 2])
    assert run.event_types[-2:] == ["SucceedStateExited", "ExecutionSucceeded"]


def test_succeed_selects_by_input_path_and_then_output_path() -> None:
    run = Drive(only(state("Succeed", InputPath="$.a", OutputPath="$.b")), input={"a": {"b": 5}, "b": 6})

    assert run.succeeded_with(5)


def test_succeed_has_an_output_in_jsonata() -> None:
    assert Drive(jsonata(state("Succeed", Output={"n": "{% $states.input %}"})), input=4).succeeded_with({"n": 4})


def test_succeed_inside_a_branch_ends_that_branch_only() -> None:
    branches = parallel(machine({"Done": state("Succeed")}), machine({"Go": pass_(Result=2)}), Next="After")
    run = Drive(machine({"Fan": branches, "After": pass_()}), input=1)

    assert run.path[-1] == "After"
    assert run.succeeded_with([1, 2])
