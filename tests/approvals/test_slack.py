"""Slack: what is sent, whose click counts, and what the message says afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from asl_engine.approvals.approval import Delivery, Status
from asl_engine.approvals.slack_channel import SlackChannel
from asl_engine.approvals.slack_text import message_after
from asl_engine.errors import InvalidApprovalRequest, NotificationFailed, StoreUnavailable
from asl_engine.store.resources import Change
from tests.approvals.office import BASE_URL, BO, NOON, Office, asking, heading_of, run
from tests.approvals.posting import Posted
from tests.approvals.skipping import run_timed
from tests.approvals.slack import RESPONSE_URL, click, posted

PEOPLE: list[Any] = [{"name": "Ada", "slack": "U1"}, {"name": "Bo", "slack": "U2", "email": BO}]


class Workspace:
    """An office with Slack, by bot token unless a webhook is given."""

    def __init__(self, **channel: str) -> None:
        self.sent = Posted()
        slack = SlackChannel(**(channel or {"bot_token": "xoxb-1"}), post=self.sent)
        self.office = Office(channels={"slack": slack})

    def ask(self, **members: Any) -> None:
        self.office.ask(**{"approvers": PEOPLE, "channels": ["slack"], **members})

    def buttons(self, message: int = 0) -> dict[str, Any]:
        """The buttons of a message that was sent, by their texts."""
        actions = next(block for block in self.sent.messages[message]["blocks"] if block["type"] == "actions")
        return {button["text"]["text"]: button for button in actions["elements"]}

    def click(self, button: dict[str, Any], user: str, **options: Any) -> Any:
        """Click it; what Slack is then told to show."""
        body = click(button["value"], user, **{"action_id": button["action_id"], **options})
        answer = run(self.office.pages.handle(posted(body, self.office.now() // 1000)))
        assert (answer.status, answer.body) == (200, "")
        return self.office.posted.messages[-1] if self.office.posted.requests else None


def test_each_approver_gets_a_message_with_buttons_of_their_own() -> None:
    workspace = Workspace()
    workspace.ask(title="Ship <it> & go?", message="*Now*", details={"accuracy": 0.94})
    (url, _, headers), _ = workspace.sent.requests
    assert url == "https://slack.com/api/chat.postMessage"
    assert headers["Authorization"] == "Bearer xoxb-1"
    first, second = workspace.sent.messages
    assert (first["channel"], second["channel"]) == ("U1", "U2")
    assert first["text"] == "Ship &lt;it&gt; &amp; go?"
    assert first["blocks"][0]["text"] == {"type": "plain_text", "text": "Ship <it> & go?", "emoji": False}
    assert first["blocks"][2]["fields"] == [{"type": "mrkdwn", "text": "*accuracy*\n0.94", "verbatim": True}]
    assert list(workspace.buttons()) == ["Approve", "Reject", "Open the page"]
    assert workspace.buttons()["Approve"]["value"] != workspace.buttons(1)["Approve"]["value"]


def test_what_a_definition_says_cannot_mention_everybody() -> None:
    workspace = Workspace()
    attack = "<!channel> & <https://evil.example.com|click>"
    workspace.ask(title=attack, message=attack, details={"<!here>": "<@U9>"})
    answered = workspace.click(workspace.buttons()["Approve"], "U1")
    messages = [*workspace.sent.messages, answered]
    for message in messages:
        for block in message["blocks"]:
            if block["type"] == "header":
                block["text"]["text"] = ""  # plain text, of which Slack makes nothing
        texts = [block["text"] for block in message["blocks"] if block["type"] == "section" and "text" in block]
        assert all(text["verbatim"] for text in texts)  # nor a link of what looks like one
    shown = json.dumps(messages)
    assert "<!channel>" not in shown
    assert "&lt;!channel&gt; &amp; &lt;https:" in shown
    assert "<@U9>" not in shown


def test_a_click_decides_and_the_message_says_who_did() -> None:
    workspace = Workspace()
    workspace.ask()
    told = workspace.click(workspace.buttons()["Approve"], "U1")

    assert workspace.office.posted.requests[0][0] == RESPONSE_URL
    assert told["replace_original"] is True
    said = told["blocks"][-1]["text"]["text"]
    assert "Decided: *Approve*" in said
    assert "*Ada*: Approve" in said
    ((_, error, output),) = workspace.office.tasks.answers
    assert (error, output["decidedBy"], output["votes"][0]["via"]) == ("", ["Ada"], "slack")


def test_a_second_click_is_told_how_it_was_decided() -> None:
    workspace = Workspace()
    workspace.ask()
    workspace.click(workspace.buttons()["Approve"], "U1")
    told = workspace.click(workspace.buttons(1)["Reject"], "U2")

    assert "Decided: *Approve*" in told["blocks"][-1]["text"]["text"]
    assert len(workspace.office.tasks.answers) == 1


@pytest.mark.parametrize("user", ["U9", "U2"])
def test_somebody_elses_button_is_refused(user: str) -> None:
    """U9 was never asked; U2 was, but this button is U1's."""
    workspace = Workspace()
    workspace.ask()
    told = workspace.click(workspace.buttons()["Approve"], user)

    assert told == {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": "You are not among those who were asked.",
    }
    assert workspace.office.tasks.answers == []


