"""One execution on a deployed engine, through the API."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.emulators import Cloud, wait_until


class StartedExecution:
    """Started when it is made."""

    def __init__(self, cloud: Cloud, state_machine_arn: str, text: str) -> None:
        self._client = cloud.step_functions_client
        self._arn = self._client.start_execution(stateMachineArn=state_machine_arn, input=text)["executionArn"]

    def events(self) -> list[dict[str, Any]]:
        """Its history."""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        return [event for page in pages for event in page["events"]]

    def is_over(self) -> bool:
        """Whether it has ended."""
        return bool(self._described()["status"] != "RUNNING")

    def succeeded(self) -> dict[str, Any]:
        """Its output, once it has ended. Raises AssertionError if not well."""
        wait_until(self.is_over, "the execution has ended")
        described = self._described()
        print(f"  {described['status']}: {described.get('output')}")
        assert described["status"] == "SUCCEEDED", self.told()
        output: dict[str, Any] = json.loads(described["output"])
        return output

    def told(self) -> str:
        """What happened last."""
        answer = self._client.get_execution_history(executionArn=self._arn, reverseOrder=True)
        return json.dumps(answer["events"][:6], default=str, indent=1)

    def _described(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.describe_execution(executionArn=self._arn)
        return found
