"""The report: what each workload costs here and elsewhere, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.cost import prices
from benchmarks.cost.run import Result
from benchmarks.cost.usage import ENGINE_GB, WAKE_UP_SECONDS

_LOG_LINE_BYTES: Final = 300
_WAKE_UP: Final = f"{WAKE_UP_SECONDS * 1000:.0f} ms of {ENGINE_GB * 1024:.0f} MB"
_NOTES: Final = f"""
Busy: a wake-up takes up to ten messages that wait. Quiet: one message each. All orchestration is in it, a wake-up of
the engine being {_WAKE_UP}; what runners cost while they wait for tasks is below, as is the log.
Express: no durable history, at most five minutes, no callbacks, no jobs; durable functions: operations only."""
_QUIET_FIGURES: Final = ("usd_per_million_transitions", "awaiting_usd_per_million_transitions")


@dataclass(frozen=True, slots=True)
class Pair:
    """A workload on a busy account, where a wake-up takes what waits, and on a quiet one: a message each."""

    busy: Result
    quiet: Result


def as_json(pairs: Sequence[Pair]) -> dict[str, dict[str, Any]]:
    """The figures by workload and name; `quiet_…` are those of the quiet account."""
    return {
        pair.busy.flow.name: _figures(pair.busy)
        | {f"quiet_{name}": _figures(pair.quiet)[name] for name in _QUIET_FIGURES}
        for pair in pairs
    }


def as_text(pairs: Sequence[Pair]) -> str:
    """The tables."""
    figures = as_json(pairs)
    parts = [_prices(pairs, figures), *(_bill(pair.busy, figures[pair.busy.flow.name]) for pair in pairs)]
    return "\n\n".join(parts)


def _figures(result: Result) -> dict[str, Any]:
    usage = result.usage
    bill = {name: result.per_million(dollars) for name, dollars in usage.dollars().items()}
    awaiting = result.per_million(usage.awaiting_dollars())
    return {
        "usd_per_million_transitions": round(sum(bill.values()), 3),
        "usd_per_million_transitions_by_service": {name: round(dollars, 3) for name, dollars in bill.items()},
        "awaiting_usd_per_million_transitions": round(awaiting, 3),
        "log_usd_per_million_transitions": round(result.per_million(usage.log_dollars(_LOG_LINE_BYTES)), 3),
        "standard_usd_per_million_transitions": round(prices.STANDARD_TRANSITION * prices.MILLION, 2),
        "express_usd_per_million_transitions": round(result.per_million(_express_dollars(result)), 3),
        "durable_functions_usd_per_million_transitions": round(
            result.per_million(result.durable_operations * prices.DURABLE_OPERATION), 3
        ),
        "executions": result.executions,
        "transitions": result.transitions,
        "task_states": result.task_states,
        "records": usage.records,
        "write_units_per_task_state": _ratio(usage.record_write_units, result.task_states),
        "write_units_per_record": _ratio(usage.record_write_units, usage.records),
        "write_units_per_execution_beside_records": _ratio(
            usage.write_units - usage.record_write_units, result.executions
        ),
        "conditional_writes_per_advance": _ratio(usage.record_puts, usage.records),
        "transactional_writes": usage.transactional_writes,
        "read_units_per_execution": _ratio(usage.read_units, result.executions),
        "engine_wake_ups_per_execution": _ratio(usage.engine_wake_ups, result.executions),
        "sqs_requests_per_execution": _ratio(usage.sqs_requests, result.executions),
    }


def _express_dollars(result: Result) -> float:
    """Express ends after five minutes and knows neither callbacks nor jobs: for the real mix it is no choice."""
    seconds = max(result.seconds, result.executions * prices.EXPRESS_SECONDS_MIN)
    return result.executions * prices.EXPRESS_REQUEST + seconds * prices.EXPRESS_MEMORY_GB * prices.EXPRESS_GB_SECOND


def _ratio(amount: float, of: float) -> float:
    return round(amount / of, 3) if of else 0.0


def _prices(pairs: Sequence[Pair], figures: dict[str, dict[str, Any]]) -> str:
    columns = ("busy", "quiet", "Standard", "Express", "durable")
    lines = [f"{'dollars per million transitions':76}" + "".join(f"{column:>10}" for column in columns)]
    for pair in pairs:
        known = figures[pair.busy.flow.name]
        prices_ = [
            known["usd_per_million_transitions"],
            known["quiet_usd_per_million_transitions"],
            known["standard_usd_per_million_transitions"],
            known["express_usd_per_million_transitions"] if pair.busy.suits_express else None,
            known["durable_functions_usd_per_million_transitions"],
        ]
        lines.append(f"{pair.busy.flow.title:76}" + "".join(_dollars(price) for price in prices_))
    return "\n".join([*lines, _NOTES])


def _dollars(price: float | None) -> str:
    return f"{'-' if price is None else f'{price:.2f}':>10}"


def _bill(result: Result, known: dict[str, Any]) -> str:
    bill = ", ".join(f"{name} {dollars:.2f}" for name, dollars in _by_service(known) if dollars >= 0.005)
    return f"""{result.flow.name}: {result.flow.title}
  {known["executions"]:,} executions, {known["transitions"]:,} transitions, {known["records"]:,} records
  write units: {known["write_units_per_task_state"]:.2f} per Task state, \
{known["write_units_per_record"]:.2f} per record, \
{known["write_units_per_execution_beside_records"]:.2f} per execution for listings and jobs
  writes of an advance: {known["conditional_writes_per_advance"]:.2f} conditional, \
{known["transactional_writes"]} transactional
  per execution: {known["engine_wake_ups_per_execution"]:.2f} wake-ups, \
{known["sqs_requests_per_execution"]:.2f} SQS requests, {known["read_units_per_execution"]:.2f} read units
  dollars per million transitions: {bill}
  apart: {known["awaiting_usd_per_million_transitions"]:.2f} while runners wait \
({known["quiet_awaiting_usd_per_million_transitions"]:.2f} quiet), \
{known["log_usd_per_million_transitions"]:.2f} for logs of {_LOG_LINE_BYTES} bytes a line"""


def _by_service(known: dict[str, Any]) -> list[tuple[str, float]]:
    bill: dict[str, float] = known["usd_per_million_transitions_by_service"]
    return sorted(bill.items(), key=lambda line: -line[1])