def test_with_a_quorum_the_buttons_stay_until_it_is_reached() -> None:
    workspace = Workspace()
    workspace.ask(quorum=2)
    told = workspace.click(workspace.buttons()["Approve"], "U1")
    assert told["replace_original"] is False
    assert "2 equal answers decide. So far: 1 for Approve." in told["blocks"][-1]["text"]["text"]
    again = workspace.click(workspace.buttons()["Approve"], "U1")
    assert again["text"] == "Your answer was not counted: this answer was given already."

    workspace.click(workspace.buttons(1)["Approve"], "U2")
    assert len(workspace.office.tasks.answers) == 1


def test_in_a_channel_named_approvers_answer_with_the_same_buttons() -> None:
    workspace = Workspace()
    workspace.ask(channels=[{"type": "slack", "channel": "C1"}])
    assert [message["channel"] for message in workspace.sent.messages] == ["C1"]

    assert workspace.click(workspace.buttons()["Approve"], "U9")["text"] == "You are not among those who were asked."
    workspace.click(workspace.buttons()["Approve"], "U2")
    assert workspace.office.tasks.answers[0][2]["decidedBy"] == ["Bo"]


def test_in_a_channel_where_nobody_is_named_every_member_may_answer_once() -> None:
    workspace = Workspace(webhook_url="https://hooks.slack.com/services/1")
    workspace.ask(approvers=[], quorum=2)
    assert workspace.sent.requests[0][0] == "https://hooks.slack.com/services/1"
    button = workspace.buttons()["Approve"]
    workspace.click(button, "U7", name="gus")
    workspace.click(button, "U7", name="gus")
    assert workspace.office.tasks.answers == []
    workspace.click(button, "U8", name="hal")
    assert workspace.office.tasks.answers[0][2]["decidedBy"] == ["gus", "hal"]


def test_a_choice_that_needs_a_form_opens_the_page_instead() -> None:
    workspace = Workspace()
    workspace.ask(form=[{"name": "comment", "label": "Comment", "requiredFor": ["reject"]}])
    reject = workspace.buttons()["Reject"]
    assert "value" not in reject
    page = workspace.office.visit(reject["url"].removeprefix(f"{BASE_URL}/"))
    assert (page.status, heading_of(page)) == (200, "Deploy model 7?")
    assert "value" in workspace.buttons()["Approve"]


COMMENT: dict[str, Any] = {"name": "comment", "label": "Comment", "requiredFor": ["reject"]}
CHANNEL = {"type": "slack", "channel": "C1"}


@pytest.mark.parametrize(
    ("members", "who"),
    [
        ({"form": [COMMENT]}, "Ada, Bo"),
        ({"form": [COMMENT], "channels": [CHANNEL, "email"]}, "Ada"),
        ({"approvers": [BO]}, BO),
    ],
)
def test_a_channel_in_which_those_named_cannot_answer_is_refused(members: dict[str, Any], who: str) -> None:
    """A form needs a link of one's own, and a click a member id."""
    workspace = Workspace()
    with pytest.raises(InvalidApprovalRequest, match=f"no channel of the request lets {who} answer"):
        workspace.ask(**{"channels": [CHANNEL], **members})


