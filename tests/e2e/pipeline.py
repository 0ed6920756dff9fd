"""The ML training pipeline with an approval by mail, on a deployed engine."""

from __future__ import annotations

import json
import re
import runpy
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

import asl_engine
from tests.approvals.chromium import chromium, next_page
from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import ACCOUNT, Cloud, wait_until
from tests.e2e.histories import comparable

MACHINE = ROOT / "state_machines" / "ml-training"
APPROVER = "ml-lead@example.com"
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/approvals\S+")


class PipelineRun:
    """One execution."""

    def __init__(self, cloud: Cloud, alias_arn: str) -> None:
        self._cloud, self._alias_arn = cloud, alias_arn
        self._arn, self._mails_before = "", 0

    def start(self) -> None:
        """Start it with the example's own input."""
        text = (MACHINE / "inputs" / "approved.json").read_text(encoding="utf-8")
        self._mails_before = len(self._links())
        client = self._cloud.step_functions_client
        self._arn = client.start_execution(stateMachineArn=self._alias_arn, input=text)["executionArn"]

    def history(self) -> list[Any]:
        """All events, to be compared."""
        client = self._cloud.step_functions_client
        pages = client.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        return comparable([event for page in pages for event in page["events"]])

    def approve(self) -> None:
        """Wait for the mail, open its link in a browser, and press the button."""
        wait_until(lambda: self._link() or self._is_over(), "a mail asks for the approval")
        link = self._link()
        assert link is not None, f"the execution ended before anybody was asked: {self.told()}"
        print(f"  the mail links to {link.partition('?')[0][:60]}…")
        with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as window:
            window.get(link)
            print(f"  the page asks: {window.find_element(By.TAG_NAME, 'h1').text}")
            with next_page(window):
                window.find_element(By.CSS_SELECTOR, "button[value=approve]").click()
            print(f"  and answers: {window.find_element(By.TAG_NAME, 'h1').text}")

    def ended(self) -> dict[str, Any]:
        """The execution, once it has ended."""
        wait_until(self._is_over, "the execution has ended")
        return self._described()

    def told(self) -> str:
        """What happened last."""
        answer = self._cloud.step_functions_client.get_execution_history(executionArn=self._arn, reverseOrder=True)
        return json.dumps(answer["events"][:6], default=str, indent=1)

    def _described(self) -> dict[str, Any]:
        found: dict[str, Any] = self._cloud.step_functions_client.describe_execution(executionArn=self._arn)
        return found

    def _is_over(self) -> bool:
        return bool(self._described()["status"] != "RUNNING")

    def _link(self) -> str | None:
        """The link of the mail that came since the start."""
        return next(iter(self._links()[self._mails_before :]), None)

    def _links(self) -> list[str]:
        url = f"http://127.0.0.1:{self._cloud.ministack}/_ministack/ses/messages"
        with urllib.request.urlopen(url) as answer:
            messages = json.loads(answer.read())["messages"].get(ACCOUNT, [])
        found = [_LINK.search(message["BodyText"]) for message in messages if message["To"] == [APPROVER]]
        return [link[0] for link in found if link]


def local_history() -> list[Any]:
    """The same of the run that `asl run` makes of the definition here, under virtual time."""
    tasks = {**runpy.run_path(str(MACHINE / "tasks.py"))["TASKS"], "asl-engine-notifier": _approve}
    execution_input = json.loads((MACHINE / "inputs" / "approved.json").read_text())
    result = asl_engine.run(MACHINE / "definition.asl.json", execution_input, tasks=tasks)
    assert result.status == "SUCCEEDED", result.cause
    return comparable(result.history)


def _approve(_event: object, context: Any) -> None:
    """All that the notifier and the page answer with: what a vote holds is not for the stand-in of an example."""
    answer: dict[str, Any] = {"choice": "approve", "form": {}}
    vote = {**answer, "by": APPROVER, "at": "", "via": "page"}
    context.send_task_success(
        {**answer, "status": "DECIDED", "decidedBy": [APPROVER], "decidedAt": "", "votes": [vote]}
    )
