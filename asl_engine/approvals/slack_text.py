"""Slack messages in Block Kit. https://docs.slack.dev/reference/block-kit/blocks"""

from __future__ import annotations

from typing import Final

from asl_engine.approvals.approval import Approval, Delivery, Status
from asl_engine.approvals.notice import Notice
from asl_engine.approvals.page_texts import moment
from asl_engine.approvals.request import ApprovalRequest, Option
from asl_engine.approvals.tally import progress
from asl_engine.json_value import JsonObject, JsonValue

ACTION_PREFIX: Final = "approval:"
_HEADER_LENGTH_MAX: Final = 150
_SECTION_LENGTH_MAX: Final = 3_000
_FIELDS_MAX: Final = 10
_FIELD_LENGTH_MAX: Final = 2_000
_LABEL_LENGTH_MAX: Final = 75
_BUTTONS_MAX: Final = 25


def message_of(notice: Notice) -> JsonObject:
    """The message that asks. `text` is what notifications and screen readers say."""
    blocks: list[JsonValue] = _request_blocks(notice.request)
    if notice.links is not None:
        blocks.append({"type": "actions", "elements": _buttons(notice)})
    return {"text": notice.subject, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def message_after(approval: Approval) -> JsonObject:
    """The message in its place once somebody answered: with buttons gone when it is decided."""
    lines = [f"*{escaped(vote.by)}*: {_label(approval, vote.choice)}, {moment(vote.at)}" for vote in approval.votes]
    if approval.status is Status.DECIDED:
        lines.insert(0, f":ballot_box_with_check: Decided: *{_label(approval, approval.choice or '')}*")
        if approval.delivery is Delivery.DUE:
            lines.append("The workflow has not taken the answer yet. It is sent again until it does.")
        elif approval.delivery is Delivery.TOO_LATE and not approval.is_shared:
            lines.append("The workflow no longer waits for this: the answer changes nothing.")
    elif approval.status is Status.EXPIRED:
        lines.insert(0, "The time to decide is over.")
    else:
        lines.append(escaped(progress(approval)))
    blocks = [*_request_blocks(approval.request), _section("\n".join(lines))]
    return {"text": approval.request.title, "blocks": blocks}


def escaped(text: str) -> str:
    """Text that Slack shows as it is. https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _request_blocks(request: ApprovalRequest) -> list[JsonValue]:
    header = " ".join(request.title.split())[:_HEADER_LENGTH_MAX]
    blocks: list[JsonValue] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}}]
    if request.message:
        blocks.append(_section(escaped(request.message)))
    for start in range(0, len(request.details), _FIELDS_MAX):
        fields: list[JsonValue] = [
            {"type": "mrkdwn", "text": _field_text(detail.label, detail.value, detail.previous)}
            for detail in request.details[start : start + _FIELDS_MAX]
        ]
        blocks.append({"type": "section", "fields": fields})
    if request.deadline is not None:
        blocks.append(_section(f"Please decide before {moment(request.deadline)}."))
    return blocks


def _field_text(label: str, value: str, previous: str | None) -> str:
    before = f" (before: {escaped(previous)})" if previous is not None else ""
    return f"*{escaped(label)}*\n{escaped(value)}{before}"[:_FIELD_LENGTH_MAX]


def _section(text: str) -> JsonObject:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_SECTION_LENGTH_MAX]}}


def _buttons(notice: Notice) -> list[JsonValue]:
    return [
        _button(notice, option, is_first=index == 0)
        for index, option in enumerate(notice.request.choices[:_BUTTONS_MAX])
    ]


def _button(notice: Notice, option: Option, *, is_first: bool) -> JsonObject:
    """A button that answers in Slack; where a form must be filled in, one that opens the page."""
    assert notice.links is not None, "buttons need links"
    button: JsonObject = {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{option.id}",
        "text": {"type": "plain_text", "text": option.label[:_LABEL_LENGTH_MAX], "emoji": False},
    }
    if option.id in notice.needs_form:
        button["url"] = notice.links.choices[option.id]
    else:
        button["value"] = notice.links.tokens[option.id]
    if is_first:
        button["style"] = "primary"
    elif option.error is not None:
        button["style"] = "danger"
    return button


def _label(approval: Approval, choice: str) -> str:
    option = approval.request.option(choice)
    return escaped(option.label if option is not None else "no agreement")
