"""`asl approvals`: answering from the command line what a server asked."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asl_engine.approvals.approval import KIND, Approval, Delivery, Status, Vote, as_document
from asl_engine.approvals.local import LocalApprovals
from asl_engine.approvals.notice import Notice
from asl_engine.approvals.payload import read_payload
from asl_engine.json_value import JsonObject
from asl_engine.store.opening import open_store, resources_beside
from asl_engine.store.resources import created
from tests.cli.conftest import HELLO, Asl
from tests.cli.test_serve import ROLE, client, serving
from tests.server.running import running, until_ended
from tests.server.test_approval_routes import MACHINE, Local, fetch

STORE = "sqlite:store.db"


def asking(**members: Any) -> dict[str, Any]:
    machine: dict[str, Any] = json.loads(json.dumps(MACHINE))
    machine["States"]["Ask"]["Parameters"]["Payload"] |= members
    return machine


@pytest.fixture
def answered(asl: Asl) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Start an execution that asks, call `asl approvals` with these arguments and its id, and return how both ended."""

    def answer(*arguments: str, **members: Any) -> tuple[str, dict[str, Any]]:
        told: list[Notice] = []
        with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
            local = Local(server, told)
            arn = local.start(asking(**members))
            local.asked()
            (approval,) = asl.json("approvals", "list", "--store", STORE)["approvals"]
            command, *options = arguments
            result = asl("approvals", command, approval["id"][:8], "--store", STORE, *options)
            assert result.exit_code == 0, result.output
            return result.output, until_ended(local.client, arn)

    return answer


def test_approving_ends_the_task_well(answered: Callable[..., tuple[str, dict[str, Any]]]) -> None:
    told, execution = answered("approve")

    assert told == "Decided: approve. The execution has the answer.\n"
    assert execution["status"] == "SUCCEEDED"
    output = json.loads(execution["output"])
    assert output["choice"] == "approve"
    assert output["decidedBy"][0].startswith("ada@example.com (asl approvals, ")
    assert output["votes"][0]["via"] == "cli"


def test_rejecting_fails_it(answered: Callable[..., tuple[str, dict[str, Any]]]) -> None:
    fields = [{"name": "comment", "label": "Comment", "requiredFor": ["reject"]}]
    told, execution = answered("reject", "--field", "comment=too slow", form=fields)

    assert "Decided: reject" in told
    assert execution["error"] == "ApprovalRejected"
    assert json.loads(execution["cause"])["form"] == {"comment": "too slow"}


def test_what_is_asked_is_listed_and_shown(asl: Asl, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Notice] = []
    people = ["ada@example.com", "bo@example.com"]
    fields = [{"name": "comment", "label": "Comment", "required": True}]
    with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        local.start(asking(approvers=people, message="Please look.", deadline="2100-01-01T00:00:00Z", form=fields))
        local.asked()
        listed = asl("approvals", "list", "--store", STORE).output
        (approval,) = asl.json("approvals", "list", "--store", STORE)["approvals"]
        shown = asl("approvals", "show", approval["id"], "--store", STORE).output

        assert "Deploy model 7?" in listed
        for text in ("Deploy model 7?   OPEN", "Please look.", "accuracy: 0.94", "ada@example.com, bo@example.com"):
            assert text in shown
        assert "Choices: approve, reject\n  --field comment=…   Comment (text, needed for approve, reject)\n" in shown
        assert "taskToken" not in json.dumps(asl.json("approvals", "show", approval["id"], "--store", STORE))

        refused = asl("approvals", "approve", approval["id"], "--store", STORE)
        assert (refused.exit_code, "--field comment=… must be filled in" in refused.stderr) == (2, True)
        field = ("--field", "comment=fine")
        refused = asl("approvals", "approve", approval["id"], "--store", STORE, *field)
        assert (refused.exit_code, "say whose answer it is with --as" in refused.stderr) == (2, True)
        asl("approvals", "approve", approval["id"], "--store", STORE, *field, "--as", "BO@example.com")
        assert "No approvals" not in asl("approvals", "list", "--store", STORE, "--all").output
        again = asl("approvals", "approve", approval["id"], "--store", STORE, *field, "--as", "bo@example.com")
        assert (again.exit_code, "it has been decided" in again.stderr) == (2, True)
        assert "Nothing waits for approval." in asl("approvals", "list", "--store", STORE).output


def kept(approval_id: str, created_at: int, **members: Any) -> Approval:
    payload: JsonObject = {"title": "Deploy?", "approvers": ["ada@example.com", "bo@example.com"], "quorum": 2}
    votes = (Vote(recipient_id="ada", by="Ada", choice="approve", at=0, via="page", form={"comment": "fine"}),)
    return Approval(
        id=approval_id,
        payload=payload,
        request=read_payload(payload),
        task_token="token",
        created_at=created_at,
        votes=votes,
        **members,
    )


def test_how_an_approval_stands_is_shown_and_the_newest_is_listed_first(asl: Asl) -> None:
    (asl.directory / "hello.asl.json").write_text(json.dumps(HELLO))
    asl("run", "hello.asl.json", "--store", STORE)

    async def keep() -> None:
        store = open_store(STORE)
        given_up = kept("abc", 1, status=Status.DECIDED, choice="approve", delivery=Delivery.GIVEN_UP)
        for approval in (given_up, kept("abd", 2)):
            await resources_beside(store).write(created(KIND, approval.id, as_document(approval)))
        await store.close()

    asyncio.run(keep())
    shown = asl("approvals", "show", "abc", "--store", STORE).output
    assert "2 equal answers decide. So far: 1 for Approve.\n" in shown
    assert 'Ada: approve {"comment":"fine"}\n' in shown
    assert "the workflow could not be told" in shown
    listed = asl.json("approvals", "list", "--all", "--store", STORE)["approvals"]
    assert [approval["id"] for approval in listed] == ["abd", "abc"]


