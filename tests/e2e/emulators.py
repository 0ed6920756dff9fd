"""AWS on this machine: ministack, which runs Lambda functions for real, and moto for what ministack lacks.

ministack has an environment of its own, so that a function finds only what is in its archive. And it takes events from
`aws.…`, which it refuses like AWS unless a service of its own puts them: Batch and SageMaker are not among those.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.e2e.gateway import passing_on

ACCOUNT = "123456789012"
REGION = "eu-central-1"
MINISTACK = "ministack==1.5.33"
ENGINE_TIMEOUT_SECONDS = 60  # also how long a message of an engine that dies in its cold start is gone
_SECONDS_MAX = 300  # time-outs are for what hangs: beside the tests of CI everything takes long
_RUN_MINISTACK = """
from ministack.app import main
from ministack.services import eventbridge
eventbridge._put_events.__defaults__ = (True,)  # allow_aws_source
main()
"""


@dataclass(frozen=True)
class Cloud:
    """Where the emulators listen, and the environment that leads an AWS client to them.

    moto serves Batch, SageMaker, and alarms, of which ministack shows no settings. `jobs` is in front of it (jobs.py).
    """

    ministack: int
    moto: int
    jobs: int
    step_functions: int
    approvals: int
    log: Path

    @property
    def endpoints(self) -> dict[str, str]:
        """SDK variables: for the functions, for Terraform, and for this process."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ministack}",
            "AWS_ENDPOINT_URL_BATCH": f"http://127.0.0.1:{self.jobs}",
            "AWS_ENDPOINT_URL_CLOUDWATCH": f"http://127.0.0.1:{self.moto}",
            "AWS_ENDPOINT_URL_SAGEMAKER": f"http://127.0.0.1:{self.jobs}",
        }

    @property
    def settings(self) -> dict[str, str]:
        """What the engine's functions are told besides.

        Instead of addresses that no name server here knows, those of stand-ins; and not to wait for long for a runner
        that was killed.
        """
        return {
            "ASL_VISIBILITY_SECONDS": "30",
            "ASL_STEP_FUNCTIONS_ENDPOINT": f"http://127.0.0.1:{self.step_functions}",
            "ASL_APPROVALS_URL": f"http://127.0.0.1:{self.approvals}/approvals",
        }

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.endpoints,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, port: int | None = None) -> Any:
        """A boto3 client; of ministack unless a port is given."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port or self.ministack}",
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @cached_property
    def step_functions_client(self) -> Any:
        """The deployed engine's API."""
        return self.client("stepfunctions", self.step_functions)


@contextmanager
def running_cloud(work: Path) -> Iterator[Cloud]:
    """Start both emulators, and stand in for the name server in front of the two HTTP APIs."""
    python = _ministack_python(work)
    ministack, moto, jobs, step_functions, approvals = _free_ports(5)
    cloud = Cloud(ministack, moto, jobs, step_functions, approvals, work / "ministack.log")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ASL_"))},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(cloud.ministack),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with (
        cloud.log.open("w") as log,
        _process([str(python), "-c", _RUN_MINISTACK], environ, log),
        _process([sys.executable, "-m", "moto.server", "-p", str(cloud.moto)], {**os.environ}, log),
        passing_on(cloud.step_functions, cloud.ministack, host=lambda: _host_of(cloud, "asl-engine-api")),
        passing_on(cloud.approvals, cloud.ministack, host=lambda: _host_of(cloud, "asl-engine-approvals")),
    ):
        wait_until(lambda: _answers(cloud.ministack) and _answers(cloud.moto), "the emulators answer")
        yield cloud


def wait_until(condition: Callable[[], object], what: str, seconds: float = _SECONDS_MAX) -> None:
    """Ask again until the answer is yes. Raises TimeoutError."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:.0f} seconds it is still not so: {what}")
        pause.wait(0.1)


def kill_function(cloud: Cloud, name: str) -> list[int]:
    """Kill the processes in which this emulator runs a function, without a warning; returns their ids."""
    found = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _runs(each, cloud, name)]
    for process in found:
        os.kill(process, signal.SIGKILL)
    return found


def _runs(process: Path, cloud: Cloud, name: str) -> bool:
    try:
        environ = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    ours = f"AWS_ENDPOINT_URL=http://127.0.0.1:{cloud.ministack}".encode()
    return ours in environ and f"AWS_LAMBDA_FUNCTION_NAME={name}".encode() in environ


def _ministack_python(work: Path) -> Path:
    """The Python of ministack's own environment, which is made once."""
    environment = work / "ministack"
    python = environment / "bin" / "python"
    if not python.with_name("ministack").exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", MINISTACK], check=True)
    return python


@contextmanager
def _process(command: list[str], environ: dict[str, str], log: Any) -> Iterator[None]:
    process = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=_SECONDS_MAX)


def _host_of(cloud: Cloud, api_name: str) -> str:
    apis = cloud.client("apigatewayv2").get_apis()["Items"]
    (endpoint,) = [api["ApiEndpoint"] for api in apis if api["Name"] == api_name]
    return str(endpoint).removeprefix("http://")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
