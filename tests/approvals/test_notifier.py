"""The notifier: whom it asks, what it does when it is asked again, and what else it can be told to do."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.approvals.approval import Status
from asl_engine.approvals.webhook_channel import Webhook, WebhookChannel, signature
from asl_engine.errors import InvalidApprovalRequest, NotificationFailed
from asl_engine.json_value import JsonValue
from tests.approvals.office import ADA, BO, CY, NOON, Office, asking, run
from tests.approvals.posting import Posted

EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:orders:first"
SHARED: dict[str, Any] = {"approvalId": "ship", "execution": EXECUTION}


@pytest.fixture
def office() -> Office:
    return Office()


def told(office: Office) -> list[str | None]:
    return [notice.recipient.email if notice.recipient else None for notice in office.mail.sent]


def test_a_notification_that_is_delivered_twice_tells_once(office: Office) -> None:
    first = office.ask(approvers=[ADA, BO])
    again = office.ask(approvers=[ADA, BO])

    assert (first["notified"], again["notified"]) == (2, 0)
    assert first["approvalId"] == again["approvalId"]
    assert told(office) == [ADA, BO]


def test_after_a_failure_only_those_are_told_who_were_not(office: Office) -> None:
    office.mail.unreachable = {BO}
    with pytest.raises(NotificationFailed, match=r"bo@example\.com by email: the mailbox is full"):
        office.ask(approvers=[ADA, BO, CY])
    assert told(office) == [ADA, CY]

    office.mail.unreachable = set()
    office.ask(approvers=[ADA, BO, CY])
    assert told(office) == [ADA, CY, BO]


def test_each_attempt_of_a_task_is_an_approval_of_its_own(office: Office) -> None:
    """A link of an attempt that timed out decides nothing about the next one."""
    office.ask("token-1")
    first = office.link()
    office.tasks.over.add("token-1")
    office.ask("token-2")

    assert office.answer(first).status == 410
    assert office.tasks.answers == []
    office.answer(office.link())
    assert [answer[0] for answer in office.tasks.answers] == ["token-2"]


def test_rounds_of_one_approval_share_votes_and_links(office: Office) -> None:
    office.ask("token-1", approvers=[ADA, BO], quorum=2, **SHARED)
    first = office.link(ADA)
    office.tasks.over.add("token-1")
    office.ask("token-2", approvers=[ADA, BO], quorum=2, reminder=1, **SHARED)

    office.answer(first)
    office.answer(office.link(BO))
    ((token, _, output),) = office.tasks.answers
    assert (token, output["decidedBy"]) == ("token-2", [ADA, BO])


def test_the_same_name_in_another_execution_is_another_approval(office: Office) -> None:
    first = office.ask("token-1", **SHARED)
    second = office.ask("token-2", **{**SHARED, "execution": EXECUTION + "-2"})
    assert first["approvalId"] != second["approvalId"]


def test_a_round_of_an_approval_that_is_decided_is_answered_at_once(office: Office) -> None:
    office.ask("token-1", **SHARED)
    office.answer(office.link())
    asked = len(office.mail.sent)
    office.ask("token-2", reminder=1, **SHARED)

    assert [answer[0] for answer in office.tasks.answers] == ["token-1", "token-2"]
    assert office.tasks.answers[0][2] == office.tasks.answers[1][2]
    assert len(office.mail.sent) == asked


def test_whoever_asks_does_not_decide(office: Office) -> None:
    office.ask(approvers=[ADA, BO], requester="ADA@example.com")
    assert told(office) == [BO]


def test_an_address_that_is_given_twice_is_asked_once(office: Office) -> None:
    office.ask(approvers=[ADA, {"name": "Ada", "email": "Ada@Example.com"}])
    assert len(office.mail.sent) == 1


def test_telling_sends_a_message_without_links(office: Office) -> None:
    answer = office.tell({"action": "tell", "title": "Nobody decided", "message": "It failed.", "approvers": [ADA]})
    assert answer == {"notified": 1}
    assert office.mail.to(ADA).links is None
    assert run(office.desk.all()) == []


def test_telling_fails_when_somebody_could_not_be_told(office: Office) -> None:
    office.mail.unreachable = {ADA}
    with pytest.raises(NotificationFailed, match=r"ada@example\.com"):
        office.tell({"action": "tell", "title": "Nobody decided", "approvers": [ADA, BO]})
    assert told(office) == [BO]


def closing(**members: JsonValue) -> dict[str, JsonValue]:
    return {"action": "close", "title": "x", "approvers": [ADA], **SHARED, **members}


def test_closing_ends_an_approval_without_a_decision(office: Office) -> None:
    office.ask(**SHARED)
    assert office.tell(closing()) == {"status": "EXPIRED", "votes": []}

    assert office.visit(office.link()).status == 410
    assert office.tasks.answers == []


def test_closing_one_that_was_decided_returns_the_decision(office: Office) -> None:
    office.ask(**SHARED)
    office.answer(office.link(), "reject")
    closed: Any = office.tell(closing())
    assert (closed["status"], closed["choice"]) == ("DECIDED", "reject")


def test_closing_what_was_never_opened_is_no_failure(office: Office) -> None:
    assert office.tell(closing()) == {"status": "EXPIRED", "votes": []}


def test_closing_needs_the_names_alone(office: Office) -> None:
    """Whom the rounds asked, or that they named a channel instead, does not matter any more."""
    office.ask(**SHARED)
    office.tell({"action": "close", **SHARED})
    assert office.approval().status is Status.EXPIRED

    with pytest.raises(InvalidApprovalRequest, match="an approvalId and its execution"):
        office.tell({"action": "close", "approvalId": SHARED["approvalId"]})


def test_a_round_that_opens_after_the_end_is_told_so(office: Office) -> None:
    office.ask("token-1", **SHARED)
    office.tell(closing())
    office.ask("token-2", **SHARED)
    ((token, error, output),) = office.tasks.answers
    assert (token, error, output["status"]) == ("token-2", "", "EXPIRED")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([], "must be an object"),
        ({"taskToken": "t", "title": " \n ", "approvers": [ADA]}, "/title: is required: a text"),
        ({"action": "ask"}, "/taskToken: is required. Use the Resource"),
        ({"taskToken": 7}, "/taskToken: is required"),
        ({"action": "shout", "taskToken": "t"}, "/action: 'shout' is none: it is ask, tell, close or deliver"),
        ({"taskToken": "t", "title": "x", "approvers": ["ada"]}, "/approvers/0/email: 'ada' is no email address"),
        ({"taskToken": "t", "title": "x", "approvers": [{}]}, "/approvers/0: give an email address or a Slack member"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA], "quorum": 2}, "/quorum: 2 of 1 approvers can never"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA], "deadline": "soon"}, "/deadline: 'soon' is no timestamp"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA], "channels": ["fax"]}, "/channels/0/type: no channel is"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA], "channels": ["webhook"]}, "/channels/0/name: name the"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA], "approvalId": "a"}, "/execution: approvalId is unique"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA], "delegates": [BO]}, "/delegates: delegating asks again"),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA], "choices": [{"id": "a", "error": "E"}]},
            "/choices: every choice has an error",
        ),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA], "choices": [{"id": "a"}, {"id": "a"}]},
            "/choices: two choices have the same id",
        ),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA], "form": [{"name": "nonce"}]},
            "/form/0/name: 'nonce' must have",
        ),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA], "form": [{"name": "a", "type": "colour"}]},
            "/form/0/type: no field is of type 'colour'",
        ),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA], "form": [{"name": "a", "type": "choice"}]},
            "/form/0/options: a field of type choice",
        ),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA], "form": [{"name": "a", "requiredFor": ["b"]}]},
            "/form/0/requiredFor: no choice has the id 'b'",
        ),
        ({"taskToken": "t", "title": "x", "approvers": [{"slack": "U1"}]}, "/channels: email is to be sent, but no"),
        (
            {"taskToken": "t", "title": "x", "approvers": [ADA, {"slack": "U1"}]},
            "no channel of the request lets U1 answer",
        ),
        ({"taskToken": "t", "title": "x", "approvers": "ada"}, "/approvers: must be a list; it is string"),
        ({"taskToken": "t", "title": 7, "approvers": [ADA]}, "/title: must be a string; it is number"),
        ({"taskToken": "t", "title": "x", "approvers": [ADA] * 101}, "/approvers: has 101 members; 100 are allowed"),
    ],
)
def test_a_payload_that_cannot_be_meant_is_refused_with_its_place(
    office: Office, payload: JsonValue, expected: str
) -> None:
    with pytest.raises(InvalidApprovalRequest) as refused:
        run(office.notifier.handle(payload))
    assert expected in str(refused.value)
    assert office.mail.sent == []


def test_a_webhook_gets_signed_json_with_each_approvers_links() -> None:
    posted = Posted()
    webhooks = {"pager": Webhook(url="https://pager.example.com/hook", secret=b"shared secret")}
    office = Office(channels={"webhook": WebhookChannel(webhooks, lambda: NOON, posted)})
    office.ask(
        approvers=[ADA, {"slack": "U1"}], channels=[{"type": "webhook", "name": "pager"}], details={"accuracy": 0.94}
    )
    (url, body, headers), _ = posted.requests
    assert url == "https://pager.example.com/hook"
    assert headers["X-Asl-Signature"] == signature(b"shared secret", str(NOON // 1000), body)
    first, second = posted.messages
    assert first["recipient"]["email"] == ADA
    assert [choice["id"] for choice in first["choices"]] == ["approve", "reject"]
    assert first["details"] == [{"label": "accuracy", "value": "0.94", "previous": None}]
    assert first["page"] != second["page"]
    assert office.visit(first["page"].rpartition("/")[2]).status == 200


def test_a_webhook_that_is_not_configured_or_refuses_fails_the_notification() -> None:
    posted = Posted(status=500)
    webhooks = {"pager": Webhook(url="https://pager.example.com/hook", secret=b"shared secret")}
    office = Office(channels={"webhook": WebhookChannel(webhooks, lambda: NOON, posted)})
    with pytest.raises(NotificationFailed, match="the webhook pager answered 500"):
        office.ask(channels=[{"type": "webhook", "name": "pager"}])
    with pytest.raises(NotificationFailed, match="no webhook is called 'other'; configured: pager"):
        office.ask("token-2", channels=[{"type": "webhook", "name": "other"}])
    assert "shared secret" not in repr(webhooks)


def test_ways_to_write_the_same_payload(office: Office) -> None:
    """With the token from the JSONPath or JSONata Context object, and nothing but what is needed."""
    assert run(office.notifier.handle(asking("token-9")))["notified"] == 1
