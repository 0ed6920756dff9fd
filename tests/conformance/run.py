"""Compare a fresh `asl serve` with what AWS was recorded to answer: `python -m tests.conformance.run [--store SPEC]`.

Cases that need queues, topics, tables, buckets or log groups find them on moto's server, and are scored apart, since
what moto answers is not always what AWS does. `--store dynamodb:TABLE` runs the others on an emulator: on that of
AWS_ENDPOINT_URL_DYNAMODB, else on ministack. (moto copies the whole table for each transaction, and becomes too slow.)

The recordings and their runner lie beside the checkout; without them there is nothing to do. The score is kept in
docs/conformance-score.json and may only rise: a lower one fails, a higher one is written down.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = ROOT.parent / "shared" / "conformance"
SCORE_FILE: Final = ROOT / "docs" / "conformance-score.json"
JOBS: Final = "8"
LEVELS: Final = ("L1", "L2", "L3")
ACCOUNT: Final = "000000000000"  # the runner's own
SERVICES: Final = ("DYNAMODB", "EVENTS", "LOGS", "S3", "SNS", "SQS")
OWN_SERVICES: Final = {"activity", "lambda", "states", "stepfunctions"}  # what every case may use
WITH_SERVICES: Final = ", with services"
STOP_SECONDS_MAX: Final = 20.0

Score: TypeAlias = "dict[str, dict[str, int]]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the corpus and compare; 1 when anything fell."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.run")
    parser.add_argument("--store", help="what `asl serve` keeps executions in; by default a new SQLite file")
    chosen = parser.parse_args(arguments)
    if not (CORPUS / "run_conformance.py").exists():
        print("There are no recordings beside this checkout; nothing was compared.")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        lambda_port = free_port()
        store = chosen.store or f"sqlite:{directory}/executions.sqlite"
        with emulators(store) as environ, server(store, environ, lambda_port) as endpoint:
            run_corpus(endpoint, lambda_port, report, environ.get("AWS_ENDPOINT_URL_SQS"))
        results = json.loads(report.read_text(encoding="utf-8"))["results"]
    best = read_score()
    if chosen.store is not None:
        best = {kind: known for kind, known in best.items() if not kind.endswith(WITH_SERVICES)}
    return compare(score(results, needing_services()), best, keep=chosen.store is None)


def run_corpus(endpoint: str, lambda_port: int, report: Path, services: str | None) -> None:
    """Run the neutral runner; it prints its table. Without `services` it leaves out the cases that need them."""
    command = [sys.executable, str(CORPUS / "run_conformance.py"), str(CORPUS / "cases"), "--endpoint", endpoint]
    options = ["--lambda-port", str(lambda_port), "--jobs", JOBS, "--json", str(report), "--verbose"]
    options += [] if services is None else ["--aws-endpoint", services]
    subprocess.run([*command, *options], cwd=CORPUS, check=True)


def needing_services() -> frozenset[str]:
    """The ids of the cases that need more than Step Functions and Lambda."""
    cases = (json.loads(path.read_text(encoding="utf-8")) for path in (CORPUS / "cases").rglob("*.json"))
    return frozenset(case["id"] for case in cases if set(case["needs"]) - OWN_SERVICES)


@contextmanager
def emulators(store: str) -> Iterator[dict[str, str]]:
    """The environment that names an emulator for a store in DynamoDB, or one for the services that cases need."""
    if not store.startswith("dynamodb:"):
        with services() as url:
            yield {f"AWS_ENDPOINT_URL_{service}": url for service in SERVICES}
        return
    if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:
        yield {}
        return
    from tests.store.emulators import ministack_url

    yield dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3"), ministack_url())


@contextmanager
def services() -> Iterator[str]:
    """moto's server, for the account that the runner has."""
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT  # read when moto is imported
    from tests.store.moto_server import moto_server

    with moto_server() as url:
        yield url


@contextmanager
def server(store: str, environ: Mapping[str, str], lambda_port: int) -> Iterator[str]:
    """A fresh server on a store."""
    port = free_port()
    environ = os.environ | environ | {"AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{lambda_port}"}
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


def score(results: list[dict[str, Any]], needing_services: AbstractSet[str] = frozenset()) -> Score:
    """Per kind of case: how many there are, and how many of them are right at each level."""
    counted: Score = {}
    for result in results:
        name = f"{result['kind']}{WITH_SERVICES if result['id'] in needing_services else ''}"
        kind = counted.setdefault(name, {"cases": 0, "L1": 0, "L2": 0, "L3": 0, "L3 recorded": 0})
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


def compare(now: Score, best: Score, *, keep: bool = True) -> int:
    """Say what fell, or `keep` what rose by writing it down."""
    worse = fallen(now, best)
    if worse:
        print("The score has fallen:", *worse, sep="\n  ")
        return 1
    if keep and now != best:
        SCORE_FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
        print(f"The score has risen: commit {SCORE_FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
