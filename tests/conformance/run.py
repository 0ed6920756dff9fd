"""Compare a fresh `asl serve` with what AWS was recorded to answer: `python -m tests.conformance.run`.

The recordings and their runner lie beside the checkout; without them there is nothing to do. The score is kept in
docs/conformance-score.json and may only rise: a lower one fails, a higher one is written down.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = ROOT.parent / "shared" / "conformance"
SCORE_FILE: Final = ROOT / "docs" / "conformance-score.json"
JOBS: Final = "8"
LEVELS: Final = ("L1", "L2", "L3")
STOP_SECONDS_MAX: Final = 20.0

Score: TypeAlias = "dict[str, dict[str, int]]"


def main() -> int:
    """Run the corpus and compare; 1 when anything fell."""
    if not (CORPUS / "run_conformance.py").exists():
        print("There are no recordings beside this checkout; nothing was compared.")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        lambda_port = free_port()
        with server(Path(directory), lambda_port) as endpoint:
            run_corpus(endpoint, lambda_port, report)
        results = json.loads(report.read_text(encoding="utf-8"))["results"]
    return compare(score(results), read_score())


def run_corpus(endpoint: str, lambda_port: int, report: Path) -> None:
    """Run the neutral runner; it prints its table."""
    command = [sys.executable, str(CORPUS / "run_conformance.py"), str(CORPUS / "cases"), "--endpoint", endpoint]
    options = ["--lambda-port", str(lambda_port), "--jobs", JOBS, "--json", str(report), "--verbose"]
    subprocess.run([*command, *options], cwd=CORPUS, check=True)


@contextmanager
def server(directory: Path, lambda_port: int) -> Iterator[str]:
    """A fresh server on a store of its own."""
    port = free_port()
    environ = os.environ | {"AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{lambda_port}"}
    store = f"sqlite:{directory / 'executions.sqlite'}"
    command = [sys.executable, "-m", "asl_engine", "serve", "--port", str(port), "--store", store]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        if not process.stdout.readline():  # it says where it is once it listens
            raise SystemExit("asl serve did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP_SECONDS_MAX)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def score(results: list[dict[str, Any]]) -> Score:
    """Per kind of case: how many there are, and how many of them are right at each level."""
    counted: Score = {}
    for result in results:
        kind = counted.setdefault(result["kind"], {"cases": 0, "L1": 0, "L2": 0, "L3": 0, "L3 recorded": 0})
        kind["cases"] += 1
        kind["L3 recorded"] += result["L3"] is not None
        for level in LEVELS:
            kind[level] += bool(result[level])
    return dict(sorted(counted.items()))


def read_score() -> Score:
    """The best score so far."""
    if not SCORE_FILE.exists():
        return {}
    best: Score = json.loads(SCORE_FILE.read_text(encoding="utf-8"))
    return best


def fallen(now: Mapping[str, Mapping[str, int]], best: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What is worse than it was."""
    return [
        f"{kind} {level}: {now.get(kind, {}).get(level, 0)}, and it was {known[level]}"
        for kind, known in best.items()
        for level in LEVELS
        if now.get(kind, {}).get(level, 0) < known[level]
    ]


def compare(now: Score, best: Score) -> int:
    """Say what fell, or write down what rose."""
    worse = fallen(now, best)
    if worse:
        print("The score has fallen:", *worse, sep="\n  ")
        return 1
    if now != best:
        SCORE_FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
        print(f"The score has risen: commit {SCORE_FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
