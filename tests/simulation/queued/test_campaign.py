"""Thousands of seeds on the real queued host: whatever the world does, it keeps its promises."""

from __future__ import annotations

from collections import Counter

import pytest

from asl_engine.language.parser import compile_definition
from asl_engine.testing.simulation.campaign import Host, UsersMachine, simulate_seed
from tests.simulation.failed_seeds import FAILED_QUEUED_SEEDS

SEEDS = 3_500
CHUNK = 175
FAULTS = {
    "duplicate job event",
    "duplicate message",
    "expired message",
    "late write",
    "lost extension",
    "lost job event",
    "lost performance",
    "lost race",
    "message up to an hour late",
    "queue error: send, lost",
    "queue error: send, taken",
    "queue error: send_at, taken",
    "request refused: TaskTimedOut",
    "second callback",
    "start refused: ExecutionAlreadyExists",
    "store error: append, landing later",
    "store error: append, lost",
    "store error: append, written",
    *(
        f"crash: {where}"
        for where in ("acknowledge", "acknowledged", "append", "appended", "load", "loaded", "perform", "performed")
    ),
    *(f"crash: {where}" for where in ("send", "send, done", "send_at", "send_at, done", "read records", "start job")),
}


@pytest.mark.no_cover  # recording which lines run takes longer than running them
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_anything(first: int) -> None:
    reports = (simulate_seed(seed, host=Host.QUEUED) for seed in range(first, first + CHUNK))

    assert [str(report.failure) for report in reports if report.failure is not None] == []


@pytest.mark.parametrize("seed", FAILED_QUEUED_SEEDS)
def test_a_seed_that_once_failed_does_not_fail_again(seed: int) -> None:
    assert simulate_seed(seed, host=Host.QUEUED).failure is None


@pytest.mark.no_cover
def test_every_kind_of_fault_happens() -> None:
    befell: Counter[str] = Counter()
    for seed in range(450):
        befell += simulate_seed(seed, host=Host.QUEUED).counts

    assert FAULTS - befell.keys() == set()


def test_a_users_machine_runs_on_it_too() -> None:
    states = {
        "Run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::batch:submitJob.sync",
            "Arguments": {"JobName": "train", "JobQueue": "gpu", "JobDefinition": "train"},
            "Retry": [{"ErrorEquals": ["States.TaskFailed"]}],
            "End": True,
        }
    }
    machine = compile_definition({"QueryLanguage": "JSONata", "StartAt": "Run", "States": states})  # type: ignore[dict-item]
    users = UsersMachine(file="train.asl.json", machine=machine, input={})
    reports = [simulate_seed(seed, users, host=Host.QUEUED) for seed in range(50)]

    assert [str(report.failure) for report in reports if report.failure] == []
    assert sum(report.counts["tasks performed"] for report in reports) >= 100
