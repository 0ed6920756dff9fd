"""What people see behind a link, and when it decides."""

from __future__ import annotations

import pytest

from asl_engine.approvals.links import Link
from asl_engine.approvals.request import Approver
from tests.approvals.office import ADA, BO, NOON, Office, heading_of, nonce_of


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_person_who_presses_the_button_decides_and_is_told_so(office: Office) -> None:
    office.ask()
    shown = office.visit(office.link())
    assert (shown.status, heading_of(shown)) == (200, "Deploy model 7?")
    assert office.tasks.answers == []

    decided = office.answer(office.link())

    assert (decided.status, heading_of(decided)) == (200, "Decided: Approve")
    ((token, error, output),) = office.tasks.answers
    assert (token, error) == ("token-1", "")
    assert output["choice"] == "approve"
    assert output["decidedBy"] == [ADA]


def test_a_rejection_fails_the_task_with_the_decision_as_its_cause(office: Office) -> None:
    office.ask()
    office.answer(office.link(), "reject")

    ((_, error, cause),) = office.tasks.answers
    assert error == "ApprovalRejected"
    assert cause["choice"] == "reject"


def test_a_second_visit_says_who_decided_what_and_when(office: Office) -> None:
    office.ask(approvers=[{"name": "Ada", "email": ADA}])
    office.answer(office.link())
    office.pass_time(60)

    again = office.visit(office.link())
    assert again.status == 200
    for said in ("Decided: Approve", "Ada", "15 January 2027, 08:00 UTC"):
        assert said in again.body
    assert "<form" not in again.body


def test_a_form_that_is_sent_twice_counts_once(office: Office) -> None:
    office.ask()
    fields = {"nonce": nonce_of(office.visit(office.link())), "choice": "approve"}
    assert office.post(office.link(), fields).status == 200

    replayed = office.post(office.link(), fields)
    assert replayed.status == 409
    assert "had been sent before" in replayed.body
    assert len(office.tasks.answers) == 1


def test_an_answer_after_the_decision_says_how_it_was_decided(office: Office) -> None:
    office.ask()
    late = nonce_of(office.visit(office.link()))
    office.answer(office.link(), "reject")

    told = office.post(office.link(), {"nonce": late, "choice": "approve"})
    assert told.status == 409
    assert "Your answer was not counted" in told.body
    assert "Decided: Reject" in told.body
    assert len(office.tasks.answers) == 1


def test_a_link_for_one_choice_decides_no_other(office: Office) -> None:
    office.ask()
    link = office.link(choice="reject")
    shown = office.visit(link)
    assert 'value="reject"' in shown.body
    assert 'value="approve"' not in shown.body

    refused = office.post(link, {"nonce": nonce_of(shown), "choice": "approve"})
    assert (refused.status, heading_of(refused)) == (403, "This answer does not count")
    assert office.tasks.answers == []


def test_a_nonce_of_another_link_does_not_count(office: Office) -> None:
    office.ask(approvers=[ADA, BO])
    nonce = nonce_of(office.visit(office.link(ADA)))

    refused = office.post(office.link(BO), {"nonce": nonce, "choice": "approve"})
    assert refused.status == 403
    assert office.approval().votes == ()


@pytest.mark.parametrize("path", ["a.b.c", "k1.x.y", "", "somewhere", "a/b"])
def test_what_is_no_link_of_ours_has_a_page_of_its_own(office: Office, path: str) -> None:
    office.ask()
    shown = office.visit(path)

    expected = (403, "This link is not valid") if "." in path else (404, "There is nothing here")
    assert (shown.status, heading_of(shown)) == expected


def test_after_the_deadline_nothing_can_be_decided(office: Office) -> None:
    office.ask(deadline="2027-01-15T09:00:00Z")
    nonce = nonce_of(office.visit(office.link()))
    office.pass_time(3600)

    assert (office.visit(office.link()).status, heading_of(office.visit(office.link()))) == (
        410,
        "The time to decide is over",
    )
    assert office.post(office.link(), {"nonce": nonce, "choice": "approve"}).status == 410
    assert office.tasks.answers == []


def test_a_decision_is_still_told_after_the_deadline(office: Office) -> None:
    office.ask(deadline="2027-01-15T09:00:00Z")
    office.answer(office.link())
    office.pass_time(7200)

    assert (office.visit(office.link()).status, heading_of(office.visit(office.link()))) == (200, "Decided: Approve")


def test_a_link_without_a_deadline_ends_after_a_year(office: Office) -> None:
    office.ask()
    office.pass_time(367 * 24 * 3600)
    assert office.visit(office.link()).status == 410


def test_when_the_workflow_had_stopped_waiting_the_answer_says_so(office: Office) -> None:
    office.ask()
    office.tasks.over.add("token-1")  # timed out, or the execution was stopped

    answered = office.answer(office.link())
    assert (answered.status, heading_of(answered)) == (410, "The workflow no longer waits for this")
    assert office.visit(office.link()).status == 410


