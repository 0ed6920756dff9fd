"""The ML training pipeline with an approval by mail, on a deployed engine."""

from __future__ import annotations

import json
import re
import runpy
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

import asl_engine
from tests.approvals.chromium import chromium, next_page
from tests.architecture.source_tree import ROOT
from tests.e2e.emulators import ACCOUNT, Cloud, wait_until

MACHINE = ROOT / "state_machines" / "ml-training"
APPROVER = "ada@example.com"
_SECONDS_MAX = 300  # a killed engine's message comes back after a minute, and three are killed
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/approvals\S+")


def write_definitions(directory: Path) -> None:
    """The example as it is, except that the approval is asked for by the engine's own notifier."""
    definition = json.loads((MACHINE / "definition.asl.json").read_text(encoding="utf-8"))
    definition["States"]["RequestApproval"]["Arguments"] = {
        "FunctionName": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${AslEngineName}-notifier",
        "Payload": {
            "taskToken": "{% $states.context.Task.Token %}",
            "title": "{% 'Deploy ' & $champion.variant & '?' %}",
            "details": [{"label": "Accuracy", "value": "{% $champion.accuracy %}"}],
            "approvers": [{"name": "Ada", "email": APPROVER}],
        },
    }
    definition["States"]["RequestApproval"]["Assign"] = {"approved_by": "{% $states.result.decidedBy %}"}
    # One variant after the other: then histories can be compared.
    definition["States"]["TrainVariants"]["MaxConcurrency"] = 1
    directory.mkdir(parents=True)
    (directory / "ml-training.asl.json").write_text(json.dumps(definition, indent=2), encoding="utf-8")


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

    def is_training(self) -> bool:
        """Whether it has come to the first variant."""
        return ("TaskStateEntered", "TrainVariant") in self.history()

    def history(self) -> list[tuple[str, str]]:
        """The types of all events, with the names of states; without those whose place is chance."""
        client = self._cloud.step_functions_client
        pages = client.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        return _masked([event for page in pages for event in page["events"]])

    def approve(self) -> None:
        """Wait for the mail, open its link in a browser, and press the button."""
        wait_until(lambda: self._link() or self._is_over(), "a mail asks for the approval", _SECONDS_MAX)
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
        wait_until(self._is_over, "the execution has ended", _SECONDS_MAX)
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


def local_history(definition: Path) -> list[tuple[str, str]]:
    """The same of the run that `asl run` makes of the definition here, under virtual time."""
    tasks = {**runpy.run_path(str(MACHINE / "tasks.py"))["TASKS"], "RequestApproval": _approve_at_once}
    result = asl_engine.run(definition, json.loads((MACHINE / "inputs" / "approved.json").read_text()), tasks=tasks)
    assert result.status == "SUCCEEDED", result.cause
    return _masked(result.history)


def _approve_at_once(_event: object, context: Any) -> None:
    context.send_task_success({"decidedBy": ["Ada"]})


def _masked(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A task may be answered before it is known to have been submitted."""
    return [(event["type"], _state_name(event)) for event in events if event["type"] != "TaskSubmitted"]


def _state_name(event: Mapping[str, Any]) -> str:
    details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
    return str(details.get("name", ""))
