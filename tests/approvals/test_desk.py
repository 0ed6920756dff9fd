"""What becomes of an approval when processes die and when several people answer at once."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from asl_engine.approvals.approval import Approval, Delivery, Status, Vote, as_document, from_document
from asl_engine.approvals.desk import Refused
from asl_engine.errors import Conflict
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.resources import Change
from tests.approvals.office import ADA, BO, CY, Office, asking, heading_of, nonce_of, run


class Dying(MemoryResources):
    """A store whose process dies after so many writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left = 10**9

    async def write(self, *changes: Change) -> None:
        if self.writes_left == 0:
            raise ConnectionError("the process died")
        self.writes_left -= 1
        await super().write(*changes)


class Interleaving(MemoryResources):
    """A store at a distance: others get their turn before each read and write."""

    async def get(self, kind: str, key: str):  # type: ignore[no-untyped-def]  # as MemoryResources.get
        await asyncio.sleep(0)
        return await super().get(kind, key)

    async def write(self, *changes: Change) -> None:
        await asyncio.sleep(0)
        await super().write(*changes)


def test_after_a_crash_before_the_task_was_told_the_next_visit_tells_it() -> None:
    office = Office()
    office.ask()
    office.tasks.failure = ConnectionError("the process died")
    assert office.answer(office.link()).status == 503
    assert office.approval().delivery is Delivery.DUE

    office.tasks.failure = None
    office.visit(office.link())
    assert len(office.tasks.answers) == 1
    assert office.approval().delivery is Delivery.DELIVERED


def test_after_a_crash_before_the_task_was_told_a_repeated_notification_tells_it() -> None:
    office = Office()
    office.ask()
    office.tasks.failure = ConnectionError("the process died")
    office.answer(office.link())

    office.tasks.failure = None
    office.ask()
    assert len(office.tasks.answers) == 1
    assert len(office.mail.sent) == 1


def test_after_a_crash_behind_the_answer_the_second_try_is_no_failure() -> None:
    """The task was told, but that it was could not be written: telling it again finds it over, as it should be."""
    resources = Dying()
    office = Office(resources)
    office.ask()
    nonce = nonce_of(office.visit(office.link()))
    resources.writes_left = 1
    assert office.post(office.link(), {"nonce": nonce, "choice": "approve"}).status == 503
    assert len(office.tasks.answers) == 1

    resources.writes_left = 10
    assert heading_of(office.visit(office.link())) == "Decided: Approve"
    assert office.tasks.refused == 1
    assert office.approval().delivery is Delivery.DELIVERED


def test_a_crash_before_the_decision_decides_nothing() -> None:
    resources = Dying()
    office = Office(resources)
    office.ask()
    nonce = nonce_of(office.visit(office.link()))
    resources.writes_left = 0
    assert office.post(office.link(), {"nonce": nonce, "choice": "approve"}).status == 503

    resources.writes_left = 10
    assert office.tasks.answers == []
    assert office.post(office.link(), {"nonce": nonce, "choice": "approve"}).status == 200


@pytest.mark.parametrize("order", range(20))
def test_people_who_answer_at_once_are_counted_once_each(order: int) -> None:
    """Yes, no and yes at the same moment, each sent twice: two equal answers decide, and the task is told once."""
    office = Office(Interleaving())
    office.ask(approvers=[ADA, BO, CY], quorum=2)
    approval = office.approval()
    ballots = [
        Vote(recipient_id=approver.id, by=approver.name, choice=choice, at=office.now(), via="page")
        for approver, choice in zip(approval.approvers, ("approve", "reject", "approve"), strict=True)
    ] * 2
    ballots = list(next(itertools.islice(itertools.permutations(ballots), order * 31, None)))

    async def all_at_once() -> list[object]:
        voting = (office.desk.vote(approval.id, ballot) for ballot in ballots)
        return list(await asyncio.gather(*voting, return_exceptions=True))

    results = run(all_at_once())
    assert len(office.tasks.answers) == 1
    after = office.approval()
    assert (after.status, after.choice, after.delivery) == (Status.DECIDED, "approve", Delivery.DELIVERED)
    assert len({vote.recipient_id for vote in after.votes}) == len(after.votes)
    assert sum(isinstance(result, Refused) for result in results) == len(ballots) - len(after.votes)


def test_yes_and_no_at_once_have_one_winner() -> None:
    office = Office(Interleaving())
    office.ask(approvers=[ADA, BO])
    approval = office.approval()
    yes, no = (
        Vote(recipient_id=approver.id, by=approver.name, choice=choice, at=0, via="page")
        for approver, choice in zip(approval.approvers, ("approve", "reject"), strict=True)
    )

    async def both() -> list[object]:
        voting = (office.desk.vote(approval.id, yes), office.desk.vote(approval.id, no))
        return list(await asyncio.gather(*voting, return_exceptions=True))

    results = run(both())
    assert sum(isinstance(result, Refused) for result in results) == 1
    assert len(office.tasks.answers) == 1


def test_a_store_that_never_lets_anybody_win_is_given_up_on() -> None:
    office = Office()
    office.ask()
    approval = office.approval()

    async def lose(*_changes: Change) -> None:
        raise Conflict("somebody was first")

    office.resources.write = lose  # type: ignore[method-assign]
    vote = Vote(recipient_id=approval.approvers[0].id, by="Ada", choice="approve", at=0, via="page")
    with pytest.raises(Conflict, match="written by too many at once"):
        run(office.desk.vote(approval.id, vote))
    with pytest.raises(Conflict, match="written by too many at once"):
        run(office.desk.open(asking("token-2"), "token-2"))


def test_what_is_kept_is_read_back_as_it_was() -> None:
    office = Office()
    form = [{"name": "share", "type": "number"}]
    office.ask(approvers=[ADA, BO], quorum=2, form=form, message="é\u2028")
    office.answer(office.link(), share="0.5")

    approval: Approval = office.approval()
    assert from_document(approval.id, as_document(approval)) == approval


def test_a_vote_on_what_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused, match="no approval has the id x"):
        run(Office().desk.vote("x", Vote(recipient_id="y", by="z", choice="approve", at=0, via="page")))


def test_no_agreement_is_no_approval() -> None:
    office = Office()
    choices = [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]
    office.ask(approvers=[ADA, BO], quorum=2, choices=choices)
    office.answer(office.link(ADA), "a")
    assert heading_of(office.answer(office.link(BO), "b")) == "Decided: no agreement"

    ((_, error, cause),) = office.tasks.answers
    assert (error, cause["choice"]) == ("ApprovalUndecided", "undecided")


@pytest.mark.parametrize(
    ("quorum", "answers", "decided"),
    [
        (1, ["reject"], "reject"),
        (2, ["approve", "reject"], None),
        (2, ["approve", "reject", "approve"], "approve"),
        (2, ["reject", "approve", "reject"], "reject"),
        (3, ["approve", "approve"], None),
        (3, ["approve", "reject"], "reject"),
        (3, ["approve", "approve", "approve"], "approve"),
    ],
)
def test_when_votes_of_three_make_a_decision(quorum: int, answers: list[str], decided: str | None) -> None:
    office = Office()
    office.ask(approvers=[ADA, BO, CY], quorum=quorum)
    for email, choice in zip([ADA, BO, CY], answers, strict=False):
        office.answer(office.link(email), choice)
    assert office.approval().choice == decided


def test_an_id_never_begins_with_a_dash() -> None:
    """A command would take it for an option."""
    office = Office()
    for number in range(100):
        assert str(office.ask(f"token-{number}")["approvalId"])[0].isalnum()