def test_an_approval_that_is_no_longer_kept_is_gone(office: Office) -> None:
    link = Link(approval_id="x", round=1, recipient_id="y", choice="", expires_at=NOON // 1000 + 1)
    shown = office.visit(office.links.token(link))
    assert (shown.status, heading_of(shown)) == (410, "The workflow no longer waits for this")


def test_a_link_of_a_round_that_has_not_begun_is_none_of_ours(office: Office) -> None:
    office.ask()
    ahead = Link(
        approval_id=office.approval().id,
        round=2,
        recipient_id=Approver(name="Ada", email=ADA).id,
        choice="",
        expires_at=NOON // 1000 + 60,
    )
    assert office.visit(office.links.token(ahead)).status == 403


def test_whoever_was_not_asked_cannot_answer(office: Office) -> None:
    office.ask()
    stranger = Link(
        approval_id=office.approval().id, round=1, recipient_id="nobody", choice="", expires_at=NOON // 1000 + 60
    )
    link = office.links.token(stranger)
    assert "Only those who were asked may answer" in office.visit(link).body
    refused = office.post(link, {"nonce": office.links.nonce(link), "choice": "approve"})
    assert refused.status == 403
    assert "only those who were asked may answer" in refused.body
    assert office.tasks.answers == []


def test_what_is_known_to_be_over_is_told_on_the_visit(office: Office) -> None:
    office.ask()
    link = office.link()
    nonce = nonce_of(office.visit(link))
    office.tasks.known_over = {"token-1"}
    for page in (office.visit(link), office.post(link, {"nonce": nonce, "choice": "approve"})):
        assert (page.status, heading_of(page)) == (410, "The workflow no longer waits for this")
    assert office.approval().votes == ()


def test_between_two_rounds_an_approval_is_open_while_its_execution_runs(office: Office) -> None:
    office.ask(approvalId="ship", execution="arn:x")
    office.tasks.known_over = {"token-1"}
    assert office.visit(office.link()).status == 200
    office.tasks.known_over = {"arn:x"}
    assert office.visit(office.link()).status == 410


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_another_method_is_refused(office: Office, method: str) -> None:
    office.ask()
    refused = office.request(method, office.link())
    assert refused.status == 405
    assert refused.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_a_head_has_the_headers_of_a_get_and_no_body(office: Office) -> None:
    office.ask()
    head, get = office.request("HEAD", office.link()), office.visit(office.link())
    assert (head.status, head.headers, head.body) == (get.status, get.headers, "")


def test_every_page_keeps_browsers_and_caches_out_of_it(office: Office) -> None:
    office.ask()
    pages = [office.visit(office.link()), office.visit("a.b.c"), office.request("PUT", office.link())]
    pages += [office.visit("nothing"), office.answer(office.link()), office.request("OPTIONS", office.link())]
    for page in pages:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_what_a_definition_says_is_text_and_never_markup(office: Office) -> None:
    attack = "<script>alert(1)</script>\"'&$nonce"
    office.ask(title=attack, message=attack, details={attack: attack}, approvers=[{"name": attack, "email": ADA}])
    office.ask("token-2", title=attack, choices=[{"id": "ok", "label": attack}], form=[{"name": "f", "label": attack}])

    shown = office.visit(office.link()).body + office.answer(office.link(), "ok").body
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "$nonce" in shown


def test_when_the_task_cannot_be_answered_the_decision_is_kept_and_sent_with_the_next_try(office: Office) -> None:
    office.ask()
    nonce = nonce_of(office.visit(office.link()))
    office.tasks.failure = ConnectionError("no route")
    assert heading_of(office.post(office.link(), {"nonce": nonce, "choice": "approve"})) == "Decided: Approve"

    office.tasks.failure = None
    assert office.post(office.link(), {"nonce": nonce, "choice": "approve"}).status == 409
    assert [answer[0] for answer in office.tasks.answers] == ["token-1"]


def test_a_log_never_has_a_link_or_a_task_token(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.ask("very-secret-token")
    link = office.link()
    nonce = nonce_of(office.visit(link))
    office.tasks.failure = ConnectionError("no route")
    office.post(link, {"nonce": nonce, "choice": "approve"})

    assert "no route" in caplog.text
    for secret in ("very-secret-token", link, nonce):
        assert secret not in caplog.text
    assert "very-secret-token" not in repr(office.approval())
    assert "very-secret-token" not in link


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"choice=approve&choice=reject", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b'{"choice": "approve"}', "application/json"),
        (b"a=" + b"b" * 200_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=b" % index for index in range(300)), "application/x-www-form-urlencoded"),
        (b"", ""),
    ],
)
def test_a_body_that_is_no_form_is_refused(office: Office, body: bytes, content_type: str) -> None:
    office.ask()
    refused = office.request("POST", office.link(), body, content_type=content_type)
    assert (refused.status, heading_of(refused)) in {
        (400, "This answer cannot be read"),
        (403, "This answer does not count"),
    }
    assert office.tasks.answers == []
