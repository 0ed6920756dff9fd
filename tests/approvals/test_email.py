"""The email that asks: for every client, with nothing in it that was not meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from asl_engine.approvals.email_channel import EmailChannel
from asl_engine.approvals.email_text import email_of
from asl_engine.approvals.notice import Notice
from asl_engine.errors import NotificationFailed
from tests.approvals.office import ADA, Office

SENDER = "approvals@example.com"
REGION = "eu-west-1"


def email(**members: Any) -> tuple[EmailMessage, Notice]:
    """The message that a request sends to Ada, read back from its bytes as a client does."""
    office = Office()
    office.ask(**members)
    notice = office.mail.to(ADA)
    return read(email_of(notice, SENDER).as_bytes()), notice


def read(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


class Tags(HTMLParser):
    """The tags of a document, and the addresses of its links."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name == "href"]


def test_it_has_the_request_and_its_links_as_text_and_as_html() -> None:
    message, notice = email(
        subject="Please decide",
        message="Trained on October.\n\nAudited.",
        details=[{"label": "accuracy", "value": 0.94, "previous": 0.93}],
        deadline="2027-01-16T08:00:00Z",
        approvers=[{"name": "Ada Lovelace", "email": ADA}],
    )
    assert notice.links is not None
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, f"Ada Lovelace <{ADA}>", "Please decide")
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]

    plain, html = text_of(message, "plain"), text_of(message, "html")
    for said in ("Deploy model 7?", "accuracy: 0.94 (before: 0.93)", "16 January 2027, 08:00 UTC", "Audited."):
        assert said in plain
    links = [*notice.links.choices.values(), notice.links.page]
    for link in links:
        assert f"\n  {link}\n" in plain
    assert Tags(html).links == links


def test_no_line_is_longer_than_mail_allows() -> None:
    """RFC 5322, 2.1.1: clients and relays break longer ones, and links with them."""
    office = Office()
    office.ask(message="x" * 5_000, title="é" * 300)
    assert max(map(len, email_of(office.mail.to(ADA), SENDER).as_bytes().split(b"\r\n"))) <= 998


def test_html_has_no_scripts_pictures_or_style_sheets_to_fetch() -> None:
    message, _ = email(details={"a": 1})
    assert {"script", "img", "link", "style", "iframe", "form"}.isdisjoint(Tags(text_of(message, "html")).tags)


def test_what_a_definition_says_is_text_and_never_markup_or_a_header() -> None:
    attack = "<script>alert(1)</script>\r\nBcc: everybody@example.com"
    message, _ = email(
        title=attack, subject=attack, message=attack, details={attack: attack}, choices=[{"id": "ok", "label": attack}]
    )
    assert message["Bcc"] is None
    assert message["Subject"] == "<script>alert(1)</script> Bcc: everybody@example.com"
    assert "script" not in Tags(text_of(message, "html")).tags


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"])
def test_no_text_of_a_definition_looks_like_a_link_to_decide_with(end: str) -> None:
    fake = f"x{end}{end}Approve:{end}  https://evil.example.com/k1.x"
    details = [{"label": fake, "value": fake, "previous": fake}]
    message, notice = email(title=fake, message=fake, details=details, choices=[{"id": "ok", "label": fake}])
    assert notice.links is not None
    lines = text_of(message, "plain").splitlines()

    assert "Approve:" not in lines
    assert [line for line in lines if line.startswith("  https://evil")] == []
    assert f"  {notice.links.page}" in lines


def test_a_name_that_is_more_than_a_name_stays_one() -> None:
    message, _ = email(approvers=[{"name": 'Ada "<x@evil.example.com>, y', "email": ADA}])
    assert [address.addr_spec for address in message["To"].addresses] == [ADA]


def test_an_address_that_is_none_fails_the_notification() -> None:
    office = Office()
    office.ask(approvers=[{"name": "Ada", "email": "ada@@example.com"}])
    with pytest.raises(NotificationFailed, match="no email can be sent to Ada"):
        email_of(office.mail.sent[0], SENDER)


@pytest.fixture
def ses() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")


def test_ses_gets_the_message_as_it_is(ses: str, credentials: None) -> None:
    boto3.client("sesv2", endpoint_url=ses, region_name=REGION).create_email_identity(EmailIdentity=SENDER)
    office = Office(channels={"email": EmailChannel(SENDER, endpoint_url=ses, region=REGION)})
    office.ask()

    (sent,) = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages[-1:]
    assert set(sent.destinations) == {ADA}
    message = read(sent.raw_data.encode() if isinstance(sent.raw_data, str) else sent.raw_data)
    assert message["Subject"] == "Deploy model 7?"
    assert "Approve:" in text_of(message, "plain")


def test_what_ses_refuses_fails_the_notification(ses: str, credentials: None) -> None:
    office = Office(channels={"email": EmailChannel("nobody@unverified.example.com", endpoint_url=ses, region=REGION)})
    with pytest.raises(NotificationFailed, match="SES did not take the email"):
        office.ask()
