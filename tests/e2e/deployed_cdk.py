"""The engine, deployed to the emulators from the template of CDK: what `cdk deploy` does, by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import ACCOUNT, ENGINE_TIMEOUT_SECONDS, REGION, Cloud, wait_until
from tests.e2e.functions import PYTHON, host_architecture

STACK = "AslEngine"
_BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
_UNDER_WAY = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


class DeployedCdk:
    """A stack of one engine and the state machines below a directory."""

    tool = "CDK"

    def __init__(self, directory: Path, definitions: Path, packages: Path, cloud: Cloud, sender: str) -> None:
        self._cloud, self._directory = cloud, directory
        settings: dict[str, Any] = {
            "packages_directory": str(packages),
            "architecture": host_architecture(),
            "runtime": f"python{PYTHON}",
            "deletion_protection": False,
            "mail_from": sender,
            "engine_timeout_seconds": ENGINE_TIMEOUT_SECONDS,
            "endpoints": {**cloud.endpoints, **cloud.settings},
        }
        self._app = f"""
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

    def create(self) -> None:
        """See Deployment."""
        s3, ssm = self._cloud.client("s3"), self._cloud.client("ssm")
        ssm.put_parameter(Name=_BOOTSTRAP_VERSION, Value="30", Type="String", Overwrite=True)
        s3.create_bucket(Bucket=ASSETS, CreateBucketConfiguration={"LocationConstraint": REGION})
        changes = self._planned("CREATE")
        assert changes["Status"] == "CREATE_COMPLETE", changes
        formation = self._cloud.client("cloudformation")
        formation.execute_change_set(StackName=STACK, ChangeSetName=changes["ChangeSetName"])
        wait_until(lambda: self._status() not in _UNDER_WAY, "the stack is created")
        if self._status() != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
            failed = [each for each in events if "FAILED" in each["ResourceStatus"]]
            raise RuntimeError(json.dumps(failed, default=str, indent=1))

    def state_machine_arn(self, name: str) -> str:
        """See Deployment."""
        (stack,) = self._cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        prefix = name.replace("-", "")
        (arn,) = [each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"].startswith(prefix)]
        return str(arn)

    def check_unchanged(self) -> None:
        """See Deployment. What is synthesized anew must be the same to CloudFormation."""
        changes = self._planned("UPDATE")
        assert not changes["Changes"], json.dumps(changes["Changes"], indent=1)
        assert changes["Status"] == "FAILED", changes
        assert "didn't contain changes" in changes["StatusReason"], changes["StatusReason"]

    def destroy(self) -> None:
        """See Deployment. What bootstrapping had made goes as well."""
        self._cloud.client("cloudformation").delete_stack(StackName=STACK)
        wait_until(lambda: self._status() == "DELETE_COMPLETE", "the stack is deleted")
        s3 = self._cloud.client("s3")
        for each in s3.list_objects_v2(Bucket=ASSETS)["Contents"]:
            s3.delete_object(Bucket=ASSETS, Key=each["Key"])
        s3.delete_bucket(Bucket=ASSETS)

    def _planned(self, kind: str) -> dict[str, Any]:
        """The change set to what the app is now, described."""
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "infra" / "cdk")}
        subprocess.run([sys.executable, "-c", self._app], env=environ, check=True, capture_output=True)
        self._publish_assets()
        formation, names = self._cloud.client("cloudformation"), {"StackName": STACK, "ChangeSetName": kind.lower()}
        formation.create_change_set(
            **names,
            ChangeSetType=kind,
            TemplateURL=f"{self._cloud.endpoints['AWS_ENDPOINT_URL']}/{ASSETS}/{STACK}.template.json",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        wait_until(lambda: formation.describe_change_set(**names)["Status"] not in _UNDER_WAY, "the change set is made")
        found: dict[str, Any] = formation.describe_change_set(**names)
        return found

    def _status(self) -> str:
        from botocore.exceptions import ClientError

        try:
            (stack,) = self._cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        except ClientError:
            return "DELETE_COMPLETE"
        return str(stack["StackStatus"])

    def _publish_assets(self) -> None:
        """Put what the template names, and itself, into the bucket that `cdk bootstrap` makes."""
        s3 = self._cloud.client("s3")
        assets = json.loads((self._directory / f"{STACK}.assets.json").read_text())["files"]
        for asset in assets.values():
            for destination in asset["destinations"].values():
                file = self._directory / asset["source"]["path"]
                s3.put_object(Bucket=ASSETS, Key=destination["objectKey"], Body=file.read_bytes())
        template = self._directory / f"{STACK}.template.json"
        s3.put_object(Bucket=ASSETS, Key=template.name, Body=template.read_bytes())
