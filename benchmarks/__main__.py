"""Compare this engine with its peers, and with itself at ten times the size.

    python -m benchmarks [in-process] [endpoint] [durable] [--scaling] [--only NAME] [--rounds N] [--json]
    python -m benchmarks cost --help    what it costs on AWS
    python -m benchmarks scale --help   how much of it AWS and one machine bear
    python -m benchmarks endurance --help   whether a server's memory stays flat

in-process   this engine with full history in memory; npm aws-local-stepfunctions, which keeps none; ministack as it is
endpoint     `asl serve`, durable on SQLite, and ministack, through boto3
durable      a chain of 200 tasks on SQLite, a synced commit for each
--scaling    nothing but how cost grows with size

Engines take turns within each round; figures are medians over the rounds, ratios medians of the rounds' ratios. Peers
are installed into benchmarks/.peers on first use; one that cannot be is left out, and the reason printed. ministack
sleeps 0.15 s in every execution: `net` is the ratio without that.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from typing import Any, Final

import benchmarks.cost.__main__ as cost
import benchmarks.scale.__main__ as scale
from benchmarks import endpoints, endurance, scaling
from benchmarks.engines import Engine, InMemory, OnSqlite, Unavailable
from benchmarks.facts import machine_facts
from benchmarks.measuring import Measured, measure
from benchmarks.node_library import NodeLibrary
from benchmarks.workloads import Workload, all_workloads, increment, increment_async, task_chain

SECTIONS: Final = ("in-process", "endpoint", "durable")
_ENGINES: Final[dict[str, tuple[Callable[[], Engine], ...]]] = {
    "in-process": (InMemory, NodeLibrary, endpoints.theirs),
    "endpoint": (endpoints.ours, endpoints.theirs),
}
_DURABLE_TASKS: Final = 200


def main() -> None:
    """Measure what the command line asks for and print it."""
    options = _options()
    facts = machine_facts()
    print("\n".join(f"{name:12} {fact}" for name, fact in facts.items()), file=_out(options))
    report: dict[str, Any] = {"machine": facts}
    if options.scaling:
        report["scaling"] = _scaling(options)
    else:
        for section in options.sections or SECTIONS:
            report[section] = _durable(options) if section == "durable" else _compare(section, options)
    if options.json:
        print(json.dumps(report, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--scaling", action="store_true", help="measure how cost grows instead")
    parser.add_argument("--only", default="", metavar="NAME", help="workloads whose name contains this")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="how often each is run (default: 7)")
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, and the tables on stderr")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"unknown section {', '.join(unknown)}: choose from {', '.join(SECTIONS)}")
    return options


def _out(options: argparse.Namespace) -> Any:
    return sys.stderr if options.json else sys.stdout


def _compare(section: str, options: argparse.Namespace) -> dict[str, Any]:
    out = _out(options)
    report: dict[str, Any] = {}
    with ExitStack() as stack:
        engines = _available(section, stack, out)
        print(_header(section, engines), file=out)
        for workload in _chosen(options):
            measured = measure(workload, engines, options.rounds)
            print(_line(measured, engines), file=out, flush=True)
            report[workload.name] = _as_json(measured, engines)
    return report


def _available(section: str, stack: ExitStack, out: Any) -> list[Engine]:
    engines: list[Engine] = []
    for make in _ENGINES[section]:
        try:
            engines.append(stack.enter_context(closing(make())))
        except Unavailable as reason:
            print(f"\nleft out: {reason}", file=out)
    return engines


def _chosen(options: argparse.Namespace) -> list[Workload]:
    return [each for each in all_workloads() if options.only in each.name]


def _header(section: str, engines: Sequence[Engine]) -> str:
    ours, *peers = engines
    columns = "".join(f"{f'{peer.name} ms':>14}{'ratio':>8}{'net':>8}" for peer in peers)
    return f"\n{section:28}{f'{ours.name} ms':>14}{columns}"


def _line(measured: Measured, engines: Sequence[Engine]) -> str:
    ours, *peers = engines
    columns = _milliseconds(measured, ours)
    for peer in peers:
        columns += _milliseconds(measured, peer) + _ratio(measured.ratio(ours, peer))
        columns += _ratio(measured.ratio(ours, peer, net=True) if peer.fixed_seconds else None)
    failures = "".join(f"  [{name}: {why[:60]}]" for name, why in measured.failures.items())
    return f"{measured.workload.name:28}{columns}{failures}"


def _milliseconds(measured: Measured, engine: Engine) -> str:
    seconds = measured.median(engine)
    return f"{'-':>14}" if seconds is None else f"{seconds * 1000:>14,.2f}"


def _ratio(ratio: float | None) -> str:
    return f"{'-':>8}" if ratio is None else f"{ratio:>7.1f}x"


def _as_json(measured: Measured, engines: Sequence[Engine]) -> dict[str, Any]:
    ours, *peers = engines
    return {
        "states": measured.workload.states * measured.workload.executions,
        "seconds": measured.seconds,
        "failures": measured.failures,
        "ratios": {peer.name: measured.ratio(ours, peer) for peer in peers},
        "ratios_net": {peer.name: measured.ratio(ours, peer, net=True) for peer in peers},
    }


def _durable(options: argparse.Namespace) -> dict[str, float]:
    report = {}
    print(f"\ndurable: a chain of {_DURABLE_TASKS} tasks on SQLite", file=_out(options))
    for kind, task in {"coroutine functions": increment_async, "functions that block": increment}.items():
        engine = OnSqlite(task)
        seconds = measure(task_chain(_DURABLE_TASKS), [engine], options.rounds).median(engine)
        assert seconds is not None, "our own engine is never left out"
        report[kind] = _DURABLE_TASKS / seconds
        print(f"{kind:32}{report[kind]:>16,.0f} steps per second", file=_out(options), flush=True)
    return report


def _scaling(options: argparse.Namespace) -> dict[str, Any]:
    out = _out(options)
    report: dict[str, Any] = {}
    for series in scaling.SERIES:
        print(f"\n{series.title}", file=out)
        for engine in scaling.engine_names():
            for size in series.sizes:
                growth = scaling.measure_growth(series, size, engine, min(options.rounds, 3))
                report.setdefault(series.title, {}).setdefault(engine, {})[size] = asdict(growth)
                cost = (
                    f"{growth.seconds * 1000:>11,.1f} ms{growth.microseconds_per_unit:>11.2f} µs per {series.unit:14}"
                )
                print(f"  {engine:16}{size:>9,}{cost}{growth.peak_megabytes:>8.0f} MB", file=out, flush=True)
    return report


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cost", *arguments]:
            cost.main(arguments)
        case ["scale", *arguments]:
            scale.main(arguments)
        case ["endurance", *arguments]:
            endurance.main(arguments)
        case _:
            main()
