"""What mail scanners, link previews and attackers do with a link. None of them decides anything it should not."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest

from asl_engine.approvals.exchange import PageRequest, PageResponse
from asl_engine.json_value import dump_json
from tests.approvals.office import ADA, BO, FORM, NOON, Office, nonce_of, run
from tests.approvals.slack import click, posted


@pytest.fixture
def office() -> Office:
    """Two people are asked, and both must say the same."""
    office = Office()
    office.ask(approvers=[{"name": "Ada", "email": ADA, "slack": "U1"}, BO], quorum=2)
    return office


def head(office: Office) -> PageResponse:
    return office.request("HEAD", office.link(choice="approve"))


def get(office: Office) -> PageResponse:
    return office.visit(office.link(choice="approve"))


def get_five_times(office: Office) -> PageResponse:
    return [office.visit(office.link(choice="approve")) for _ in range(5)][-1]


def prefetch(office: Office) -> PageResponse:
    return office.request(
        "GET", office.link(choice="approve"), Sec_Purpose="prefetch;prerender", Purpose="prefetch", X_Moz="prefetch"
    )


def script_running_get(office: Office) -> PageResponse:
    """Whatever a browser fetches and runs by itself: there is nothing of the kind on the page."""
    page = office.visit(office.link(choice="approve"))
    by_itself = r"<script|<img|<iframe|<object|<embed|<link\b|\bsrc=|\bon\w+=|http-equiv|autofocus|@import|url\("
    assert re.search(by_itself, page.body, re.IGNORECASE) is None
    return page


def wrong_nonce(office: Office) -> PageResponse:
    nonce = nonce_of(office.visit(office.link()))
    for wrong in ("", "x", nonce[:-1], nonce + "A", nonce.swapcase(), nonce_of(office.visit(office.link(BO)))):
        refused = office.post(office.link(), {"nonce": wrong, "choice": "approve"})
        assert refused.status == 403
    return refused


def options(office: Office) -> PageResponse:
    return office.request("OPTIONS", office.link(choice="approve"), Access_Control_Request_Method="POST")


def altered_link(office: Office) -> PageResponse:
    link = office.link(choice="approve")
    for altered in (link[:-1], link + "=", link.replace(".", "..", 1), quote(link + "\n"), link.swapcase()):
        assert office.visit(altered).status in {403, 404}
    return office.post(link.swapcase(), {"nonce": nonce_of(office.visit(link)), "choice": "approve"})


def other_recipients_link(office: Office) -> PageResponse:
    """Naming somebody else in the form changes nothing: the link says who answers, and each nonce is for one link."""
    nonce = nonce_of(office.visit(office.link(ADA)))
    return office.post(office.link(BO), {"nonce": nonce, "choice": "approve", "recipient": ADA})


def slack_without_signature(office: Office) -> PageResponse:
    return office.request("POST", "slack", click(office.link(choice="approve"), "U1"))


def slack_after_301_seconds(office: Office) -> PageResponse:
    request = posted(click(office.link(choice="approve"), "U1"), NOON // 1000)
    office.pass_time(301)
    return run(office.pages.handle(request))


def slack_with_altered_body(office: Office) -> PageResponse:
    """A stranger's click, altered to be that of somebody who was asked."""
    request = posted(click(office.link(choice="approve"), "U9"), NOON // 1000)
    altered = request.body.replace(b"U9", b"U1")
    assert altered != request.body
    return run(office.pages.handle(PageRequest(method="POST", path="slack", headers=request.headers, body=altered)))


def slack_with_reordered_fields(office: Office) -> PageResponse:
    request = posted(b"a=1&" + click(office.link(choice="approve"), "U1"), NOON // 1000)
    first, _, second = request.body.partition(b"&")
    reordered = second + b"&" + first
    return run(office.pages.handle(PageRequest(method="POST", path="slack", headers=request.headers, body=reordered)))


SCANNERS: list[Callable[[Office], PageResponse]] = [
    head,
    get,
    get_five_times,
    prefetch,
    script_running_get,
    options,
    wrong_nonce,
    altered_link,
    other_recipients_link,
    slack_without_signature,
    slack_after_301_seconds,
    slack_with_altered_body,
    slack_with_reordered_fields,
]
HARMLESS = {200, 204}


@pytest.mark.parametrize("scan", SCANNERS, ids=lambda scan: scan.__name__.replace("_", " "))
def test_a_scanner_decides_nothing(office: Office, scan: Callable[[Office], PageResponse]) -> None:
    before = run(office.resources.get("Approval", office.approval().id))
    answer = scan(office)

    assert answer.status in HARMLESS | {401, 403}
    assert run(office.resources.get("Approval", office.approval().id)) == before  # not even written to
    assert office.tasks.answers == []


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://attacker.example.com"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
    ],
)
def test_another_sites_post_decides_nothing_even_with_the_right_nonce(office: Office, headers: dict[str, str]) -> None:
    body = urlencode({"nonce": nonce_of(office.visit(office.link())), "choice": "approve"}).encode()
    request = PageRequest(method="POST", path=office.link(), headers={**FORM, **headers}, body=body)

    assert run(office.pages.handle(request)).status == 403
    assert office.approval().votes == ()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "https://approvals.example.com", "sec-fetch-site": "same-origin"},
        {"origin": "null"},
    ],
)
def test_the_pages_own_form_decides_in_every_browser(office: Office, headers: dict[str, str]) -> None:
    """The other side of the test above: what browsers of any age send for our own form is let pass."""
    body = urlencode({"choice": "approve", "nonce": nonce_of(office.visit(office.link()))}).encode()
    request = PageRequest(method="POST", path=office.link(), headers={**FORM, **headers}, body=body)

    assert run(office.pages.handle(request)).status == 200
    assert len(office.approval().votes) == 1


def test_a_replayed_post_counts_once(office: Office) -> None:
    """Here it is a vote of two: without the check a replay would make the quorum alone."""
    fields = {"nonce": nonce_of(office.visit(office.link())), "choice": "approve"}
    first = office.post(office.link(), fields)
    replayed = [office.post(office.link(), fields) for _ in range(5)]

    assert first.status == 200
    assert {page.status for page in replayed} == {409}
    assert len(office.approval().votes) == 1
    assert office.tasks.answers == []


def test_a_slack_click_replayed_within_the_window_counts_once(office: Office) -> None:
    request = posted(click(office.link(choice="approve"), "U1"), NOON // 1000)
    assert run(office.pages.handle(request)).status == 200
    office.pass_time(299)
    assert run(office.pages.handle(request)).status == 200

    assert len(office.approval().votes) == 1
    assert office.tasks.answers == []


def test_a_links_length_is_fit_for_mail_and_says_nothing_in_clear(office: Office) -> None:
    link = office.link(choice="approve")
    assert len(link) <= 200
    for secret in ("token-1", ADA, "Ada", dump_json(office.approval().payload)[:40]):
        assert secret not in link
