"""What becomes of an approval when processes die and when several people answer at once."""

from __future__ import annotations

import asyncio
import itertools
from urllib.parse import urlencode

import pytest

from asl_engine.approvals.approval import Approval, Delivery, Status, Vote, as_document, from_document
from asl_engine.approvals.desk import DUE, PATIENCE_SECONDS, TRIES_MAX, Refused
from asl_engine.approvals.exchange import PageRequest
from asl_engine.errors import Conflict
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.resources import Change, removed
from tests.approvals.office import ADA, BO, CY, FORM, Office, asking, heading_of, nonce_of, run
from tests.approvals.skipping import run_timed


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


def unheard(office: Office, choice: str = "approve") -> None:
    """A decision that the task cannot be told of."""
    office.tasks.failure = ConnectionError("no route")
    page = office.answer(office.link(), choice)
    assert (page.status, office.approval().delivery) == (200, Delivery.DUE)
    assert "The workflow has not taken the answer yet" in page.body
    office.tasks.failure = None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_visit_sends_nothing_that_is_due(method: str) -> None:
    office = Office()
    office.ask()
    unheard(office)

    office.request(method, office.link())
    assert (office.tasks.answers, office.approval().delivery) == ([], Delivery.DUE)


def test_what_is_due_is_sent_without_anybody_who_comes_back() -> None:
    office = Office()
    office.ask()
    unheard(office)

    assert office.tell({"action": "deliver"}) == {"sent": 1, "left": 0}
    assert len(office.tasks.answers) == 1
    assert office.approval().delivery is Delivery.DELIVERED
    assert office.tell({"action": "deliver"}) == {"sent": 0, "left": 0}


def test_one_answer_that_cannot_be_sent_keeps_no_other() -> None:
    office = Office()
    office.ask("token-1")
    office.ask("token-2")
    for notice in office.mail.sent:
        office.tasks.failure = ConnectionError("no route")
        assert notice.links is not None
        office.answer(notice.links.page.rpartition("/")[2])
    office.tasks.failure = None
    office.tasks.lost = {"token-1"}
    assert office.tell({"action": "deliver"}) == {"sent": 1, "left": 1}

    office.tasks.lost = set()
    office.pass_time(30)
    assert office.tell({"action": "deliver"}) == {"sent": 1, "left": 0}
    assert [token for token, _, _ in office.tasks.answers] == ["token-2", "token-1"]


def deliver_for(office: Office, seconds: float, *, every: float = 60) -> float:
    """Deliver as a schedule does, for so long or until nothing is due; the seconds that passed."""
    passed = 0.0
    while passed < seconds and office.tell({"action": "deliver"})["left"]:
        office.pass_time(every)
        passed += every
    return passed


def test_an_answer_is_sent_soon_after_an_outage_of_hours_or_days() -> None:
    for hours in (1, 144):
        office = Office()
        office.ask()
        unheard(office)
        office.tasks.failure = ConnectionError("no route")
        deliver_for(office, hours * 3_600, every=3_600)

        office.tasks.failure = None
        assert deliver_for(office, 7_200) <= 3_600
        assert len(office.tasks.answers) == 1


def test_an_answer_that_is_refused_for_a_week_is_given_up_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    office.ask()
    unheard(office)
    office.tasks.failure = PermissionError("no right to SendTaskSuccess")
    caplog.clear()
    days = deliver_for(office, 30 * 86_400, every=900) / 86_400

    assert 6.5 < days < 8
    assert run(office.resources.list(DUE)) == []
    assert office.approval().delivery is Delivery.GIVEN_UP
    assert [record.levelname for record in caplog.records] == ["WARNING"] * (TRIES_MAX - 1) + ["ERROR"]
    assert f"is given up after {TRIES_MAX} tries: no right to SendTaskSuccess" in caplog.text
    page = office.visit(office.link())
    assert (page.status, heading_of(page)) == (200, "Decided: Approve")
    assert "The decision is recorded, but the workflow could not be told" in page.body


