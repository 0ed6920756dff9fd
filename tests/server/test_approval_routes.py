"""Approvals on the local server: a task asks, a person follows the link of a captured mail, the execution goes on."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from asl_engine.approvals.approval import Approval, Delivery, Vote
from asl_engine.approvals.desk import ApprovalDesk
from asl_engine.approvals.local import LocalApprovals
from asl_engine.approvals.notice import Notice
from asl_engine.store.opening import resources_beside
from asl_engine.store.sqlite import SqliteStore
from tests.server.running import RunningServer, running, until_ended

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/tests"
PAYLOAD = {
    "taskToken.$": "$$.Task.Token",
    "title": "Deploy model 7?",
    "details": {"accuracy": 0.94},
    "approvers": ["ada@example.com"],
}
MACHINE = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:team-notifier:live",
                "Payload": PAYLOAD,
            },
            "TimeoutSeconds": 3600,
            "End": True,
        }
    },
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: Any


class Local:
    """A server that asks for approval, and a browser of sorts."""

    def __init__(self, server: RunningServer, told: list[Notice]) -> None:
        self.server, self.told = server, told
        self.client = server.client()

    def start(self, machine: dict[str, Any]) -> str:
        made = self.client.create_state_machine(name="approval", definition=json.dumps(machine), roleArn=ROLE)
        return str(self.client.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"])

    def asked(self) -> Notice:
        """The first notice, once it has come."""
        while not self.told:
            self.client.list_state_machines()
        return self.told[0]

    def get(self, path: str, **headers: str) -> Answer:
        return fetch(self.server.url + path, None, **headers)


def fetch(url: str, fields: dict[str, str] | None, **headers: str) -> Answer:
    data = urlencode(fields).encode() if fields is not None else None
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return Answer(response.status, response.read().decode(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers)


@pytest.fixture
def local() -> Iterator[Local]:
    told: list[Notice] = []
    with running(approvals=LocalApprovals(told.append)) as server:
        yield Local(server, told)


def test_a_task_asks_and_the_link_of_its_mail_answers_it(local: Local) -> None:
    arn = local.start(MACHINE)
    links = local.asked().links
    assert links is not None

    shown = fetch(links.page, None)
    nonce = re.search(r'name="nonce" value="([^"]+)"', shown.body)
    assert nonce
    decided = fetch(links.page, {"nonce": nonce[1], "choice": "approve"})

    assert decided.status == 200
    assert "Decided: Approve" in decided.body
    described = until_ended(local.client, arn)
    assert described["status"] == "SUCCEEDED"
    assert json.loads(described["output"])["choice"] == "approve"


def test_the_token_appears_only_where_step_functions_puts_it_too(local: Local) -> None:
    """The history has it in the parameters of the task that asked, as on AWS, and nowhere else."""
    arn = local.start(MACHINE)
    links = local.asked().links
    assert links is not None
    history = local.client.get_execution_history(executionArn=arn)["events"]
    scheduled = next(event for event in history if event["type"] == "TaskScheduled")
    token = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])["Payload"]["taskToken"]

    others = json.dumps([event for event in history if event is not scheduled], default=str)
    assert token not in others
    assert token not in links.page + local.get("/outbox/1").body


def test_the_outbox_lists_and_shows_captured_mail(local: Local) -> None:
    assert "No mail yet" in local.get("/outbox").body
    local.start(MACHINE)
    links = local.asked().links
    assert links is not None

    listed = local.get("/outbox")
    assert "Deploy model 7?" in listed.body
    assert "ada@example.com" in listed.body
    shown = local.get("/outbox/1")
    assert f'<a href="{links.page}">' in shown.body
    assert "accuracy: 0.94" in shown.body
    as_html = local.get("/outbox/1/html")
    assert as_html.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert local.get("/outbox/2").status == 404


def test_another_sites_name_that_points_here_does_not_open_the_outbox(local: Local) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", local.server.port)
    connection.request("GET", "/outbox", headers={"Host": "attacker.example.com"})
    assert connection.getresponse().status == 404
    connection.close()


def test_with_an_access_token_the_outbox_wants_it_and_links_do_not() -> None:
    told: list[Notice] = []
    with running(approvals=LocalApprovals(told.append), access_token="open sesame") as server:
        local = Local(server, told)
        assert local.get("/outbox").status == 401
        for wrong in ("Basic !", "Basic " + base64.b64encode(b"me:wrong").decode(), "Bearer wrong"):
            assert local.get("/outbox", Authorization=wrong).status == 401
        basic = "Basic " + base64.b64encode(b"me:open sesame").decode()
        assert local.get("/outbox", Authorization=basic).status == 200
        assert local.get("/outbox", Authorization="Bearer open sesame").status == 200
        assert local.get("/approvals/a.b.c").status == 403  # the page's own refusal: no link of ours


def test_links_outlive_the_server(tmp_path: Path) -> None:
    told: list[Notice] = []
    store = tmp_path / "store.db"
    with running(store, approvals=LocalApprovals(told.append)) as server:
        arn = Local(server, told).start(MACHINE)
        links = Local(server, told).asked().links
    assert links is not None

    with running(store, approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        path = links.page.partition("/approvals/")[2]
        url = f"{server.url}/approvals/{path}"
        nonce = re.search(r'name="nonce" value="([^"]+)"', fetch(url, None).body)
        assert nonce
        assert fetch(url, {"nonce": nonce[1], "choice": "reject"}).status == 200
        described = until_ended(local.client, arn)
        assert (described["status"], described["error"]) == ("FAILED", "ApprovalRejected")


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_link_says_at_once_that_its_execution_was_stopped(local: Local, is_shared: bool) -> None:
    machine = json.loads(json.dumps(MACHINE))
    if is_shared:
        payload = machine["States"]["Ask"]["Parameters"]["Payload"]
        payload |= {"approvalId": "ship", "execution.$": "$$.Execution.Id"}
    arn = local.start(machine)
    links = local.asked().links
    assert links is not None
    nonce = re.search(r'name="nonce" value="([^"]+)"', fetch(links.page, None).body)
    assert nonce
    local.client.stop_execution(executionArn=arn)

    for answer in (fetch(links.page, None), fetch(links.page, {"nonce": nonce[1], "choice": "approve"})):
        assert answer.status == 410
        assert "The workflow no longer waits for this" in answer.body


class _NoRoute:
    """Answers that reach nobody, as those of a process that died."""

    async def is_waited_for(self, approval: Approval) -> bool:
        return True

    async def send_task_success(self, task_token: str, output: str) -> None:
        raise ConnectionError("no route")

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        raise ConnectionError("no route")


def test_a_decision_that_the_task_was_not_told_of_is_sent_when_the_store_is_served_again(tmp_path: Path) -> None:
    told: list[Notice] = []
    path = tmp_path / "store.db"
    with running(path, approvals=LocalApprovals(told.append)) as server:
        arn = Local(server, told).start(MACHINE)
        Local(server, told).asked()

    async def decide() -> None:
        store = SqliteStore(path)
        desk = ApprovalDesk(resources_beside(store), _NoRoute(), lambda: 0)
        (approval,) = await desk.all()
        vote = Vote(recipient_id=approval.approvers[0].id, by="Ada", choice="approve", at=0, via="page")
        assert (await desk.vote(approval.id, vote)).approval.delivery is Delivery.DUE
        await store.close()

    asyncio.run(decide())
    with running(path, approvals=LocalApprovals(told.append)) as server:
        assert until_ended(server.client(), arn)["status"] == "SUCCEEDED"


def test_a_payload_that_cannot_be_used_fails_the_task_with_every_problem(local: Local) -> None:
    machine = json.loads(json.dumps(MACHINE))
    machine["States"]["Ask"]["Parameters"]["Payload"] = {"taskToken.$": "$$.Task.Token", "tilte": "?", "quorum": 0}
    described = until_ended(local.client, local.start(machine))

    assert described["error"] == "InvalidApprovalRequest"
    for problem in ('/tilte: is not known; did you mean "title"?', "/quorum: must be", "/approvers: nobody is asked"):
        assert problem in json.loads(described["cause"])["errorMessage"]


@pytest.mark.parametrize(
    ("function", "name", "expected"),
    [
        ("notifier", "notifier", True),
        ("arn:aws:lambda:eu-west-1:123456789012:function:asl-notifier:live", "notifier", True),
        ("mynotifier", "notifier", False),
        ("notifier-2", "notifier", False),
        ("ask", "ask", True),
        ("notifier", "", False),
    ],
)
def test_which_functions_are_taken_for_the_notifier(function: str, name: str, expected: bool, local: Local) -> None:
    machine = json.loads(json.dumps(MACHINE))
    machine["States"]["Ask"]["Parameters"]["FunctionName"] = function
    told: list[Notice] = []
    with running(approvals=LocalApprovals(told.append, name)) as server:
        other = Local(server, told)
        arn = other.start(machine)
        if expected:
            assert other.asked().request.title == "Deploy model 7?"
        else:
            assert until_ended(other.client, arn)["error"] == "States.Runtime"


def test_the_approval_gate_runs_as_a_nested_state_machine(local: Local) -> None:
    """The person answers the gate, and the Task that started it goes on with what the gate says."""
    definition = (ROOT / "state_machines" / "approval-gate" / "definition.asl.json").read_text(encoding="utf-8")
    gate = local.client.create_state_machine(name="approval-gate", definition=definition, roleArn=ROLE)
    gate_input = {
        "title": "Deploy model 7?",
        "ladder": [{"approvers": ["ada@example.com"], "hours": 4}],
        "alert": {"approvers": ["ops@example.com"]},
    }
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": gate["stateMachineArn"], "Input": gate_input},
        "OutputPath": "$.Output",
        "TimeoutSeconds": 100_000,
        "End": True,
    }
    arn = local.start({"StartAt": "Approve", "States": {"Approve": task}})
    links = local.asked().links
    assert links is not None
    nonce = re.search(r'name="nonce" value="([^"]+)"', fetch(links.page, None).body)
    assert nonce
    fetch(links.page, {"nonce": nonce[1], "choice": "approve"})

    output = json.loads(until_ended(local.client, arn)["output"])
    assert (output["approved"], output["decidedBy"]) == (True, ["ada@example.com"])


def test_an_answer_to_an_execution_that_stopped_waiting_is_told(local: Local) -> None:
    arn = local.start(MACHINE)
    links = local.asked().links
    assert links is not None
    nonce = re.search(r'name="nonce" value="([^"]+)"', fetch(links.page, None).body)
    assert nonce
    local.client.stop_execution(executionArn=arn)

    told = fetch(links.page, {"nonce": nonce[1], "choice": "approve"})
    assert told.status == 410
    assert "The workflow no longer waits for this" in told.body


def test_a_body_without_end_is_refused(local: Local) -> None:
    local.start(MACHINE)
    links = local.asked().links
    assert links is not None
    assert fetch(links.page, {"nonce": "x" * 3_000_000}).status == 400
