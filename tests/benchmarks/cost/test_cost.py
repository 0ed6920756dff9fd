"""What the project claims to cost: counted on the real host and the real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from asl_engine.language.parser import compile_definition
from benchmarks.cost import real_mix
from benchmarks.cost.account import Assumptions
from benchmarks.cost.flows import inline_map, lambda_chain, pure_flow, real_flow
from benchmarks.cost.report import Pair, as_json, as_text
from benchmarks.cost.run import Result, run_flow
from benchmarks.cost.usage import Usage, sqs_requests

QUIET = Assumptions(batch=1)
BUSY = Assumptions()


@pytest.fixture(scope="module")
def chain() -> Result:
    return run_flow(replace(lambda_chain(), executions=2), QUIET)


@pytest.fixture(scope="module")
def mix() -> Result:
    return run_flow(replace(real_flow(), executions=1), BUSY)


def test_a_bill_is_what_it_is_by_hand() -> None:
    usage = Usage(
        write_units=1_000_000,
        read_units=1_000_000,
        sqs_requests=1_000_000,
        scheduler_invocations=1_000_000,
        engine_wake_ups=1_000_000,
        api_requests=1_000_000,
        s3_puts=1_000_000,
    )
    dollars = {name: round(amount, 3) for name, amount in usage.dollars().items()}
    wake_up = round(0.20 + 0.040 * 0.5 * 13.3333334, 3)
    assert dollars == {
        "dynamodb_writes": 0.625,
        "dynamodb_reads": 0.125,
        "sqs": 0.4,
        "scheduler": 1.0,
        "lambda_engine": wake_up,
        "lambda_api": wake_up,
        "lambda_job_events": 0.0,
        "api_gateway": 1.0,
        "s3": 5.0,
    }


@pytest.mark.parametrize(("size", "requests"), [(0, 1), (65_536, 1), (65_537, 2), (1_048_576, 16)])
def test_sqs_bills_an_action_by_64_kilobytes(size: int, requests: int) -> None:
    assert sqs_requests(size) == requests


def test_a_chain_is_one_message_one_load_and_a_write_for_each_task(chain: Result) -> None:
    """By hand: 21 records in 22 units, since the keyframe is larger than a kilobyte; a head in 3 and in 2 units."""
    usage = chain.usage
    assert (usage.records, usage.record_puts, usage.engine_wake_ups) == (2 * 21, 2 * 21, 2)
    assert usage.write_units - usage.record_write_units == 2 * (3 + 2)
    assert usage.transactional_writes == 0


def test_a_task_state_takes_at_most_one_and_three_tenths_of_a_write_unit(chain: Result) -> None:
    assert chain.task_states == 2 * 20
    assert chain.usage.record_write_units / chain.task_states <= 1.3


def test_pure_states_cost_no_writes_of_their_own() -> None:
    result = run_flow(replace(pure_flow(), executions=1), QUIET)
    assert (result.transitions, result.task_states, result.usage.records) == (20, 2, 3)


def test_a_map_waits_for_all_its_tasks_in_one_runner() -> None:
    result = run_flow(inline_map(items=100), QUIET)
    assert result.usage.engine_wake_ups == 1
    assert result.usage.records <= 101
    assert result.usage.awaited_seconds < 10  # 100 tasks of a second, 40 at once


def test_the_real_mix_costs_at_most_two_dollars(mix: Result) -> None:
    assert mix.usd_per_million_transitions <= 2.0
    assert mix.usage.record_puts == mix.usage.records
    assert mix.usage.transactional_writes == 0


def test_a_run_is_the_same_every_time(chain: Result) -> None:
    assert run_flow(chain.flow, QUIET).usage == chain.usage


def states_of(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        for inside in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from states_of(inside)


def test_the_real_mix_has_the_states_of_the_real_workflows() -> None:
    machines = real_mix.machines()
    types = Counter(state["Type"] for definition in machines for state in states_of(definition))
    stand_ins = types.total() - real_mix.STATES
    assert len(machines) == 163
    assert 0 <= stand_ins <= 20
    assert types == {
        "Task": 614,
        "Choice": 135,
        "Pass": 126 + stand_ins,
        "Wait": 68,
        "Fail": 60,
        "Map": 53,
        "Succeed": 40,
        "Parallel": 27,
    }
    for definition in machines:
        compile_definition(definition)


def test_every_state_of_the_real_mix_is_entered_once(mix: Result) -> None:
    expected = sum(1 for definition in mix.flow.machines for _state in states_of(definition))
    assert mix.transitions == expected


def test_the_report_says_the_same_in_both_forms(chain: Result) -> None:
    pairs = [Pair(chain, chain)]
    known = as_json(pairs)["lambda_chain"]
    assert known["usd_per_million_transitions"] == pytest.approx(chain.usd_per_million_transitions, abs=0.001)
    assert known["usd_per_million_transitions"] == pytest.approx(
        sum(known["usd_per_million_transitions_by_service"].values()), abs=0.005
    )
    assert known["standard_usd_per_million_transitions"] == 25.0
    assert f"{known['write_units_per_task_state']:.2f} per Task state" in as_text(pairs)
