"""Emulators of AWS that are programs of their own: installed once into the virtual environment, started by whoever
needs one first in a process of the tests."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

DYNALITE: Final = "dynalite@4.0.0"
MINISTACK: Final = "ministack==1.5.33"  # it pins another botocore than ours, so it lives in an environment of its own
_DIRECTORY: Final = Path(sys.prefix) / "emulators"
_INSTALL_SECONDS_MAX: Final = 300


class Unavailable(Exception):
    """The emulator cannot be had here, for the reason given."""


@cache
def dynalite_url() -> str:
    """A DynamoDB that was written after AWS's answers. Raises Unavailable."""
    npm, directory = shutil.which("npm"), _DIRECTORY / "dynalite"
    if npm is None:
        raise Unavailable(f"npm is not installed, and {DYNALITE} comes from there")
    program = directory / "node_modules" / "dynalite" / "cli.js"
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), DYNALITE]
    _install_once(program, install)
    port = free_port()
    return _started(["node", str(program), "--port", str(port), "--createTableMs", "0"], {}, port)


@cache
def ministack_url() -> str:
    """An emulator of many services. Raises Unavailable."""
    directory = _DIRECTORY / "ministack"
    program = directory / "bin" / "ministack"
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _install_once(program, [sys.executable, "-m", "venv", str(directory)], [*pip, MINISTACK])
    port, home = free_port(), TemporaryDirectory()
    atexit.register(home.cleanup)
    environ = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "HOME": home.name, "SFTP_PORT_PER_SERVER": "0"}
    return _started([str(program)], environ, port)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _install_once(program: Path, *commands: Sequence[str]) -> None:
    """Run the commands unless the program is there, one process after the other."""
    _DIRECTORY.mkdir(exist_ok=True)
    with (_DIRECTORY / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if program.exists():
            return
        for command in commands:
            try:
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS_MAX)
            except (OSError, subprocess.SubprocessError) as error:
                said = getattr(error, "stderr", None) or str(error)
                raise Unavailable(f"`{' '.join(command)}` failed: {said.strip().splitlines()[-1]}") from error


def _started(command: Sequence[str], environ: Mapping[str, str], port: int) -> str:
    """Start a server that says where it is once it listens; it ends with this process."""
    process = subprocess.Popen(
        command,
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    atexit.register(_end, process)
    assert process.stdout is not None
    for line in process.stdout:
        if str(port).encode() in line:
            # Whatever else it says must be read, or it would wait for a reader.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return f"http://127.0.0.1:{port}"
    raise Unavailable(f"`{command[0]}` ended with {process.wait()} before it listened")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
