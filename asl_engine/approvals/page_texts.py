"""The pages that people see, one function each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from asl_engine.approvals.approval import Approval, Delivery, Status, Vote
from asl_engine.approvals.exchange import PageResponse
from asl_engine.approvals.form import FieldType, FormField
from asl_engine.approvals.markup import Html, fill, joined, paragraphs
from asl_engine.approvals.page_layout import page
from asl_engine.approvals.request import ApprovalRequest, Approver, Option
from asl_engine.approvals.tally import progress

_NOT_TOLD: Final = {
    Delivery.DUE: "The workflow has not taken the answer yet. It is sent again until it does.",
    Delivery.GIVEN_UP: "The decision is recorded, but the workflow could not be told: it was tried for a week. "
    "Please tell whoever runs the workflow.",
}
_WORD_KEPT_WHOLE: Final = 10  # two such columns and their headings fit into 320 pixels


def question(
    approval: Approval,
    options: tuple[Option, ...],
    nonce: str,
    *,
    delegates: tuple[Approver, ...] = (),
    written: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> PageResponse:
    """The request and its form. With problems: what was written stands in the form again."""
    request, problems = approval.request, problems or {}
    parts = [_problem_summary(request, problems), paragraphs(request.message), details_table(request)]
    parts += [_standing(approval), _form(request, options, nonce, written or {}, problems)]
    if delegates:
        parts.append(_delegation(delegates, nonce))
    status, title = (422, f"Error: {request.title}") if problems else (200, request.title)
    return page(status, request.title, joined(parts), title=title)


def for_others(approval: Approval) -> PageResponse:
    """What the link in a channel shows, where only those named may answer."""
    request = approval.request
    told = Html("<p>Only those who were asked may answer, with the link that each of them got.</p>")
    content = joined([paragraphs(request.message), details_table(request), _standing(approval), told])
    return page(200, request.title, content)


def answered(approval: Approval, vote: Vote | None, *, status: int = 200, note: str = "") -> PageResponse:
    """Who decided what and when; or, while others are still asked, that this answer was taken."""
    parts = [fill('<p role="status">$note</p>', note=note)] if note else []
    if approval.status is Status.DECIDED:
        heading = f"Decided: {_label(approval)}"
        parts.append(fill("<p>$title</p>", title=approval.request.title))
        untold = not_told(approval)
        parts += [fill("<p>$untold</p>", untold=untold)] if untold else []
    elif vote is not None:
        heading = "Your answer was recorded"
        parts.append(fill("<p>$title</p><p>$progress</p>", title=approval.request.title, progress=progress(approval)))
    else:
        heading = approval.request.title
    parts.append(_votes_table(approval))
    return page(status, heading, joined(parts))


def handed_over(approval: Approval, to: str, *, status: int = 200) -> PageResponse:
    """That this recipient lets somebody else decide."""
    content = fill("<p>$title</p><p>$to was asked instead of you.</p>", title=approval.request.title, to=to)
    return page(status, "You handed this decision over", content)


def forged() -> PageResponse:
    """A link that is none of ours, or not as we made it."""
    return page(
        403,
        "This link is not valid",
        Html("<p>It is incomplete or was changed. Open it from the original message, or copy all of it.</p>"),
    )


def not_this_way(reason: str) -> PageResponse:
    """A form that did not come from the link's own page."""
    content = fill("<p>Nothing was decided: $reason.</p><p>Open the link from your message again.</p>", reason=reason)
    return page(403, "This answer does not count", content)


def malformed() -> PageResponse:
    """A body that is no form."""
    return page(
        400, "This answer cannot be read", Html("<p>Nothing was decided. Open the link from your message again.</p>")
    )


def expired() -> PageResponse:
    """A link, or an approval, whose time is over."""
    return page(
        410,
        "The time to decide is over",
        Html("<p>Nothing can be decided with this link any more. If it still matters, ask whoever sent it.</p>"),
    )


def gone(approval: Approval | None = None) -> PageResponse:
    """The workflow does not wait any more."""
    content = Html("<p>It was answered another way, timed out, or was stopped. An answer now changes nothing.</p>")
    if approval is not None and approval.votes:
        content = joined([content, _votes_table(approval)])
    return page(410, "The workflow no longer waits for this", content)


