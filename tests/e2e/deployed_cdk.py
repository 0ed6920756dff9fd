"""The engine, deployed to the emulators from the template of CDK: what `cdk deploy` does, by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import ACCOUNT, REGION, Cloud, wait_until
from tests.e2e.functions import PYTHON, host_architecture

STACK = "AslEngine"
_BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


class DeployedCdk:
    """A stack of one engine and the state machines below a directory."""

    def __init__(self, directory: Path, definitions: Path, packages: Path, cloud: Cloud, sender: str) -> None:
        self._cloud, self._directory = cloud, directory
        settings: dict[str, Any] = {
            "packages_directory": str(packages),
            "architecture": host_architecture(),
            "runtime": f"python{PYTHON}",
            "deletion_protection": False,
            "mail_from": sender,
            "endpoints": {**cloud.endpoints, **cloud.urls},
        }
        app = f"""
from pathlib import Path
from aws_cdk import App, Environment, Stack
from asl_engine_cdk import AslEngine, AslStateMachine, Settings
app = App(outdir={str(directory)!r})
stack = Stack(app, {STACK!r}, env=Environment(account={ACCOUNT!r}, region={REGION!r}))
engine = AslEngine(stack, "Engine", Settings(**{settings!r}))
for file in {sorted(map(str, definitions.rglob("*.asl.json")))!r}:
    AslStateMachine(stack, Path(file).parent.name, engine=engine, definition_file=file)
app.synth()
"""
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "infra" / "cdk")}
        subprocess.run([sys.executable, "-c", app], env=environ, check=True, capture_output=True)

    def create(self) -> str:
        """Publish the assets and create the stack; returns the ARN of the alias. Raises RuntimeError."""
        self._publish_assets()
        formation = self._cloud.client("cloudformation")
        formation.create_stack(
            StackName=STACK,
            TemplateURL=f"{self._cloud.endpoints['AWS_ENDPOINT_URL']}/{ASSETS}/{STACK}.template.json",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        wait_until(lambda: not self._status().endswith("_IN_PROGRESS"), "the stack is created")
        if self._status() != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
            failed = [each for each in events if "FAILED" in each["ResourceStatus"]]
            raise RuntimeError(json.dumps(failed, default=str, indent=1))
        (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
        (arn,) = [each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"].startswith("mltraining")]
        return str(arn)

    def delete(self) -> None:
        """Delete the stack, and what bootstrapping had made for it."""
        self._cloud.client("cloudformation").delete_stack(StackName=STACK)
        wait_until(lambda: self._status() == "DELETE_COMPLETE", "the stack is deleted")
        s3 = self._cloud.client("s3")
        for each in s3.list_objects_v2(Bucket=ASSETS)["Contents"]:
            s3.delete_object(Bucket=ASSETS, Key=each["Key"])
        s3.delete_bucket(Bucket=ASSETS)

    def _status(self) -> str:
        from botocore.exceptions import ClientError

        try:
            (stack,) = self._cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        except ClientError:
            return "DELETE_COMPLETE"
        return str(stack["StackStatus"])

    def _publish_assets(self) -> None:
        """Put what the template names, and itself, into the bucket that `cdk bootstrap` makes."""
        s3, ssm = self._cloud.client("s3"), self._cloud.client("ssm")
        ssm.put_parameter(Name=_BOOTSTRAP_VERSION, Value="30", Type="String", Overwrite=True)
        s3.create_bucket(Bucket=ASSETS, CreateBucketConfiguration={"LocationConstraint": REGION})
        assets = json.loads((self._directory / f"{STACK}.assets.json").read_text())["files"]
        for asset in assets.values():
            for destination in asset["destinations"].values():
                file = self._directory / asset["source"]["path"]
                s3.put_object(Bucket=ASSETS, Key=destination["objectKey"], Body=file.read_bytes())
        template = self._directory / f"{STACK}.template.json"
        s3.put_object(Bucket=ASSETS, Key=template.name, Body=template.read_bytes())


def granted(cloud: Cloud) -> dict[str, set[str]]:
    """What each role of the engine may do: every action on every resource, however statements put them together."""
    iam = cloud.client("iam")
    roles = [each["RoleName"] for each in iam.list_roles()["Roles"] if each["RoleName"].startswith("asl-engine")]
    return {role: set(_grants(iam, role)) for role in roles}


def _grants(iam: Any, role: str) -> Iterator[str]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            actions, resources = _list(statement["Action"]), _list(statement["Resource"])
            condition = json.dumps(statement.get("Condition", {}), sort_keys=True)
            for action, resource in product(actions, map(_masked, resources)):
                yield f"{statement['Effect']} {action} on {resource} if {condition}"


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _masked(name: str) -> str:
    """Without what AWS makes up. What ministack takes for the ARN of a stack's secret is its name."""
    name = re.sub(r"(:execute-api:[\w-]+:\d+:)\w+", r"\1API", name)
    return re.sub(r"^arn:aws:secretsmanager:[\w-]+:\d+:secret:(.+)-\w{6}$", r"\1", name)
