"""Three workers as processes, on an emulator's queue and table; one is killed again and again.

ASL_KILLED_EXECUTIONS sets how many executions of 20 tasks must survive that; the suite is content with fewer than 200.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from asl_engine.aws import worker
from asl_engine.aws.assembly import Engine, engine_on
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.interpreter.events import TaskSucceeded
from asl_engine.interpreter.execution import ExecutionStatus
from tests.aws.emulator import ROLE, Emulator
from tests.aws.lambda_emulator import FUNCTION, LambdaEmulator, lambda_emulator

EXECUTIONS = int(os.environ.get("ASL_KILLED_EXECUTIONS", "20"))
TASKS = 20
TASK_SECONDS = 0.1
WORKERS = 3
KILLED_EVERY_SECONDS = (0.2, 2.0)
VISIBILITY_SECONDS = 5
SECONDS_MAX = 240 + 5 * EXECUTIONS


# Hundreds of processes are started, and importing would take most of their time: each is forked from one that has.
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["asl_engine.aws.worker"])


def work(environment: Mapping[str, str], log: Path) -> None:
    """What `python -m asl_engine.aws.worker` does."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    asyncio.run(worker.main({**os.environ, **environment}))


class Worker:
    """One process. Its log tells whether it has advanced any execution."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._process = FORKING.Process(target=work, args=(environment, log))
        self._process.start()

    @property
    def is_at_work(self) -> bool:
        return self._log.exists() and b'"advanced"' in self._log.read_bytes()

    def kill(self) -> None:
        assert self._process.is_alive(), f"a worker ended by itself: {self._log.read_text()}"
        self._process.kill()
        self._process.join()


class Workers:
    """The processes, of which one is replaced at each kill."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment, self._logs = environment, logs
        self._started = 0
        self._running = [self._start() for _ in range(WORKERS)]

    @property
    def killed(self) -> int:
        return self._started - WORKERS

    def _start(self) -> Worker:
        self._started += 1
        return Worker(self._environment, self._logs / f"{self._started}.log")

    async def kill_now_and_then(self, chance: random.Random) -> None:
        while True:
            await asyncio.sleep(chance.uniform(*KILLED_EVERY_SECONDS))
            at_work = [each for each in self._running if each.is_at_work]
            if at_work:  # on a slow machine the others have not done a thing yet
                victim = chance.choice(at_work)
                victim.kill()
                self._running[self._running.index(victim)] = self._start()

    def close(self) -> None:
        for each in self._running:
            each.kill()


def chain() -> str:
    """A workflow that adds one to `n` at each of its tasks."""
    states: dict[str, dict[str, object]] = {
        f"S{n}": {"Type": "Task", "Resource": FUNCTION, **({"Next": f"S{n + 1}"} if n < TASKS - 1 else {"End": True})}
        for n in range(TASKS)
    }
    return json.dumps({"StartAt": "S0", "States": states})


def test_killed_workers_lose_no_execution_and_apply_no_result_twice(aws: Emulator, tmp_path: Path) -> None:
    with lambda_emulator(seconds=TASK_SECONDS) as functions:
        # The emulator goes on receiving for a worker that is gone, so no worker asks for long, and each may be killed.
        environment = aws.deploy("killed-workers", visibility_seconds=VISIBILITY_SECONDS, deliveries_max=1_000)
        environment |= {
            "AWS_ENDPOINT_URL_LAMBDA": functions.url,
            "ASL_DELIVERIES_MAX": "1000",  # that a worker dies says nothing here about what it has in hand
            "ASL_WORKER_WAIT_SECONDS": "1",
            "ASL_VISIBILITY_SECONDS": str(VISIBILITY_SECONDS),
        }
        asyncio.run(asyncio.wait_for(_survive(environment, functions, tmp_path), SECONDS_MAX))


async def _survive(environment: Mapping[str, str], functions: LambdaEmulator, logs: Path) -> None:
    ports = open_ports(environment)
    engine = engine_on(ports)
    workers = Workers(environment, logs)
    killing = asyncio.create_task(workers.kill_now_and_then(random.Random(7)))
    try:
        arns = await _start(engine)
        for arn in arns:
            await engine.service.host.until_ended(arn)
        killing.cancel()
        await asyncio.gather(*(_check(ports, arn) for arn in arns))
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        workers.close()
        await ports.close()
    assert workers.killed >= 3
    # Each of these was performed at least once, and some again after a kill.
    assert len(functions.payloads) == EXECUTIONS * TASKS


async def _start(engine: Engine) -> list[str]:
    machine = {"name": "chain", "definition": chain(), "roleArn": ROLE}
    machine_arn = (await engine.service.call("CreateStateMachine", machine))["stateMachineArn"]
    arns = []
    for number in range(EXECUTIONS):
        start = {"stateMachineArn": machine_arn, "name": f"run-{number}", "input": json.dumps({"run": number, "n": 0})}
        arns.append((await engine.service.call("StartExecution", start))["executionArn"])
    return arns


async def _check(ports: Ports, arn: str) -> None:
    execution = await ports.store.load(arn)
    assert execution.status is ExecutionStatus.SUCCEEDED
    assert execution.output == {"run": int(arn.rpartition("-")[2]), "n": TASKS}

    history = [event async for event in ports.store.history(arn)]
    assert [event.id for event in history] == list(range(1, len(history) + 1))
    types = Counter(event.type for event in history)
    assert types["TaskStateEntered"] == types["TaskStateExited"] == TASKS
    assert types["LambdaFunctionSucceeded"] == TASKS

    records = [record async for record in ports.store.records(arn)]
    assert [record.sequence for record in records] == list(range(len(records)))[::-1]
    results = Counter(
        (event.frame_id, event.wait_id)
        for record in records
        for event in record.events
        if isinstance(event, TaskSucceeded)
    )
    assert len(results) == TASKS
    assert set(results.values()) == {1}
