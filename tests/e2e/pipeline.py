"""The ML training pipeline with an approval by mail, on a deployed engine."""

from __future__ import annotations

import json
import re
import runpy
import tempfile
import urllib.request
from itertools import zip_longest
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

import asl_engine
from tests.approvals.chromium import chromium, next_page
from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import ACCOUNT, Cloud, wait_until
from tests.e2e.execution import StartedExecution
from tests.e2e.histories import comparable

MACHINE = ROOT / "state_machines" / "ml-training"
APPROVER = "ml-lead@example.com"
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/approvals\S+")


class PipelineRun:
    """One execution, started when it is made, with the example's own input."""

    def __init__(self, cloud: Cloud, state_machine_arn: str) -> None:
        self._cloud = cloud
        self._mails_before = len(self._links())
        text = (MACHINE / "inputs" / "approved.json").read_text(encoding="utf-8")
        self._execution = StartedExecution(cloud, state_machine_arn, text)

    def approve(self) -> None:
        """Wait for the mail, open its link in a browser, and press the button."""
        wait_until(lambda: self._link() or self._execution.is_over(), "a mail asks for the approval")
        link = self._link()
        assert link is not None, f"the execution ended before anybody was asked: {self._execution.told()}"
        print(f"  the mail links to {link.partition('?')[0][:60]}…")
        with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as window:
            window.get(link)
            print(f"  the page asks: {window.find_element(By.TAG_NAME, 'h1').text}")
            with next_page(window):
                window.find_element(By.CSS_SELECTOR, "button[value=approve]").click()
            print(f"  and answers: {window.find_element(By.TAG_NAME, 'h1').text}")

    def finish(self) -> None:
        """See the end: nothing is lost, and the history is that of a run on a laptop."""
        self._execution.succeeded()
        expected, found = _local_history(), comparable(self._execution.events())
        differing = [pair for pair in zip_longest(found, expected) if pair[0] != pair[1]]
        assert not differing, json.dumps(differing, indent=1)
        print(f"  its {len(expected)} history events are those of a local run, with all inputs and outputs")

    def _link(self) -> str | None:
        """The link of the mail that came since the start."""
        return next(iter(self._links()[self._mails_before :]), None)

    def _links(self) -> list[str]:
        url = f"http://127.0.0.1:{self._cloud.ministack}/_ministack/ses/messages"
        with urllib.request.urlopen(url) as answer:
            messages = json.loads(answer.read())["messages"].get(ACCOUNT, [])
        found = [_LINK.search(message["BodyText"]) for message in messages if message["To"] == [APPROVER]]
        return [link[0] for link in found if link]


def _local_history() -> list[Any]:
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