def not_found() -> PageResponse:
    """A path where nothing is."""
    return page(404, "There is nothing here", Html("<p>Links to decide on come by message.</p>"))


def method_not_allowed(allowed: str) -> PageResponse:
    """Another method than the page knows."""
    response = page(405, "This page cannot be used that way", Html("<p>Nothing was decided.</p>"))
    return PageResponse(status=405, headers={**response.headers, "Allow": allowed}, body=response.body)


def unavailable() -> PageResponse:
    """Something we depend on does not answer."""
    return page(
        503, "Please try again", Html("<p>Your answer may not have been recorded yet. Send it again in a minute.</p>")
    )


def details_table(request: ApprovalRequest) -> Html:
    """What is to be judged, line by line."""
    if not request.details:
        return Html("")
    compared = any(detail.previous is not None for detail in request.details)
    rows = joined(
        fill(
            '<tr><th scope="row">$label</th>$value$previous</tr>',
            label=detail.label,
            value=_value_cell(detail.value),
            previous=_value_cell(detail.previous or "") if compared else Html(""),
        )
        for detail in request.details
    )
    head = '<thead><tr><th scope="col">Measure</th><th scope="col">Now</th><th scope="col">Before</th></tr></thead>'
    return fill(
        "<h2>Details</h2><table>$head<tbody>$rows</tbody></table>", head=Html(head if compared else ""), rows=rows
    )


def _value_cell(value: str) -> Html:
    """A cell that breaks no number in two, though a phone's table has to break what is longer."""
    is_short = all(len(word) <= _WORD_KEPT_WHOLE for word in value.split())
    return fill('<td class="$style">$value</td>', style="whole" if is_short else "long", value=value)


def not_told(approval: Approval) -> str:
    """What there is to say of an answer that the task does not have; empty if it has it."""
    return _NOT_TOLD.get(approval.delivery, "")


