"""Terraform takes the endpoint for Step Functions: it creates, changes and removes, and then has nothing to do."""

from __future__ import annotations

from pathlib import Path

from tests.server.running import RunningServer
from tests.terraform import Terraform

CONFIGURATION = Path(__file__).parent / "terraform"


def test_terraform_creates_changes_and_removes_everything(tmp_path: Path) -> None:
    server = RunningServer(None, {})
    try:
        terraform = Terraform(CONFIGURATION, tmp_path, {"endpoint": server.url})
        terraform("apply", "-auto-approve")
        [orders, _quick] = server.client().list_state_machines()["stateMachines"]
        assert (
            '"first"' in server.client().describe_state_machine(stateMachineArn=orders["stateMachineArn"])["definition"]
        )

        terraform("apply", "-auto-approve", comment="second")
        assert terraform.has_nothing_to_do(comment="second")
        described = server.client().describe_state_machine(stateMachineArn=orders["stateMachineArn"])
        assert '"second"' in described["definition"]

        terraform("destroy", "-auto-approve")
        assert server.client().list_state_machines()["stateMachines"] == []
        assert server.client().list_activities()["activities"] == []
    finally:
        server.stop()