def test_what_needs_a_form_has_no_button_in_a_channel_but_links_of_ones_own() -> None:
    workspace = Workspace()
    workspace.ask(channels=[CHANNEL, "slack"], form=[COMMENT])
    in_channel, to_ada, _ = workspace.sent.messages
    assert (in_channel["channel"], to_ada["channel"]) == ("C1", "U1")
    assert list(workspace.buttons()) == ["Approve", "Open the page"]
    assert "A form comes with: Reject. Use the link that you got" in json.dumps(in_channel)
    assert list(workspace.buttons(1)) == ["Approve", "Reject", "Open the page"]

    page = workspace.buttons()["Open the page"]["url"].removeprefix(f"{BASE_URL}/")
    shown = workspace.office.visit(page)
    assert "Only those who were asked may answer" in shown.body
    assert "<form" not in shown.body
    link = workspace.buttons(1)["Reject"]["url"].removeprefix(f"{BASE_URL}/")
    assert heading_of(workspace.office.answer(link, "reject", comment="slow")) == "Decided: Reject"


def test_what_slack_would_refuse_is_cut_and_says_so() -> None:
    """It takes 50 blocks, of 3,000 characters each, and 25 buttons."""
    workspace = Workspace()
    choices = [{"id": f"c{each}", "label": f"{each} " * 50} for each in range(30)]
    details = {f"measure {each}": "&" * 3_000 for each in range(450)}
    workspace.ask(title="?" * 200, message="&" * 3_000, details=details, choices=choices)
    message = workspace.sent.messages[0]

    assert len(message["blocks"]) <= 50
    assert message["blocks"][0]["text"]["text"].endswith("? … (cut)")
    assert message["blocks"][1]["text"]["text"].endswith("&amp; … (cut)")
    assert len(message["blocks"][1]["text"]["text"]) <= 3_000
    assert all(len(field["text"]) <= 2_000 for field in message["blocks"][2]["fields"])
    assert "50 more details are on the page." in json.dumps(message)
    buttons = message["blocks"][-1]["elements"]
    assert (len(buttons), buttons[-1]["text"]["text"]) == (25, "Open the page")
    assert all(len(button["text"]["text"]) <= 75 for button in buttons)


def test_a_link_without_a_choice_or_with_a_form_cannot_be_clicked_through() -> None:
    workspace = Workspace()
    workspace.ask(form=[{"name": "comment", "label": "Comment", "required": True}], channels=["slack", "email"])
    for choice in ("", "approve"):
        told = workspace.click({"value": workspace.office.link(BO, choice), "action_id": "approval:x"}, "U2")
        assert told["text"] == "This answer needs a form: open the page instead."
    assert workspace.office.approval().votes == ()


