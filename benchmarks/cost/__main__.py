"""What a million transitions cost, counted: the real host and the real DynamoDB store on an account of AWS in memory.

    python -m benchmarks cost [--task-seconds S] [--only NAME] [--json]

Every request that AWS bills is counted as it is made, and its units are worked out from the items themselves.
See docs/cost.md for what is assumed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from benchmarks.cost.account import BATCH_SIZE, Assumptions
from benchmarks.cost.flows import all_flows
from benchmarks.cost.report import Pair, as_json, as_text
from benchmarks.cost.run import run_flow


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the workloads and print what they cost."""
    options = _options(arguments)
    busy, quiet = (Assumptions(task_seconds=options.task_seconds, batch=batch) for batch in (BATCH_SIZE, 1))
    pairs = [Pair(run_flow(flow, busy), run_flow(flow, quiet)) for flow in all_flows() if options.only in flow.name]
    print(as_text(pairs), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(as_json(pairs), indent=2))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task-seconds", type=float, default=1.0, metavar="S", help="what a task takes (default: 1)")
    parser.add_argument("--only", default="", metavar="NAME", help="workloads whose name contains this")
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, and the tables on stderr")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