def test_time_in_which_nobody_tries_gives_nothing_up() -> None:
    office = Office()
    office.ask()
    unheard(office)
    office.tasks.failure = ConnectionError("no route")
    for _ in range(5):
        office.pass_time(30 * 86_400)
        office.tell({"action": "deliver"})

    office.tasks.failure = None
    office.pass_time(3_600)
    assert office.tell({"action": "deliver"}) == {"sent": 1, "left": 0}


def test_those_that_nobody_takes_keep_no_other_from_being_sent() -> None:
    office = Office()
    refused = [f"token-{number}" for number in range(40)]
    office.tasks.lost = {*refused, "token-new"}
    for token in (*refused, "token-new"):
        office.ask(token)
        office.answer(office.link())
    office.tasks.lost = set(refused)
    for _ in range(2):
        office.tell({"action": "deliver"})

    assert [token for token, _, _ in office.tasks.answers] == ["token-new"]


def test_a_try_that_cannot_be_written_down_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    resources = Dying()
    office = Office(resources)
    office.ask()
    unheard(office)
    office.tasks.failure = ConnectionError("no route")
    resources.writes_left = 0

    assert office.tell({"action": "deliver"}) == {"sent": 0, "left": 1}
    assert "is still due: no route; the process died" in caplog.text
    assert [due.document for due in run(resources.list(DUE))] == [{}]


def test_two_who_try_at_once_count_once() -> None:
    resources = Interleaving()
    office = Office(resources)
    office.ask()
    unheard(office)
    office.tasks.failure = ConnectionError("no route")

    async def both() -> None:
        await asyncio.gather(office.desk.deliver_due(), office.desk.deliver_due())

    run(both())
    assert [due.document["tries"] for due in run(resources.list(DUE))] == [1]


def test_an_approval_that_nobody_keeps_any_more_is_not_due() -> None:
    office = Office()
    office.ask()
    unheard(office)
    (kept,) = run(office.resources.list("Approval"))
    run(office.resources.write(removed(kept)))

    assert office.tell({"action": "deliver"}) == {"sent": 1, "left": 0}
    assert run(office.resources.list(DUE)) == []


def test_what_the_next_round_is_told_is_not_due_any_more() -> None:
    office = Office()
    shared = {"approvalId": "ship", "execution": "arn:aws:states:eu-west-1:123456789012:execution:orders:first"}
    office.ask("token-1", **shared)
    unheard(office)
    office.ask("token-2", **shared)

    assert [token for token, _, _ in office.tasks.answers] == ["token-2"]
    assert run(office.resources.list(DUE)) == []


def test_whoever_decides_waits_only_so_long_for_the_task_to_be_told() -> None:
    office = Office()
    office.ask()
    nonce = nonce_of(office.visit(office.link()))
    office.tasks.seconds = 60
    body = urlencode({"nonce": nonce, "choice": "approve"}).encode()
    posting = office.pages.handle(PageRequest(method="POST", path=office.link(), headers=FORM, body=body))
    page, seconds = run_timed(posting)

    assert (page.status, seconds) == (200, PATIENCE_SECONDS)
    assert "The workflow has not taken the answer yet" in page.body


def test_an_answer_that_is_late_is_remembered_when_it_gets_there() -> None:
    office = Office()
    office.ask()
    approval = office.approval()
    approver = approval.approvers[0]
    office.tasks.seconds = 60
    vote = Vote(recipient_id=approver.id, by=approver.name, choice="approve", at=office.now(), via="page")

    async def decided_and_later() -> Delivery:
        outcome = await office.desk.vote(approval.id, vote)
        await asyncio.sleep(office.tasks.seconds)
        return outcome.approval.delivery

    assert run_timed(decided_and_later())[0] is Delivery.DUE
    assert office.approval().delivery is Delivery.DELIVERED
    assert run(office.resources.list(DUE)) == []


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
    assert office.post(office.link(), {"nonce": nonce, "choice": "approve"}).status == 200
    assert (len(office.tasks.answers), office.approval().delivery) == (1, Delivery.DUE)

    resources.writes_left = 10
    office.tell({"action": "deliver"})
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