@pytest.mark.parametrize(
    ("offset", "accepted"), [(0, True), (299, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_slacks_signature_is_good_for_five_minutes(offset: int, accepted: bool) -> None:
    workspace = Workspace()
    workspace.ask()
    request = posted(click(workspace.buttons()["Approve"]["value"], "U1"), NOON // 1000)
    workspace.office.time = NOON + offset * 1000
    answer = run(workspace.office.pages.handle(request))

    assert answer.status == (200 if accepted else 401)
    assert len(workspace.office.tasks.answers) == accepted


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=%7B", b"payload=%7B%7D", b"payload=[]", b"payload=%5B1%5D", b"\xff=1", b"x=y"]
)
def test_a_signed_body_that_is_no_click_is_taken_and_ignored(body: bytes) -> None:
    workspace = Workspace()
    answer = run(workspace.office.pages.handle(posted(body, NOON // 1000)))
    assert (answer.status, workspace.office.posted.requests) == (200, [])


def test_a_click_on_what_is_no_button_of_ours_is_ignored() -> None:
    workspace = Workspace()
    workspace.ask()
    body = click(workspace.buttons()["Approve"]["value"], "U1", action_id="poll:yes")
    assert run(workspace.office.pages.handle(posted(body, NOON // 1000))).status == 200
    assert workspace.office.approval().votes == ()


def test_a_button_that_somebody_made_up_is_told_so() -> None:
    workspace = Workspace()
    workspace.ask()
    told = workspace.click({"value": "k1.x.y", "action_id": "approval:approve"}, "U1")
    assert told["text"] == "This button is not valid any more."


def test_an_answer_is_posted_to_slack_and_nowhere_else() -> None:
    workspace = Workspace()
    workspace.ask()
    button = workspace.buttons()["Approve"]
    assert workspace.click(button, "U1", response_url="http://169.254.169.254/latest") is None
    assert len(workspace.office.tasks.answers) == 1


def test_the_decision_stands_when_slack_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    workspace = Workspace()
    workspace.ask()
    workspace.office.posted.is_reachable = False
    workspace.click(workspace.buttons()["Approve"], "U1")
    assert len(workspace.office.tasks.answers) == 1
    assert "the Slack message was not updated" in caplog.text


def test_slack_is_answered_in_time_though_the_task_is_slow_to_be_told() -> None:
    workspace = Workspace()
    workspace.ask()
    workspace.office.tasks.seconds = workspace.office.posted.seconds = 6
    request = posted(click(workspace.buttons()["Approve"]["value"], "U1"), NOON // 1000)
    answer, seconds = run_timed(workspace.office.pages.handle(request))

    assert (answer.status, answer.body) == (200, "")
    assert seconds <= 2
    assert workspace.office.approval().status is Status.DECIDED


def test_a_click_counts_though_the_task_cannot_be_told(caplog: pytest.LogCaptureFixture) -> None:
    workspace = Workspace()
    workspace.ask()
    workspace.office.tasks.failure = ConnectionError("no route")
    told = workspace.click(workspace.buttons()["Approve"], "U1")

    said = told["blocks"][-1]["text"]["text"]
    assert "Decided: *Approve*" in said
    assert "The workflow has not taken the answer yet" in said
    assert "no route" in caplog.text

    given_up = replace(workspace.office.approval(), delivery=Delivery.GIVEN_UP)
    assert "the workflow could not be told" in json.dumps(message_after(given_up))


def test_a_click_on_what_came_too_late_is_told_so() -> None:
    workspace = Workspace()
    workspace.ask()
    workspace.office.tasks.over.add("token-1")
    told = workspace.click(workspace.buttons()["Approve"], "U1")
    assert "The workflow no longer waits for this" in told["blocks"][-1]["text"]["text"]


def test_a_click_that_cannot_be_recorded_is_told_so() -> None:
    workspace = Workspace()
    workspace.ask()

    async def fail(*_changes: Change) -> None:
        raise StoreUnavailable("the table is throttled")

    workspace.office.resources.write = fail  # type: ignore[method-assign]
    told = workspace.click(workspace.buttons()["Approve"], "U1")
    assert told["text"] == "Your answer could not be recorded. Please click again in a minute."


def test_a_get_of_slacks_address_is_refused() -> None:
    assert Workspace().office.visit("slack").status == 405


def test_what_slack_refuses_fails_the_notification() -> None:
    workspace = Workspace()
    workspace.sent.body = b'{"ok": false, "error": "channel_not_found"}'
    with pytest.raises(NotificationFailed, match="channel_not_found"):
        workspace.ask()
    webhook = Workspace(webhook_url="https://hooks.slack.com/services/1")
    webhook.sent.status, webhook.sent.body = 404, b"no_service"
    with pytest.raises(NotificationFailed, match="404: no_service"):
        webhook.ask()


def test_a_channel_that_is_not_configured_fails_the_notification_with_what_to_do() -> None:
    with pytest.raises(NotificationFailed, match="has no channel slack: configure it"):
        run(Office().notifier.handle(asking(approvers=[{"slack": "U1"}], channels=["slack"])))


def test_secrets_are_not_shown() -> None:
    shown = repr(SlackChannel(bot_token="xoxb-1", webhook_url="https://hooks.slack.com/services/1"))
    assert "xoxb" not in shown
    assert "services" not in shown
