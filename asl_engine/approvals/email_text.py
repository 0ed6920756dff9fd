"""A notice as an email: plain text for every client, and HTML that needs no style sheet."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from asl_engine.approvals.markup import Html, fill, joined, paragraphs
from asl_engine.approvals.notice import Notice, NoticeLinks
from asl_engine.approvals.page_texts import moment
from asl_engine.approvals.request import ApprovalRequest
from asl_engine.errors import NotificationFailed

_HTML: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title</title></head>
<body style="margin:0;padding:24px;background:#ffffff;color:#16191f;font:16px/1.5 sans-serif">
<div style="max-width:36em"><h1 style="font-size:20px">$title</h1>$message$details$links
<p style="color:#4b5563">$footer</p></div></body></html>
"""
_BUTTON: Final = (
    '<a href="$url" style="display:inline-block;margin:0 12px 12px 0;padding:10px 20px;border:2px solid #0b5cad;'
    'border-radius:5px;color:#0b5cad;font-weight:bold;text-decoration:none">$label</a>'
)
_CELL: Final = 'style="text-align:left;vertical-align:top;padding:6px 16px 6px 0;border-top:1px solid #c4c9d1"'
_ROW: Final = f'<tr><th scope="row" {_CELL}>$label</th><td {_CELL}>$value</td><td {_CELL}>$previous</td></tr>'
_FOOTER: Final = (
    "A link opens a page; nothing is decided before you press a button there. "
    "The links are yours alone: do not forward this message."
)


def email_of(notice: Notice, sender: str) -> EmailMessage:
    """The message to the notice's recipient. Raises NotificationFailed for an address that is none."""
    message = EmailMessage(policy=SMTP)
    recipient = notice.recipient
    assert recipient is not None, "an email has a recipient"
    try:
        message["From"] = sender
        if recipient.email is not None:
            name = recipient.name if recipient.name != recipient.email else ""
            message["To"] = Address(name, addr_spec=recipient.email)
        message["Subject"] = notice.subject
    except (MessageError, ValueError, IndexError) as error:
        raise NotificationFailed(f"no email can be sent to {recipient.name}: {error}") from error
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(notice))
    message.add_alternative(_html(notice), subtype="html")
    return message


def _text(notice: Notice) -> str:
    """Only what is ours begins a line: a value with lines of its own must not look like a link to decide with."""
    request = notice.request
    title = _one_line(request.title)
    lines = [title, "=" * min(len(title), 72), ""]
    if request.message:
        lines += [*(f"  {line}".rstrip() for line in request.message.strip().splitlines()), ""]
    lines += [_detail_line(detail.label, detail.value, detail.previous) for detail in request.details]
    lines += ["", _deadline(request), ""]
    if notice.links is not None:
        for option in request.choices:
            lines += [f"{_one_line(option.label)}:", f"  {notice.links.choices[option.id]}", ""]
        lines += ["See everything before you decide:", f"  {notice.links.page}", "", _FOOTER]
    return "\n".join(lines) + "\n"


def _detail_line(label: str, value: str, previous: str | None) -> str:
    line = f"{label}: {value}" + (f" (before: {previous})" if previous is not None else "")
    return "\n  | ".join(line.splitlines())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _deadline(request: ApprovalRequest) -> str:
    return f"Please decide before {moment(request.deadline)}." if request.deadline is not None else ""


def _html(notice: Notice) -> str:
    request = notice.request
    return fill(
        _HTML,
        title=request.title,
        message=paragraphs(request.message),
        details=_details(request),
        links=_buttons(request, notice.links) if notice.links is not None else Html(""),
        footer=f"{_deadline(request)} {_FOOTER if notice.links is not None else ''}".strip(),
    )


def _details(request: ApprovalRequest) -> Html:
    """A table whose cells bring their own style: clients drop style sheets."""
    rows = joined(
        fill(
            _ROW,
            label=detail.label,
            value=detail.value,
            previous=f"before: {detail.previous}" if detail.previous is not None else "",
        )
        for detail in request.details
    )
    return fill('<table style="border-collapse:collapse;margin:0 0 16px">$rows</table>', rows=rows) if rows else rows


def _buttons(request: ApprovalRequest, links: NoticeLinks) -> Html:
    buttons = joined(fill(_BUTTON, url=links.choices[option.id], label=option.label) for option in request.choices)
    see = '<p>$buttons</p><p><a href="$page">See everything before you decide</a></p>'
    return fill(see, buttons=buttons, page=links.page)
