"""Handing a decision over: to whom, how often, and what becomes of the old link."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.approvals.approval import Delivery
from asl_engine.approvals.request import Approver
from tests.approvals.office import ADA, BO, CY, Office, heading_of, nonce_of
from tests.approvals.test_notifier import SHARED

BO_ID, CY_ID = Approver(name="Bo", email=BO).id, Approver(name="Cy", email=CY).id
MEMBERS: dict[str, Any] = {
    **SHARED,
    "approvers": [ADA, BO],
    "quorum": 2,
    "delegates": [BO, {"name": "Cy", "email": CY}],
}


@pytest.fixture
def office() -> Office:
    office = Office()
    office.ask("token-1", **MEMBERS)
    return office


def hand_over(office: Office, to: str, email: str = ADA) -> Any:
    link = office.link(email)
    return office.post(link, {"nonce": nonce_of(office.visit(link)), "delegate": to})


def test_the_task_is_told_so_that_the_definition_asks_the_delegate(office: Office) -> None:
    assert heading_of(hand_over(office, CY_ID)) == "You handed this decision over"
    ((token, error, output),) = office.tasks.answers
    assert (token, error, output["status"]) == ("token-1", "", "DELEGATED")

    office.ask("token-2", **MEMBERS)
    assert [n.recipient.email for n in office.mail.sent if n.recipient] == [ADA, BO, CY]
    office.answer(office.link(BO))
    office.answer(office.link(CY))
    assert office.tasks.answers[1][2]["decidedBy"] == [BO, "Cy"]


def test_the_old_link_says_who_was_asked_instead_and_decides_nothing(office: Office) -> None:
    old = office.link(ADA)
    nonce = nonce_of(office.visit(old))
    hand_over(office, CY_ID)

    assert "Cy was asked instead of you." in office.visit(old).body
    late = office.post(old, {"nonce": nonce, "choice": "approve"})
    assert (late.status, heading_of(late)) == (409, "You handed this decision over")
    assert office.approval().votes == ()


@pytest.mark.parametrize("to", [BO_ID, "nobody", "", Approver(name="Ada", email=ADA).id])
def test_it_cannot_be_handed_to_whoever_is_asked_or_not_named(office: Office, to: str) -> None:
    """Somebody who is asked anyway has one vote: with two decisions in one hand the quorum could not be reached."""
    assert f'value="{BO_ID}"' not in office.visit(office.link(ADA)).body
    refused = hand_over(office, to)
    assert refused.status == 403
    assert "nobody of that name can be handed this decision" in refused.body
    assert office.approval().delegated == {}


def test_it_can_be_handed_back(office: Office) -> None:
    members = {**MEMBERS, "delegates": [ADA, CY]}
    office = Office()
    office.ask("token-1", **members)
    hand_over(office, CY_ID)
    office.ask("token-2", **members)
    hand_over(office, Approver(name="Ada", email=ADA).id, CY)
    office.ask("token-3", **members)

    assert heading_of(office.answer(office.link(ADA))) == "Your answer was recorded"


def test_a_task_that_cannot_be_told_is_told_later(office: Office) -> None:
    office.tasks.failure = ConnectionError("no route")
    assert hand_over(office, CY_ID).status == 200
    office.tasks.failure = None
    office.tell({"action": "deliver"})
    assert [answer[2]["status"] for answer in office.tasks.answers] == ["DELEGATED"]
    assert office.approval().delivery is Delivery.DELIVERED


def test_a_vote_between_two_rounds_waits_for_the_next(office: Office) -> None:
    """The task has the news of the delegation already, so its token is spent."""
    hand_over(office, CY_ID)
    office.ask("token-2", **MEMBERS)
    office.tasks.over.add("token-2")
    office.answer(office.link(BO))
    assert heading_of(office.answer(office.link(CY))) == "Decided: Approve"

    office.ask("token-3", **MEMBERS)
    assert [answer[0] for answer in office.tasks.answers] == ["token-1", "token-3"]
