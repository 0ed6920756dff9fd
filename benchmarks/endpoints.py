"""Servers that speak the Step Functions API, ours and ministack, measured from outside through boto3."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks.engines import Unavailable, check_output
from benchmarks.peers import ministack
from benchmarks.workloads import INCREMENT, Workload

START_SECONDS_MAX: Final = 60
RUN_SECONDS_MAX: Final = 120
POLL_SECONDS: Final = 0.005
CLIENTS: Final = 16

_ROLE: Final = "arn:aws:iam::000000000000:role/benchmark"
_FUNCTION: Final = "def handler(event, context):\n    return {'n': event['n'] + 1}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How a server is started, and under which ARN it knows the function that increments."""

    name: str
    command: Callable[[int, Path], list[str]]  # given a port, and a directory that lives as long as the server
    function: Callable[[Callable[[str], Any]], str]  # given what makes a client of an AWS service
    environment: Callable[[int], dict[str, str]] = lambda _port: {}
    fixed_seconds: float = 0


class Endpoint:
    """A server started here on a free port; time runs from StartExecution to the first terminal status."""

    def __init__(self, server: Server) -> None:
        """Raises Unavailable."""
        self.name, self.fixed_seconds = server.name, server.fixed_seconds
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._directory = tempfile.TemporaryDirectory()
        self._server = subprocess.Popen(
            server.command(port, Path(self._directory.name)),
            env=os.environ | server.environment(port),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._api = self._client("stepfunctions")
        self._machine = cache(self._create)
        self._function = cache(lambda: server.function(self._client))
        self._wait_until_it_answers()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._url

    @property
    def pid(self) -> int:
        """Its process."""
        return self._server.pid

    def supports(self, workload: Workload) -> bool:
        """All of them."""
        return True

    def create(self, workload: Workload) -> str:
        """Create the workload's state machine, and give its ARN."""
        definition = json.dumps(workload.definition)
        if workload.needs_tasks:
            definition = definition.replace(INCREMENT, self._function())
        return self._machine(workload.name, definition)

    def run(self, workload: Workload) -> float:
        """Start all executions at once and wait for each."""
        machine, text = self.create(workload), json.dumps(workload.input)
        with ThreadPoolExecutor(min(CLIENTS, workload.executions)) as clients:
            started = time.perf_counter()
            arns = list(clients.map(lambda _: self._start(machine, text), range(workload.executions)))
            ended = list(clients.map(self._end_of, arns))
            seconds = time.perf_counter() - started
        for execution in ended:
            check_output(workload, execution["status"], json.loads(execution.get("output", "null")))
        return seconds

    def close(self) -> None:
        """Stop the server."""
        self._server.terminate()
        self._server.wait()
        self._directory.cleanup()

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(max_pool_connections=CLIENTS, retries={"max_attempts": 0}, read_timeout=RUN_SECONDS_MAX)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self._url, region_name="us-east-1", config=config, **keys)

    def _wait_until_it_answers(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        give_up = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < give_up and self._server.poll() is None:
            try:
                self._api.list_state_machines()
            except (BotoCoreError, ClientError):
                time.sleep(POLL_SECONDS)
            else:
                return
        self.close()
        raise Unavailable(f"{self.name} did not start within {START_SECONDS_MAX} seconds")

    def _create(self, name: str, definition: str) -> str:
        unique = f"{name}-{uuid.uuid4().hex[:8]}"
        created = self._api.create_state_machine(name=unique, definition=definition, roleArn=_ROLE)
        machine: str = created["stateMachineArn"]
        return machine

    def _start(self, machine: str, text: str) -> str:
        arn: str = self._api.start_execution(stateMachineArn=machine, input=text)["executionArn"]
        return arn

    def _end_of(self, arn: str) -> dict[str, Any]:
        started = time.monotonic()
        while (waited := time.monotonic() - started) < RUN_SECONDS_MAX:
            execution: dict[str, Any] = self._api.describe_execution(executionArn=arn)
            # ministack shows SUCCEEDED before it shows the output
            if execution["status"] == "SUCCEEDED" and execution.get("output") in {None, "null"}:
                continue
            if execution["status"] != "RUNNING":
                return execution
            # Polling may not starve the server: at most one percent is lost to a pause.
            time.sleep(max(POLL_SECONDS, waited / 100))
        raise Unavailable(f"{self.name} did not end {arn} within {RUN_SECONDS_MAX} seconds")


def ours() -> Endpoint:
    """`asl serve`, durable on SQLite as it is by default. Raises Unavailable."""
    return Endpoint(Server(name="asl serve", command=_asl_serve, function=lambda _client: INCREMENT))


def theirs() -> Endpoint:
    """ministack, which keeps executions in memory. Raises Unavailable."""
    executable = str(ministack())
    server = Server(
        name="ministack",
        command=lambda _port, _directory: [executable],
        function=_create_function,
        environment=lambda port: {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"},
        fixed_seconds=0.15,
    )
    return Endpoint(server)


def _asl_serve(port: int, directory: Path) -> list[str]:
    tasks = str(Path(__file__).with_name("task_functions.py"))
    store = f"sqlite:{directory / 'executions.sqlite'}"
    return [sys.executable, "-m", "asl_engine", "serve", "--port", str(port), "--store", store, "--tasks", tasks]


def _create_function(client: Callable[[str], Any]) -> str:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("increment.py", _FUNCTION)
    created = client("lambda").create_function(
        FunctionName="increment",
        Runtime="python3.11",
        Role=_ROLE,
        Handler="increment.handler",
        Code={"ZipFile": body.getvalue()},
    )
    function: str = created["FunctionArn"]
    return function