def test_an_answer_while_no_server_runs_says_who_goes_on(asl: Asl) -> None:
    told: list[Notice] = []
    with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        local.start(asking())
        local.asked()
        (approval,) = asl.json("approvals", "list", "--store", STORE)["approvals"]

    answer = asl("approvals", "approve", approval["id"], "--store", STORE).output
    assert "The execution has the answer. Nobody runs it now: `asl serve` goes on with what is open." in answer


def test_what_cannot_be_meant_is_refused_with_a_way_out(asl: Asl) -> None:
    with running(asl.directory / "store.db"):
        for arguments, expected in [
            (("show", "nothing"), "`asl approvals list` shows what waits"),
            (("approve", "nothing"), "no single approval's id begins with 'nothing'"),
        ]:
            refused = asl("approvals", *arguments, "--store", STORE)
            assert refused.exit_code == 2
            assert expected in refused.stderr


def test_a_store_without_executions_is_told(asl: Asl, tmp_path: Path) -> None:
    refused = asl("approvals", "list", "--store", f"sqlite:{tmp_path / 'none.db'}")
    assert refused.exit_code == 2
    assert "no executions are kept" in refused.stderr


def test_the_servers_page_shows_at_once_what_was_decided_here(asl: Asl) -> None:
    told: list[Notice] = []
    with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        local.start(asking())
        links = local.asked().links
        assert links is not None
        assert "<form" in fetch(links.page, None).body
        (approval,) = asl.json("approvals", "list", "--store", STORE)["approvals"]
        asl("approvals", "approve", approval["id"], "--store", STORE)

        assert "Decided: Approve" in fetch(links.page, None).body


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_an_answer_that_came_too_late_is_told(asl: Asl, command: str) -> None:
    told: list[Notice] = []
    with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        arn = local.start(asking())
        local.asked()
        local.client.stop_execution(executionArn=arn)
        assert asl.json("approvals", "list", "--store", STORE)["approvals"] == []
        (approval,) = asl.json("approvals", "list", "--all", "--store", STORE)["approvals"]
        assert approval["status"] == "EXPIRED"
        late = asl("approvals", command, approval["id"], "--store", STORE)

    assert (late.exit_code, "the answer came too late" in late.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--choice", "later"], "the approval offers these choices: approve, reject"),
        (["--field", "comment"], "--field is written as NAME=VALUE"),
        (["--field", "coment=x"], "the approval has no field called 'coment'; did you mean \"comment\"?"),
        (["--as", "nobody"], "say whose answer it is with --as: ada@example.com"),
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused(asl: Asl, arguments: list[str], expected: str) -> None:
    told: list[Notice] = []
    with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        local.start(asking(form=[{"name": "comment"}]))
        local.asked()
        (approval,) = asl.json("approvals", "list", "--store", STORE)["approvals"]
        refused = asl("approvals", "approve", approval["id"], "--store", STORE, *arguments)

    assert (refused.exit_code, expected in refused.stderr) == (2, True)


def test_no_text_of_a_definition_commands_the_terminal(asl: Asl) -> None:
    attack = "fine\x1b[2J\x9b\r\nDecided: approve"
    told: list[Notice] = []
    with running(asl.directory / "store.db", approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        local.start(
            asking(title=attack, message=attack, details={attack: attack}, form=[{"name": "f", "label": attack}])
        )
        local.asked()
        listed = asl("approvals", "list", "--store", STORE).output
        (approval,) = asl.json("approvals", "list", "--store", STORE)["approvals"]
        shown = asl("approvals", "show", approval["id"], "--store", STORE).output

    for output in (listed, shown):
        assert "fine\\x1b[2J\\x9b" in output
        assert {character for character in output if not character.isprintable()} == {"\n"}
    assert len(listed.splitlines()) == 2


def test_the_server_prints_the_links_in_its_terminal(asl: Asl) -> None:
    with serving(asl.directory) as (process, url):
        steps = client(url)
        definition = json.dumps(asking(subject="Deploy\x1b[2J\u0085model 7?"))
        machine = steps.create_state_machine(name="approval", definition=definition, roleArn=ROLE)
        arn = steps.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        assert process.stdout is not None
        told = ""
        while "Reject " not in told:
            told += process.stdout.readline()
        assert f"mail is captured at {url}/outbox" in told
        assert "Deploy\\x1b[2J model 7?   to ada@example.com" in told
        link = re.search(rf"  Approve +({url}/approvals/\S+)", told)
        assert link
        nonce = re.search(r'name="nonce" value="([^"]+)"', fetch(link[1], None).body)
        assert nonce
        fetch(link[1], {"nonce": nonce[1], "choice": "approve"})
        assert until_ended(steps, arn)["status"] == "SUCCEEDED"


def test_another_notifier_may_be_named(asl: Asl) -> None:
    with serving(asl.directory, "--notifier", "ask-people") as (_process, url):
        steps = client(url)
        machine = steps.create_state_machine(name="approval", definition=json.dumps(asking()), roleArn=ROLE)
        arn = steps.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        assert until_ended(steps, arn)["error"] == "States.Runtime"
