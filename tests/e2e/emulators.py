"""AWS on this machine: ministack, which runs Lambda functions for real, and moto for what ministack lacks.

ministack has an environment of its own, so that a function finds only what is in its archive.
"""

from __future__ import annotations

import http.client
import http.server
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

ACCOUNT = "123456789012"
REGION = "eu-central-1"
MINISTACK = "ministack==1.5.33"
_SECONDS_MAX = 300  # time-outs are for what hangs: beside the tests of CI everything takes long
# moto serves these; ministack has no SageMaker, no events of Batch, and shows alarms without their settings.
MOTO_SERVICES = ("BATCH", "CLOUDWATCH", "SAGEMAKER")


@dataclass(frozen=True)
class Cloud:
    """Where the emulators listen, and the environment that leads an AWS client to them."""

    ministack: int
    moto: int
    step_functions: int
    approvals: int
    log: Path

    @property
    def endpoints(self) -> dict[str, str]:
        """SDK variables: for the functions, for Terraform, and for this process."""
        moto = f"http://127.0.0.1:{self.moto}"
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ministack}",
            **{f"AWS_ENDPOINT_URL_{service}": moto for service in MOTO_SERVICES},
        }

    @property
    def urls(self) -> dict[str, str]:
        """What the engine's functions are told instead of addresses that no name server here knows."""
        return {
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
    ministack, moto, step_functions, approvals = _free_ports(4)
    cloud = Cloud(ministack, moto, step_functions, approvals, work / "ministack.log")
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
        _process([str(python.with_name("ministack"))], environ, log),
        _process([sys.executable, "-m", "moto.server", "-p", str(cloud.moto)], {**os.environ}, log),
        _gateway(cloud, cloud.step_functions, "asl-engine-api"),
        _gateway(cloud, cloud.approvals, "asl-engine-approvals"),
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


@contextmanager
def _gateway(cloud: Cloud, port: int, api_name: str) -> Iterator[None]:
    """Passes requests on to the HTTP API of a name, under the host name that it has."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection = http.client.HTTPConnection("127.0.0.1", cloud.ministack)
            connection.request(self.command, self.path, body, {**headers, "Host": _host_of(cloud, api_name)})
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_OPTIONS = do_POST = _pass_on  # noqa: N815 - the names that the base class looks for

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Keep the report to the report."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Gateway)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


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
