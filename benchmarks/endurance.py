"""Whether a server's memory stays flat: `python -m benchmarks endurance [--executions N] [--json]`.

One `asl serve`, durable on SQLite, runs N executions of ten states that clients start as fast as it takes them. Its
resident memory is read after each tenth. Everything it has run stays in the file, and can be described at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks.endpoints import Endpoint, ours
from benchmarks.workloads import many_executions

CLIENTS: Final = 32
_TARGET: Final = "AWSStepFunctions.{}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The server after so many executions."""

    executions: int
    resident_megabytes: float
    executions_per_second: float


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks endurance", description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000, metavar="N", help="how many (default: 100000)")
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, and the table on stderr")
    options = parser.parse_args(arguments)
    out = sys.stderr if options.json else sys.stdout
    server = ours()
    try:
        readings = asyncio.run(_endure(server, options.executions, out))
    finally:
        server.close()
    if options.json:
        print(json.dumps([asdict(reading) for reading in readings], indent=2))


async def _endure(server: Endpoint, executions: int, out: Any) -> list[Reading]:
    workload = many_executions()
    machine, text = server.create(workload), json.dumps(workload.input)
    readings: list[Reading] = []
    async with aiohttp.ClientSession() as session:
        for done in range(0, executions, tenth := max(1, executions // 10)):
            started = time.perf_counter()
            arns = await _run(session, server.url, machine, text, tenth)
            seconds = time.perf_counter() - started
            described = await _call(session, server.url, "DescribeExecution", {"executionArn": arns[-1]})
            assert described["status"] in {"RUNNING", "SUCCEEDED"}, described
            readings.append(Reading(done + tenth, _resident_megabytes(server.pid), tenth / seconds))
            reading = readings[-1]
            print(
                f"{reading.executions:>9,} executions{reading.resident_megabytes:>8.1f} MB"
                f"{reading.executions_per_second:>8.0f} a second",
                file=out,
                flush=True,
            )
    return readings


async def _run(session: aiohttp.ClientSession, url: str, machine: str, text: str, count: int) -> list[str]:
    arns: list[str] = []

    async def client(share: int) -> None:
        for _ in range(share):
            answer = await _call(session, url, "StartExecution", {"stateMachineArn": machine, "input": text})
            arns.append(answer["executionArn"])

    shares = [count // CLIENTS + (position < count % CLIENTS) for position in range(CLIENTS)]
    await asyncio.gather(*map(client, shares))
    return arns


async def _call(session: aiohttp.ClientSession, url: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    headers = {"X-Amz-Target": _TARGET.format(operation), "Content-Type": "application/x-amz-json-1.0"}
    async with session.post(url, data=json.dumps(request), headers=headers) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status == 200, answer
        return answer


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]
    return int(kilobytes) / 1024
