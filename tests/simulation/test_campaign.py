"""Thousands of seeds: whatever the world does, the engine keeps its promises."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from asl_engine.language.parser import compile_definition
from asl_engine.testing.simulation.campaign import Host, UsersMachine, simulate_seed
from tests.simulation.failed_seeds import FAILED_SEEDS

SEEDS = 2_000
CHUNK = 200

FAULTS = {
    "callback refused: TaskTimedOut",
    "clock jump",
    "death",
    "duplicate message",
    "duplicate timer",
    "given up after a store error",
    "late write",
    "lost performance",
    "lost race",
    "lost race to begin",
    "second callback",
    "stop requested",
    "store error: append, landing later",
    "store error: append, lost",
    "store error: append, written",
    "store error: inbox",
    "store error: load",
    *(
        f"crash: {where}"
        for where in (
            "acknowledge",
            "acknowledged",
            "append",
            "appended",
            "dispatch",
            "dispatched",
            "idle",
            "inbox read",
            "load",
            "loaded",
            "read inbox",
        )
    ),
}


def failures(seeds: Iterator[int] | range, users: UsersMachine | None = None) -> list[str]:
    """What breaks, as the command tells it."""
    return [str(report.failure) for seed in seeds if (report := simulate_seed(seed, users)).failure is not None]


@pytest.mark.no_cover  # recording which lines run takes longer than running them
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_anything(first: int) -> None:
    assert failures(range(first, first + CHUNK)) == []


def test_a_seed_that_once_failed_does_not_fail_again() -> None:
    assert failures(iter(FAILED_SEEDS)) == []


@pytest.mark.no_cover
def test_every_kind_of_fault_happens() -> None:
    """A simulator that does no harm finds nothing."""
    befell: Counter[str] = Counter()
    for seed in range(150):
        befell += simulate_seed(seed).counts

    assert FAULTS - befell.keys() == set()


@pytest.mark.parametrize("host", Host)
def test_a_seed_always_takes_the_same_steps(host: Host) -> None:
    """In every process, whatever the order of its sets."""
    program = (
        "from asl_engine.testing.simulation.campaign import Host, simulate_seed\n"
        f"host = Host({host.value!r})\n"
        "for seed in range(20): print(*simulate_seed(seed, host=host, tracing=True).trace, sep='\\n')"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert runs[0].count("\n") > 1_000
    assert runs[0] == runs[1]


def test_different_seeds_take_different_steps() -> None:
    traces = [simulate_seed(seed, tracing=True).trace for seed in range(50)]

    assert len(set(traces)) == 50


def users_machine(definition: dict[str, object]) -> UsersMachine:
    machine = compile_definition({"QueryLanguage": "JSONata", **definition})  # type: ignore[dict-item]
    return UsersMachine(file="poll.asl.json", machine=machine, input={})


def test_the_tasks_of_a_users_machine_answer_with_the_errors_that_its_rules_name() -> None:
    """So the state behind a Catch is reached, though no mock would ever fail."""
    work = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "work"},
        "Catch": [{"ErrorEquals": ["CardDeclined"], "Next": "Remind"}],
        "End": True,
    }
    remind = {"Type": "Wait", "Seconds": 5, "End": True}
    users = users_machine({"StartAt": "Charge", "States": {"Charge": work, "Remind": remind}})
    traces = ["\n".join(simulate_seed(seed, users, tracing=True).trace) for seed in range(20)]

    reminded = sum("WaitStateEntered" in trace for trace in traces)
    assert 0 < reminded < 20
    assert failures(range(200), users) == []


def test_a_users_machine_may_run_for_ever() -> None:
    """A loop that polls a mock never ends, and nothing is wrong with that."""
    done = {"Condition": "{% $exists($states.input.done) %}", "Next": "Done"}
    states = {
        "Hold": {"Type": "Wait", "Seconds": 60, "Next": "Look"},
        "Look": {"Type": "Choice", "Choices": [done], "Default": "Hold"},
        "Done": {"Type": "Succeed"},
    }

    assert failures(range(2), users_machine({"StartAt": "Hold", "States": states})) == []