def moment(milliseconds: int) -> str:
    """A moment as people read it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%-d %B %Y, %H:%M UTC")


def _label(approval: Approval) -> str:
    outcome = approval.outcome
    return outcome.label if outcome is not None else "no agreement"


def _standing(approval: Approval) -> Html:
    lines = [progress(approval)]
    if approval.request.deadline is not None:
        lines.append(f"Please decide before {moment(approval.request.deadline)}.")
    escalation = approval.request.escalation
    if escalation is not None and escalation.level > 1:
        lines.append(f"Nobody decided in time before: this is level {escalation.level} of {escalation.levels}.")
    if escalation is not None and escalation.next_names:
        lines.append(f"After that, {', '.join(escalation.next_names)} will be asked.")
    shown = joined(fill('<p class="muted">$line</p>', line=line) for line in lines if line)
    return joined([shown, _votes_table(approval)])


def _votes_table(approval: Approval) -> Html:
    if not approval.votes:
        return Html("")
    rows = joined(
        fill(
            '<tr><th scope="row">$by</th><td class="whole">$choice</td><td>$at</td></tr>',
            by=vote.by,
            choice=_choice_label(approval.request, vote.choice),
            at=moment(vote.at),
        )
        for vote in approval.votes
    )
    head = '<thead><tr><th scope="col">Who</th><th scope="col">Answer</th><th scope="col">When</th></tr></thead>'
    return fill("<h2>Answers</h2><table>$head<tbody>$rows</tbody></table>", head=Html(head), rows=rows)


def _choice_label(request: ApprovalRequest, choice: str) -> str:
    option = request.option(choice)
    return option.label if option is not None else choice


def _problem_summary(request: ApprovalRequest, problems: Mapping[str, str]) -> Html:
    if not problems:
        return Html("")
    labels = {field.name: field.label for field in request.form}
    items = joined(
        fill('<li><a href="#field-$name">$label</a> $problem</li>', name=name, label=labels[name], problem=problem)
        for name, problem in problems.items()
    )
    return fill('<div role="alert"><p>Nothing was decided yet:</p><ul>$items</ul></div>', items=items)


def _form(
    request: ApprovalRequest,
    options: tuple[Option, ...],
    nonce: str,
    written: Mapping[str, str],
    problems: Mapping[str, str],
) -> Html:
    offered = frozenset(option.id for option in options)
    fields = joined(
        _field(request, field, written.get(field.name, ""), problems.get(field.name, ""), offered)
        for field in request.form
    )
    buttons = joined(
        fill(
            '<button name="choice" value="$id" class="$style">$label</button>',
            id=option.id,
            style="first" if index == 0 else "other",
            label=option.label,
        )
        for index, option in enumerate(options)
    )
    return fill(
        '<form method="post"><input type="hidden" name="nonce" value="$nonce">$fields'
        '<div class="buttons">$buttons</div></form>',
        nonce=nonce,
        fields=fields,
        buttons=buttons,
    )


def _field(request: ApprovalRequest, field: FormField, written: str, problem: str, offered: frozenset[str]) -> Html:
    always = bool(offered) and offered <= field.required_for
    attributes = fill(
        'id="field-$name" name="$name"$required$invalid',
        name=field.name,
        required=Html(" required" if always else ""),
        invalid=fill(' aria-invalid="true" aria-describedby="problem-$name"', name=field.name) if problem else Html(""),
    )
    told = fill('<p class="error" id="problem-$name">$problem</p>', name=field.name, problem=problem)
    control = _control(field, written, attributes)
    if field.type is FieldType.BOOLEAN:
        return fill(
            '<label class="inline">$control <span>$label$hint</span></label>$problem',
            control=control,
            label=field.label,
            hint=_hint(request, field, always=always) if field.required_for else Html(""),
            problem=told if problem else Html(""),
        )
    return fill(
        '<label for="field-$name">$label$hint</label>$control$problem',
        name=field.name,
        label=field.label,
        hint=_hint(request, field, always=always),
        control=control,
        problem=told if problem else Html(""),
    )


def _hint(request: ApprovalRequest, field: FormField, *, always: bool) -> Html:
    if always:
        return Html("")
    needing = ", ".join(option.label for option in request.choices if option.id in field.required_for)
    hint = f"(needed for: {needing})" if needing else "(optional)"
    return fill(' <span class="muted">$hint</span>', hint=hint)


def _control(field: FormField, written: str, attributes: Html) -> Html:
    match field.type:
        case FieldType.LONG_TEXT:
            return fill("<textarea $attributes>\n$written</textarea>", attributes=attributes, written=written)
        case FieldType.BOOLEAN:
            checked = Html(" checked" if written else "")
            return fill('<input type="checkbox" $attributes$checked>', attributes=attributes, checked=checked)
        case FieldType.CHOICE:
            chosen = joined(_offered(option, is_chosen=option == written) for option in field.options)
            return fill(
                '<select $attributes><option value=""></option>$chosen</select>', attributes=attributes, chosen=chosen
            )
    mode = {FieldType.INTEGER: "numeric", FieldType.NUMBER: "decimal"}.get(field.type, "text")
    placeholder = Html(' placeholder="YYYY-MM-DD"' if field.type is FieldType.DATE else "")
    return fill(
        '<input type="text" inputmode="$mode" $attributes$placeholder value="$written" autocomplete="off">',
        mode=mode,
        attributes=attributes,
        placeholder=placeholder,
        written=written,
    )


def _offered(option: str, *, is_chosen: bool) -> Html:
    return fill("<option$chosen>$option</option>", chosen=Html(" selected" if is_chosen else ""), option=option)


def _delegation(delegates: tuple[Approver, ...], nonce: str) -> Html:
    people = joined(
        fill('<option value="$id">$name</option>', id=delegate.id, name=delegate.name) for delegate in delegates
    )
    return fill(
        '<h2>Not yours to decide?</h2><form method="post"><input type="hidden" name="nonce" value="$nonce">'
        '<label for="delegate">Hand it over to</label><select id="delegate" name="delegate" required>$people</select>'
        '<div class="buttons"><button>Hand over</button></div></form>',
        nonce=nonce,
        people=people,
    )
