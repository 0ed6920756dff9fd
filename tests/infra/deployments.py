"""Both deployments of the same engine and definitions, as data: what Terraform plans, and what CDK synthesizes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from asl_engine.deploy.configuration import NewDeployment
from asl_engine.deploy.functions import FUNCTIONS
from asl_engine.deploy.manifest import FILE_NAME, manifest
from asl_engine.deploy.packaging import mark_platform
from asl_engine.deploy.terraform import TerraformDirectory
from asl_engine.deploy.wheels import Platform
from tests.architecture.source_tree import ROOT
from tests.needs import leave_out
from tests.terraform import require_terraform

MODULE = ROOT / "infra" / "terraform"
DEFINITION: dict[str, Any] = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${ChargeFunction}"},
            "TimeoutSeconds": 60,
            "Next": "Train",
        },
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::batch:submitJob.sync",
            "Parameters": {"JobName": "train", "JobQueue": "gpu", "JobDefinition": "train:3"},
            "TimeoutSeconds": 3600,
            "End": True,
        },
    },
}
CHARGE = "arn:aws:lambda:eu-central-1:123456789012:function:charge"
SETTINGS: dict[str, Any] = {
    "slack": True,
    "webhooks": True,
    "mail_from": "asl@example.com",
    "tracing": True,
    "queue_message_bytes_max": 262_144,  # what the provider of this machine accepts
}


@dataclass(frozen=True)
class Sources:
    """A directory with a definition, and archives that hold nothing."""

    root: Path

    @classmethod
    def written(cls, root: Path) -> Sources:
        """Definition, manifest and archives."""
        sources = cls(root)
        sources.definition.parent.mkdir(parents=True)
        sources.definition.write_text(json.dumps(DEFINITION), encoding="utf-8")
        sources.packages.mkdir()
        for function in FUNCTIONS:
            with zipfile.ZipFile(sources.packages / f"{function}.zip", "w") as archive:
                archive.writestr(zipfile.ZipInfo("handler.py"), function)
        with mark_platform(sources.packages, Platform()):
            pass
        sources.validate()
        return sources

    @property
    def definitions(self) -> Path:
        return self.root / "definitions"

    @property
    def definition(self) -> Path:
        return self.definitions / "orders.asl.json"

    @property
    def packages(self) -> Path:
        return self.root / "packages"

    def validate(self) -> None:
        """Write the manifest, as `asl package --definitions` does."""
        document = manifest(self.definitions, {"orders": self.definition})
        (self.packages / FILE_NAME).write_text(json.dumps(document), encoding="utf-8")


class Planner:
    """Terraform in a directory that `asl deploy` prepared, beside an endpoint that knows who is asking."""

    def __init__(self, sources: Sources, endpoint: str, settings: Mapping[str, Any] = SETTINGS) -> None:
        command, plugins = require_terraform()
        self._command = command
        self._deployment = TerraformDirectory(sources.root)
        self._environ = {
            **os.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }
        new = NewDeployment(
            name="asl-engine",
            region="eu-central-1",
            platform=Platform(),
            definitions=sources.definitions,
        )
        self._deployment.write(MODULE, new)
        main = sources.root / "main.tf"
        given = "".join(f"  {name} = {json.dumps(value)}\n" for name, value in settings.items())
        given += f'  definition_substitutions = {{ ChargeFunction = "{CHARGE}" }}\n'
        main.write_text(main.read_text().replace("  definitions_directory", given + "  definitions_directory"))
        assert self("init", f"-plugin-dir={plugins}").returncode == 0

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a Terraform command; returns how it ended."""
        return subprocess.run(
            [self._command, arguments[0], "-no-color", *arguments[1:]],
            cwd=self._deployment.directory,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )

    @cached_property
    def planned(self) -> dict[str, dict[str, Any]]:
        """The values of every resource that would be made, by its address in the module."""
        ended = self("plan", "-out=plan")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        plan = json.loads(self("show", "-json", "plan").stdout)
        (module,) = plan["planned_values"]["root_module"]["child_modules"]
        return {
            resource["address"].removeprefix("module.asl_engine."): resource.get("values", {})
            for resource in module["resources"]
        }

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The planned resources of a type."""
        return [values for address, values in self.planned.items() if address.startswith(f"{kind}.")]


@dataclass(frozen=True)
class Template:
    """A CloudFormation template."""

    file: Path

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads(self.file.read_text())["Resources"]
        return found

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The properties of each resource of a type."""
        return [each["Properties"] for each in self.resources.values() if each["Type"] == kind]


def synthesized(sources: Sources, settings: Mapping[str, Any] = SETTINGS) -> Template:
    """What CDK makes of the same settings and definition. Skips where CDK is missing."""
    require_cdk()
    ended = synthesize(sources, settings)
    assert ended.returncode == 0, ended.stderr
    return Template(sources.root / "cdk.out" / "AslEngine.template.json")


def require_cdk() -> None:
    """Skips where CDK is missing."""
    if find_spec("aws_cdk") is None or shutil.which("node") is None:
        leave_out('CDK is not on this machine: it takes pip install -e ".[cdk]" and node')


def synthesize(sources: Sources, settings: Mapping[str, Any] = SETTINGS) -> subprocess.CompletedProcess[str]:
    """Run a CDK app with one engine and one state machine; returns how it ended."""
    app = f"""
from aws_cdk import App, Stack
from asl_engine_cdk import AslEngine, AslStateMachine, Settings
app = App(outdir={str(sources.root / "cdk.out")!r})
stack = Stack(app, "AslEngine")
engine = AslEngine(stack, "Engine", Settings(packages_directory={str(sources.packages)!r}, **{dict(settings)!r}))
AslStateMachine(stack, "Orders", engine=engine, definition_file={str(sources.definition)!r},
                definition_substitutions={{"ChargeFunction": {CHARGE!r}}})
app.synth()
"""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "infra" / "cdk"),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    return subprocess.run([sys.executable, "-c", app], env=environ, capture_output=True, text=True, check=False)


def account_endpoint() -> ThreadedMotoServer:
    """Something that answers GetCallerIdentity."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    return server
