"""The notifier: what a Task invokes to ask people, to tell them something, or to end an approval whose time is over.

Payloads (docs/approvals.md has every member):
  with `taskToken`           ask; the token is answered when people have decided
  `"action": "tell"`         send a message that asks for nothing
  `"action": "close"`        end the approval of this `approvalId`; returns its decision if it has one
  `"action": "deliver"`      send decisions that their tasks could not be told of when they were made; for a schedule

A repeated notification (Lambda and the engine deliver at least once) tells only those whom no earlier one has told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from asl_engine.approvals.answers import decision_output
from asl_engine.approvals.approval import Approval, Status
from asl_engine.approvals.desk import ApprovalDesk, shared_approval_id
from asl_engine.approvals.links import Link, Links
from asl_engine.approvals.notice import ANYBODY, Channel, Notice, NoticeLinks
from asl_engine.approvals.payload import read_payload
from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse
from asl_engine.errors import InvalidApprovalRequest, NotificationFailed
from asl_engine.json_value import JsonObject, JsonValue

# A link outlives its approval's deadline, to say how it ended. Without a deadline Step Functions waits for a year at
# most.
_LINK_SECONDS: Final = 366 * 24 * 60 * 60
_log: Final = logging.getLogger(__name__)


class Notifier:
    """Asks through channels. Links begin with `base_url`, behind which the approval pages are."""

    def __init__(self, desk: ApprovalDesk, links: Links, channels: Mapping[str, Channel], base_url: str) -> None:
        self._desk, self._links, self._channels = desk, links, channels
        self.base_url = base_url

    async def handle(self, payload: JsonValue) -> JsonObject:
        """The function's answer. Raises InvalidApprovalRequest or NotificationFailed."""
        if not isinstance(payload, dict):
            raise InvalidApprovalRequest("the notifier's payload must be an object")
        action = payload.get("action", "ask")
        if action == "tell":
            return await self._tell(payload)
        if action == "close":
            return await self._close(payload)
        if action == "deliver":
            due = await self._desk.deliver_due()
            return {"sent": due.sent, "left": due.left}
        if action != "ask":
            raise InvalidApprovalRequest(f"/action: {action!r} is none: it is ask, tell, close or deliver")
        token = payload.get("taskToken")
        if not isinstance(token, str) or not token:
            raise InvalidApprovalRequest(
                "/taskToken: is required. Use the Resource arn:aws:states:::lambda:invoke.waitForTaskToken, and "
                '"taskToken.$": "$$.Task.Token" or "taskToken": "{% $states.context.Task.Token %}"'
            )
        return await self._ask(payload, token)

    async def _ask(self, payload: JsonObject, token: str) -> JsonObject:
        approval = await self._desk.open(payload, token)
        told: dict[str, int] = {}
        failures: list[str] = []
        for key, recipient, use in self._due(approval):
            try:
                await self._channels[use.type].send(self._notice(approval, recipient, key), use)
            except NotificationFailed as error:
                failures.append(f"{recipient.name} by {use.type}: {error}")
            else:
                told[key] = approval.request.reminder
        if told:
            await self._desk.tell(approval.id, told)
        if failures and (approval.request.reach_all or not (told or approval.told)):
            raise NotificationFailed("; ".join(failures))
        for failure in failures:
            _log.warning("approval %s: not told: %s", approval.id, failure)
        return {
            "approvalId": approval.id,
            "status": approval.status.value,
            "notified": len(told),
            "unreached": [*failures],
        }

    async def _tell(self, payload: JsonObject) -> JsonObject:
        request = read_payload(payload)
        failures: list[str] = []
        notified = 0
        for use in request.channels:
            for recipient in self._channel(use).recipients(request, use):
                try:
                    await self._channels[use.type].send(Notice(request=request, recipient=recipient), use)
                    notified += 1
                except NotificationFailed as error:
                    failures.append(f"{recipient.name} by {use.type}: {error}")
        if failures:
            raise NotificationFailed("; ".join(failures))
        return {"notified": notified}

    async def _close(self, payload: JsonObject) -> JsonObject:
        approval_id = shared_approval_id(payload)
        approval = await self._desk.close(approval_id)
        if approval is None:
            return {"status": Status.EXPIRED.value, "votes": []}
        return decision_output(approval)

    def _due(self, approval: Approval) -> list[tuple[str, Approver, ChannelUse]]:
        """Who is to be told now and was not, through what, with the key to remember it under."""
        if approval.status is not Status.OPEN:
            return []
        request = replace(approval.request, approvers=approval.approvers)
        due = []
        unreachable = {approver.id: approver.name for approver in request.approvers} or {ANYBODY.id: "anybody"}
        for use in request.channels:
            for recipient in self._channel(use).recipients(request, use):
                for reached in _reached(request, recipient, use):
                    unreachable.pop(reached.id, None)
                key = f"{use.type}:{''.join(map(str, use.options.values()))}:{recipient.id}"
                has_voted = approval.vote_of(recipient.id) is not None
                if not has_voted and approval.told.get(key, -1) < request.reminder:
                    due.append((key, recipient, use))
        if unreachable:
            names = ", ".join(unreachable.values())
            raise InvalidApprovalRequest(
                f"no channel of the request lets {names} answer: give an address that fits one. In a Slack channel "
                "those named answer under their Slack member id, and cannot fill in a form"
            )
        return due

    def _channel(self, use: ChannelUse) -> Channel:
        channel = self._channels.get(use.type)
        if channel is None:
            raise NotificationFailed(f"the notifier has no channel {use.type}: configure it, see docs/approvals.md")
        return channel

    def _notice(self, approval: Approval, recipient: Approver, key: str) -> Notice:
        request = approval.request
        return Notice(
            request=request,
            recipient=recipient,
            links=self._notice_links(approval, recipient),
            is_reminder=key in approval.told,
            needs_form=request.needs_form,
        )

    def _notice_links(self, approval: Approval, recipient: Approver) -> NoticeLinks:
        tokens = {option.id: self._token(approval, recipient, option.id) for option in approval.request.choices}
        return NoticeLinks(
            page=self._url(self._token(approval, recipient, "")),
            choices={choice: self._url(token) for choice, token in tokens.items()},
            tokens=tokens,
        )

    def _token(self, approval: Approval, recipient: Approver, choice: str) -> str:
        deadline = approval.request.deadline
        expires_at = deadline // 1000 if deadline is not None else approval.created_at // 1000 + _LINK_SECONDS
        return self._links.token(
            Link(
                approval_id=approval.id,
                round=approval.round,
                recipient_id=recipient.id,
                choice=choice,
                expires_at=expires_at,
            )
        )

    def _url(self, token: str) -> str:
        return f"{self.base_url.rstrip('/')}/{token}"


def _reached(request: ApprovalRequest, recipient: Approver, use: ChannelUse) -> Sequence[Approver]:
    """Who can answer a message to this recipient.

    A channel's message has no form of those named: whose link it was could not be told.
    """
    if recipient.id != ANYBODY.id:
        return [recipient]
    if use.type != "slack" or not request.approvers:
        return [*request.approvers, ANYBODY]
    return [] if request.needs_form else [approver for approver in request.approvers if approver.slack]
