"""Slack messages in Block Kit. https://docs.slack.dev/reference/block-kit/blocks"""

from __future__ import annotations

import re
from typing import Final

from asl_engine.approvals.approval import Approval, Delivery, Status
from asl_engine.approvals.notice import Notice
from asl_engine.approvals.page_texts import moment, not_told
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
_DETAILS_MAX: Final = 400  # a message has 50 blocks: forty of these, and the others
_CUT: Final = " … (cut)"
_CUT_ENTITY: Final = re.compile("&[a-z]{0,3}$")


def message_of(notice: Notice) -> JsonObject:
    """The message that asks. `text` is what notifications and screen readers say."""
    blocks: list[JsonValue] = _request_blocks(notice.request)
    if notice.links is not None:
        if notice.is_for_others and notice.needs_form:
            names = [option.label for option in notice.request.choices if option.id in notice.needs_form]
            blocks.append(
                _section(f"A form comes with: {escaped(', '.join(names))}. Use the link that you got yourself.")
            )
        blocks.append({"type": "actions", "elements": _buttons(notice)})
    return {"text": escaped(notice.subject), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def message_after(approval: Approval) -> JsonObject:
    """The message in its place once somebody answered: with buttons gone when it is decided."""
    lines = [f"*{escaped(vote.by)}*: {_label(approval, vote.choice)}, {moment(vote.at)}" for vote in approval.votes]
    if approval.status is Status.DECIDED:
        lines.insert(0, f":ballot_box_with_check: Decided: *{_label(approval, approval.choice or '')}*")
        if untold := not_told(approval):
            lines.append(untold)
        elif approval.delivery is Delivery.TOO_LATE and not approval.is_shared:
            lines.append("The workflow no longer waits for this: the answer changes nothing.")
    elif approval.status is Status.EXPIRED:
        lines.insert(0, "The time to decide is over.")
    else:
        lines.append(escaped(progress(approval)))
    blocks = [*_request_blocks(approval.request), _section("\n".join(lines))]
    return {"text": escaped(approval.request.title), "blocks": blocks}


def escaped(text: str) -> str:
    """Text that Slack shows as it is. https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _request_blocks(request: ApprovalRequest) -> list[JsonValue]:
    header = _shortened(" ".join(request.title.split()), _HEADER_LENGTH_MAX)
    blocks: list[JsonValue] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}}]
    if request.message:
        blocks.append(_section(escaped(request.message)))
    shown = request.details[:_DETAILS_MAX]
    for start in range(0, len(shown), _FIELDS_MAX):
        fields: list[JsonValue] = [
            _markdown(_field_text(detail.label, detail.value, detail.previous), _FIELD_LENGTH_MAX)
            for detail in shown[start : start + _FIELDS_MAX]
        ]
        blocks.append({"type": "section", "fields": fields})
    if len(shown) < len(request.details):
        blocks.append(_section(f"{len(request.details) - len(shown)} more details are on the page."))
    if request.deadline is not None:
        blocks.append(_section(f"Please decide before {moment(request.deadline)}."))
    return blocks


def _field_text(label: str, value: str, previous: str | None) -> str:
    before = f" (before: {escaped(previous)})" if previous is not None else ""
    return f"*{escaped(label)}*\n{escaped(value)}{before}"


def _section(text: str) -> JsonObject:
    return {"type": "section", "text": _markdown(text, _SECTION_LENGTH_MAX)}


def _markdown(text: str, length_max: int) -> JsonObject:
    """Verbatim: no address, channel or name in it becomes a link that nobody wrote."""
    return {"type": "mrkdwn", "text": _shortened(text, length_max), "verbatim": True}


def _shortened(text: str, length_max: int) -> str:
    if len(text) <= length_max:
        return text
    return _CUT_ENTITY.sub("", text[: length_max - len(_CUT)]) + _CUT


def _buttons(notice: Notice) -> list[JsonValue]:
    """A button for each choice, and one for the page, which takes what buttons cannot and shows what is cut here."""
    assert notice.links is not None, "buttons need links"
    page: JsonObject = {
        "type": "button",
        "action_id": "page",
        "text": {"type": "plain_text", "text": "Open the page", "emoji": False},
        "url": notice.links.page,
    }
    left_out = notice.needs_form if notice.is_for_others else frozenset[str]()
    offered = [option for option in notice.request.choices if option.id not in left_out]
    buttons = [_button(notice, option, is_first=index == 0) for index, option in enumerate(offered)]
    return [*buttons[: _BUTTONS_MAX - 1], page]


def _button(notice: Notice, option: Option, *, is_first: bool) -> JsonObject:
    """A button that answers in Slack; where a form must be filled in, one that opens the page."""
    assert notice.links is not None, "buttons need links"
    button: JsonObject = {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{option.id}",
        "text": {"type": "plain_text", "text": _shortened(option.label, _LABEL_LENGTH_MAX), "emoji": False},
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
