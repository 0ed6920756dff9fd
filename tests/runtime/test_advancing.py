"""Advances on the loop and beside it: what takes long keeps nobody waiting, and comes to the same."""

from __future__ import annotations

import asyncio
import threading

import pytest

from asl_engine.errors import EvaluationNotQuick
from asl_engine.expressions import jsonata_engine
from asl_engine.expressions.pace import Quick
from asl_engine.expressions.scope import Entropy
from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.outcome import Outcome
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from asl_engine.runtime import advancing as module
from asl_engine.runtime.advancing import Advancing, at_pace
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.store.memory import MemoryStore

NOON = 1_700_000_000_000
ENDLESS = "{% ($spin := function($n) { $spin($n) }; $spin(1)) %}"
SUM = "{% $sum($map([1..3000], function($i) { $i * $states.input.factor })) %}"


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jsonata_engine._BOUNDS, "timeout", 0.5)
    monkeypatch.setattr(module, "_QUICK_SECONDS", 0.001)


def machine(*outputs: str) -> StateMachine:
    states: JsonObject = {
        f"S{n}": {"Type": "Pass", "Output": output, "Next": f"S{n + 1}"} for n, output in enumerate(outputs)
    }
    last: JsonObject = {"Type": "Succeed"}
    return compile_definition(
        {"QueryLanguage": "JSONata", "StartAt": "S0", "States": {**states, f"S{len(outputs)}": last}}
    )


def host(advancing: Advancing | None) -> InProcessHost:
    clock = VirtualClock(NOON)
    return InProcessHost(MemoryStore(), PythonTasks({}, clock), clock, advancing=advancing)


async def run(host: InProcessHost, machine: StateMachine, name: str = "run") -> Execution:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
    live = await host.start(machine, StartRequest(name=name, input={"factor": 2}, state_machine_arn=arn, seed="seed"))
    await live.ended
    return live.execution


def test_others_have_their_turns_while_an_expression_never_ends() -> None:
    async def told() -> tuple[int, Execution]:
        running = asyncio.ensure_future(run(host(Advancing()), machine(ENDLESS)))
        turns = 0
        while not running.done():
            await asyncio.sleep(0)
            turns += 1
        return turns, await running

    turns, ended = asyncio.run(told())
    assert ended.error == "States.QueryEvaluationError"
    assert "Evaluation timeout after 500 milliseconds" in (ended.cause or "")
    assert turns > 100


@pytest.mark.parametrize(
    "output",
    [
        SUM,
        ENDLESS,
        "{% $$ %}",
        "{% [$$, 12345678901234567890, 1.0] %}",
        "{% $random() & $uuid() %}",
        "{% $nothing %}",
        "{% $sum %}",
    ],
)
def test_beside_the_loop_an_execution_comes_to_the_same(output: str) -> None:
    async def told() -> tuple[Execution, Execution]:
        return await run(host(None), machine(SUM, output)), await run(host(Advancing()), machine(SUM, output))

    inline, aside = asyncio.run(told())
    assert inline == aside


def test_a_machine_that_was_slow_is_advanced_beside_the_loop_at_once() -> None:
    threads: list[threading.Thread] = []
    slow = machine(SUM)

    def compute() -> Outcome:
        threads.append(threading.current_thread())
        raise EvaluationNotQuick if len(threads) == 1 else RuntimeError

    async def told(advancing: Advancing) -> None:
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await advancing.outcome(slow, compute)
        advancing.close()

    asyncio.run(told(Advancing()))
    assert [thread is threading.main_thread() for thread in threads] == [True, False, False]


def test_the_time_is_for_all_expressions_of_an_advance_together() -> None:
    left = iter([1.0, 0.0])
    program = jsonata_engine.Program("1")
    work = lambda: program.evaluate({}, {}, Entropy(""), 0)  # noqa: E731
    pace = Quick(lambda: next(left))
    assert at_pace(pace, work) == 1
    with pytest.raises(EvaluationNotQuick):
        at_pace(pace, work)
