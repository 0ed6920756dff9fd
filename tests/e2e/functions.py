"""The team's own functions: what the ML training pipeline calls, as Lambda functions in the emulator."""

from __future__ import annotations

import io
import platform
import sys
import zipfile
from pathlib import Path
from typing import Literal

from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import Cloud
from tests.e2e.gate import Gate

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NAMES = ("validate-data-set", "train-variant", "deploy-model", "roll-back", "notify-team")
_ROLE = "arn:aws:iam::123456789012:role/team"
# Each call passes the gate first. An answer by task token goes to the API: what `asl run` does for a function locally.
_HANDLER = """
import json, os, urllib.request
import tasks
from asl_engine.deploy.endpoint import step_functions_client

class Context:
    retry_count, state_name = 0, ""
    def __init__(self, token):
        self.token, self.api = token, step_functions_client(os.environ["ENDPOINT"])
    def heartbeat(self):
        self.api.send_task_heartbeat(taskToken=self.token)
    def send_task_success(self, output, after_seconds=0):
        self.api.send_task_success(taskToken=self.token, output=json.dumps(output))
    def send_task_failure(self, error="", cause="", after_seconds=0):
        self.api.send_task_failure(taskToken=self.token, error=error, cause=cause)

def handle(event, context):
    urllib.request.urlopen(os.environ["GATE"] + context.function_name).close()
    token = event.get("task_token") if isinstance(event, dict) else None
    return tasks.TASKS[context.function_name](event, Context(token))
"""


def host_architecture() -> Literal["arm64", "x86_64"]:
    """What functions must be built for to run here."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def create_functions(cloud: Cloud, api_package: Path, gate: Gate) -> None:
    """Create every function of the team. They bring the AWS SDK, as the engine's own do."""
    code = _archive(api_package)
    for name in NAMES:
        cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime=f"python{PYTHON}",
            Role=_ROLE,
            Handler="handler.handle",
            Timeout=60,
            Code={"ZipFile": code},
            Environment={"Variables": {"ENDPOINT": cloud.settings["ASL_STEP_FUNCTIONS_ENDPOINT"], "GATE": gate.url}},
        )


def _archive(api_package: Path) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(api_package) as package, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in package.namelist():
            if not name.startswith("lambdas/"):
                archive.writestr(name, package.read(name))
        archive.writestr("handler.py", _HANDLER)
        archive.writestr("tasks.py", (ROOT / "state_machines" / "ml-training" / "tasks.py").read_text())
    return written.getvalue()
