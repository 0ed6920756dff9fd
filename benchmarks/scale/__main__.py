"""How far one process and one table go: many executions at once, and one execution of many events.

    python -m benchmarks scale [--executions N] [--starts-per-second N] [--only open|loop|map-40|map-1] [--json]

The host and the store are the real ones, DynamoDB an in-process stand-in that answers after 5 ms. See docs/scale.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.scale.growth import SERIES, Growth, Series, measure_growth
from benchmarks.scale.open_executions import crowd


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for and print it."""
    options = _options(arguments)
    out = sys.stderr if options.json else sys.stdout
    report: dict[str, Any] = {}
    for series in SERIES:
        if options.only in ("", series.title):
            print(f"\n{series.title}", file=out)
            for size in series.sizes:
                growth = measure_growth(series, size)
                report.setdefault(series.title, []).append(asdict(growth))
                print(_line(series, growth), file=out, flush=True)
    if options.only in ("", "open"):
        report["open"] = asdict(asyncio.run(crowd(options.executions, options.starts_per_second)))
        print(
            "\nopen executions",
            *(f"{name:30}{value:>12,.10g}" for name, value in report["open"].items()),
            sep="\n  ",
            file=out,
        )
    if options.json:
        print(json.dumps(report, indent=2))


def _line(series: Series, growth: Growth) -> str:
    per_unit = growth.seconds / growth.size * 1e6
    return (
        f"  {growth.size:>9,}{growth.seconds:>9.2f} s{per_unit:>9.1f} µs per {series.unit}"
        f"{growth.records:>9,} records, at most {growth.load_records:,} to load"
        f"{growth.peak_megabytes:>8.0f} MB, {growth.table_megabytes:.0f} MB of them the table"
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--executions", type=int, default=10_000, metavar="N", help="open at once (default: 10000)")
    parser.add_argument("--starts-per-second", type=int, default=100, metavar="N", help="how fast (default: 100)")
    parser.add_argument("--only", default="", metavar="PART", help="open, loop, map-40 or map-1")
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, and the tables on stderr")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
