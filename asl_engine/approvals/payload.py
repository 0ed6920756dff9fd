"""Reads a notifier's payload into a request. All problems are told at once, each with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from asl_engine.approvals.form import FieldType, FormField
from asl_engine.approvals.payload_reader import PayloadReader
from asl_engine.approvals.request import (
    REJECTED,
    ApprovalRequest,
    Approver,
    ChannelUse,
    Detail,
    Escalation,
    Option,
)
from asl_engine.expressions.value_text import json_text
from asl_engine.json_value import JsonObject, JsonValue

MEMBERS: Final = frozenset(
    {
        "action",
        "taskToken",
        "title",
        "message",
        "subject",
        "details",
        "approvers",
        "channels",
        "choices",
        "form",
        "quorum",
        "deadline",
        "delegates",
        "requester",
        "escalation",
        "approvalId",
        "execution",
        "reminder",
        "reachAll",
    }
)
CHANNEL_TYPES: Final = ("email", "slack", "webhook")
_CHOICE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_DEFAULT_CHOICES: Final = (Option(id="approve", label="Approve"), Option(id="reject", label="Reject", error=REJECTED))
_RESERVED_FIELDS: Final = frozenset({"choice", "nonce", "delegate"})


def read_payload(payload: JsonValue) -> ApprovalRequest:
    """The request that a payload makes. Raises InvalidApprovalRequest with every problem."""
    reader = PayloadReader.of(payload, MEMBERS)
    title = reader.text("title", required=True)
    choices = tuple(_choice(each) for each in reader.objects("choices")) or _DEFAULT_CHOICES
    approvers = _approvers(reader)
    request = ApprovalRequest(
        title=title,
        message=reader.text("message"),
        subject=reader.text("subject") or title,
        details=_details(reader),
        approvers=approvers,
        channels=_channels(reader),
        choices=choices,
        form=tuple(_field(each, choices) for each in reader.objects("form")),
        quorum=reader.integer("quorum", 1, least=1),
        deadline=reader.timestamp("deadline"),
        delegates=tuple(_people(reader, "delegates")),
        escalation=_escalation(reader),
        shared_id=reader.text("approvalId") or None,
        reminder=reader.integer("reminder", 0, least=0),
        reach_all=reader.boolean("reachAll", default=True),
    )
    _check(request, reader)
    reader.finish()
    return request


def approval_scope(payload: Mapping[str, JsonValue]) -> str:
    """The execution that a shared approval belongs to."""
    execution = payload.get("execution")
    return execution if isinstance(execution, str) else ""


def _check(request: ApprovalRequest, reader: PayloadReader) -> None:
    if len({option.id for option in request.choices}) < len(request.choices):
        reader.problem("choices", "two choices have the same id")
    if all(option.error is not None for option in request.choices):
        reader.problem("choices", "every choice has an error: give one that lets the task succeed")
    if len({field.name for field in request.form}) < len(request.form):
        reader.problem("form", "two fields have the same name")
    if request.delegates and request.shared_id is None:
        reader.problem("delegates", "delegating asks again in a new round: give approvalId, and see the approval gate")
    if request.shared_id is not None and not reader.text("execution"):
        reader.problem("execution", 'approvalId is unique within an execution: give "execution.$": "$$.Execution.Id"')
    if not request.approvers and all(use.type == "email" for use in request.channels):
        reader.problem("approvers", "nobody is asked: name approvers, or a Slack channel")
    at_top = request.escalation is None or request.escalation.level >= request.escalation.levels
    if at_top and request.approvers and request.quorum > len(request.approvers):
        reader.problem("quorum", f"{request.quorum} of {len(request.approvers)} approvers can never be reached")
    for use in request.channels:
        if use.type == "email" and not any(approver.email for approver in request.approvers):
            reader.problem("channels", "email is to be sent, but no approver has an email address")


def _approvers(reader: PayloadReader) -> tuple[Approver, ...]:
    """Each address once, and never whoever asks."""
    requester = reader.text("requester").lower()
    people = {approver.id: approver for approver in _people(reader, "approvers")}
    return tuple(p for p in people.values() if not requester or requester not in {_lower(p.email), _lower(p.slack)})


def _lower(text: str | None) -> str:
    return (text or "").lower()


def _people(reader: PayloadReader, name: str) -> list[Approver]:
    people = []
    for index, member in enumerate(reader.array(name)):
        if isinstance(member, str):
            member = {"email": member}
        person = reader.inner(f"{name}/{index}", member, {"name", "email", "slack"})
        email, slack = person.text("email"), person.text("slack")
        if not (email or slack):
            person.problem("", "give an email address or a Slack member id")
        if email and ("@" not in email or any(character.isspace() for character in email)):
            person.problem("email", f"{email!r} is no email address")
        people.append(Approver(name=person.text("name") or email or slack, email=email or None, slack=slack or None))
    return people


def _details(reader: PayloadReader) -> tuple[Detail, ...]:
    """An object of values, or a list of labels with values, for those who care for the order."""
    given = reader.value("details")
    if isinstance(given, dict):
        return tuple(Detail(label=label, value=_shown(value)) for label, value in given.items())
    details = []
    for each in reader.objects("details"):
        each.only({"label", "value", "previous"})
        previous = each.value("previous")
        details.append(
            Detail(
                label=each.text("label", required=True),
                value=_shown(each.value("value")),
                previous=None if previous is None else _shown(previous),
            )
        )
    return tuple(details)


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else json_text(value)


def _channels(reader: PayloadReader) -> tuple[ChannelUse, ...]:
    uses = []
    for index, member in enumerate(reader.array("channels") or ["email"]):
        if isinstance(member, str):
            member = {"type": member}
        channel = reader.inner(f"channels/{index}", member, {"type", "channel", "name"})
        kind = channel.text("type", required=True)
        if kind and kind not in CHANNEL_TYPES:
            channel.problem("type", f"no channel is called {kind!r}: it is one of {', '.join(CHANNEL_TYPES)}")
        if kind == "webhook" and not channel.text("name"):
            channel.problem("name", "name the webhook as the notifier's configuration does")
        options: JsonObject = {name: channel.text(name) for name in ("channel", "name") if channel.text(name)}
        uses.append(ChannelUse(type=kind, options=options))
    return tuple(uses)


def _choice(reader: PayloadReader) -> Option:
    reader.only({"id", "label", "error"})
    choice = reader.text("id", required=True)
    if choice and not _CHOICE_ID.fullmatch(choice):
        reader.problem("id", f"{choice!r} must have 1 to 32 letters, digits, - or _")
    return Option(id=choice, label=reader.text("label") or choice, error=reader.text("error") or None)


def _field(reader: PayloadReader, choices: tuple[Option, ...]) -> FormField:
    reader.only({"name", "label", "type", "options", "required", "requiredFor"})
    name, kind = reader.text("name", required=True), reader.text("type") or "text"
    if name in _RESERVED_FIELDS or (name and not _CHOICE_ID.fullmatch(name)):
        reader.problem("name", f"{name!r} must have 1 to 32 letters, digits, - or _, and not be one of the page's own")
    if kind not in list(FieldType):
        reader.problem("type", f"no field is of type {kind!r}: it is one of {', '.join(FieldType)}")
        kind = FieldType.TEXT
    options = tuple(str(option) for option in reader.array("options"))
    if (kind == FieldType.CHOICE) != bool(options):
        reader.problem("options", "a field of type choice, and no other, has options")
    required_for = frozenset(str(choice) for choice in reader.array("requiredFor"))
    known = frozenset(option.id for option in choices)
    if required_for - known:
        reader.problem("requiredFor", f"no choice has the id {min(required_for - known)!r}")
    return FormField(
        name=name,
        label=reader.text("label") or name,
        type=FieldType(kind),
        options=options,
        required_for=known if reader.boolean("required") else required_for,
    )


def _escalation(reader: PayloadReader) -> Escalation | None:
    given = reader.value("escalation")
    if given is None:
        return None
    escalation = reader.inner("escalation", given, {"level", "levels", "nextAt", "next"})
    return Escalation(
        level=escalation.integer("level", 1, least=1),
        levels=escalation.integer("levels", 1, least=1),
        next_at=escalation.text("nextAt") or None,
        next_names=tuple(person.name for person in _people(escalation, "next")),
    )
