"""Definitions that people deploy: every one is accepted, and runs to an end without a defect of ours.

The corpus lies beside the checkout where there is one; without it there is nothing to test here.
"""

import asyncio
import re
from pathlib import Path

import pytest

from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.options import AWS_COMPATIBLE
from asl_engine.language.definition import MapState, ProcessorMode, StateMachine
from asl_engine.language.parser import parse_definition
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.mocks import AutomaticMocks
from asl_engine.store.memory import MemoryStore

CORPUS = Path(__file__).parents[3] / "shared" / "conformance" / "real_workflows"
FILES = sorted(path for path in CORPUS.glob("*.json") if path.name != "index.json")
NOON = 1_700_000_000_000


def filled(text: str) -> str:
    """The text with its placeholders filled in as a deployment would: ARNs, numbers where they stand bare, names."""
    for name, value in (("AWS::Partition", "aws"), ("AWS::Region", "us-east-1"), ("AWS::AccountId", "123456789012")):
        text = text.replace(f"${{{name}}}", value)
    function = '"Resource": "arn:aws:lambda:us-east-1:123456789012:function:filled"'
    text = re.sub(r'"Resource"\s*:\s*"\$\{[^}]*\}"', function, text)
    text = re.sub(r'("\w*Seconds"\s*:\s*)"\$\{[^}]*\}"', r"\g<1>5", text)
    text = re.sub(r":\s*\$\{[^}]*\}(?=\s*[,}\n])", ": 5", text)
    names = iter(f"filled{number}" for number in range(10_000))
    known: dict[str, str] = {}
    return re.sub(r"\$\{([^}]*)\}", lambda match: known.setdefault(match[1], next(names)), text)


def is_distributed(machine: StateMachine) -> bool:
    states = [state for branch in machine.branches.values() for state in branch.states.values()]
    return any(isinstance(state, MapState) and state.mode is ProcessorMode.DISTRIBUTED for state in states)


async def complete(machine: StateMachine) -> Execution:
    # With AWS's limits on: a workflow that polls until a person has acted would poll automatic mocks for ever.
    host = InProcessHost(MemoryStore(), AutomaticMocks(), VirtualClock(NOON), options=AWS_COMPATIBLE)
    request = StartRequest(
        name="real", input={}, state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:real", seed="seed"
    )
    try:
        return await asyncio.wait_for(host.until_over(await host.start(machine, request)), timeout=30)
    finally:
        await host.close()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.split("__")[0])
def test_a_deployed_definition_is_accepted_and_runs_to_an_end(file: Path) -> None:
    parsed = parse_definition(filled(file.read_text()))
    assert parsed.machine is not None, "\n".join(map(str, parsed.diagnostics))
    if not is_distributed(parsed.machine):
        assert asyncio.run(complete(parsed.machine)).status is not ExecutionStatus.RUNNING
